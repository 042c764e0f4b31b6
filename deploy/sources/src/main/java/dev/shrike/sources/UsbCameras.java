package dev.shrike.sources;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * What sysfs tells of the USB cameras here.
 *
 * @param root of sysfs
 */
record UsbCameras(Path root) {
    static final UsbCameras HERE = new UsbCameras(Path.of("/sys"));

    /**
     * Whether another camera has the name below {@code /dev/v4l/by-id} as well: it is made of maker, model and serial
     * number, and many cameras have none. The link then leads to whichever came last.
     */
    boolean isAmbiguous(Path byId) {
        try {
            Path own = usbDevice(root.resolve("class/video4linux").resolve(byId.toRealPath().getFileName()));
            if (own == null || !read(own, "serial").isEmpty()) {
                return false;
            }
            Set<Path> same = new HashSet<>();
            try (var all = Files.newDirectoryStream(root.resolve("class/video4linux"))) {
                for (Path video : all) {
                    Path other = usbDevice(video);
                    if (other != null && read(other, "serial").isEmpty()
                            && read(other, "idVendor").equals(read(own, "idVendor"))
                            && read(other, "idProduct").equals(read(own, "idProduct"))) {
                        same.add(other);
                    }
                }
            }
            return same.size() > 1;
        } catch (IOException e) {
            // It is not there, which opening it tells.
            return false;
        }
    }

    /** The folder of the USB device that a video device belongs to, or null. */
    private static Path usbDevice(Path video) throws IOException {
        Path link = video.resolve("device");
        if (!Files.exists(link)) {
            return null;
        }
        // The link leads to an interface of the device, one folder below it.
        Path device = link.toRealPath().getParent();
        return device != null && Files.exists(device.resolve("idVendor")) ? device : null;
    }

    private static String read(Path folder, String name) throws IOException {
        Path file = folder.resolve(name);
        return Files.exists(file) ? Files.readString(file).strip() : "";
    }
}
