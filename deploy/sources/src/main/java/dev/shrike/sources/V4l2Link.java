package dev.shrike.sources;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A V4L2 camera. By its number it is taken for the same camera as long as name and port are those of the first
 * connection: numbers are given anew when cameras are plugged, and two of a kind must not change places unnoticed.
 */
final class V4l2Link implements Link {
    private static final int BUFFERS = 6;
    private static final int MOST_DESCRIPTIONS = 64;

    private final Path path;
    private final SourceOptions options;
    private final DeviceCalls calls;
    private final UsbCameras cameras;
    private final long[] number = new long[1];
    private String identity = "";

    V4l2Link(Path path, SourceOptions options, DeviceCalls calls, UsbCameras cameras) {
        this.path = path;
        this.options = options;
        this.calls = calls;
        this.cameras = cameras;
    }

    @Override
    public Connection connect() throws LostException, InterruptedException {
        if (path.toString().startsWith("/dev/v4l/by-id/") && cameras.isAmbiguous(path)) {
            throw new LostException("two cameras of a kind without serial numbers share this name; give"
                    + " v4l2:by-path/NAME, which 'ls /dev/v4l/by-path' lists", true);
        }
        int descriptor = calls.open(path.toString());
        if (descriptor < 0) {
            throw new LostException(V4l2.error(descriptor), descriptor == -V4l2.E_BUSY);
        }
        try (Arena arena = Arena.ofConfined()) {
            identify(descriptor, arena);
            Negotiated agreed = negotiate(descriptor, arena);
            return new V4l2Connection(descriptor, calls, agreed, BUFFERS, options, number);
        } catch (LostException | RuntimeException | Error e) {
            int ignored = calls.close(descriptor);
            throw e;
        }
    }

    private void identify(int descriptor, Arena arena) throws LostException {
        MemorySegment capability = arena.allocate(V4l2.CAPABILITY_BYTES, 8);
        check(calls.ioctl(descriptor, V4l2.QUERYCAP, capability));
        int can = capability.get(JAVA_INT, V4l2.CAPABILITIES_AT);
        if ((can & V4l2.HAS_DEVICE_CAPABILITIES) != 0) {
            can = capability.get(JAVA_INT, V4l2.DEVICE_CAPABILITIES_AT);
        }
        String card = V4l2.text(capability, V4l2.CARD_AT, V4l2.NAME_BYTES);
        if ((can & V4l2.CAN_CAPTURE) == 0 || (can & V4l2.CAN_STREAM) == 0) {
            String why = (can & V4l2.CAN_CAPTURE_PLANES) != 0
                    ? "gives planes apart, as cameras on CSI do; give csi://0"
                    : "is a device of " + card + " that gives no frames; cameras often have two, try the other number";
            throw permanent(why);
        }
        String found = card + " at " + V4l2.text(capability, V4l2.BUS_AT, V4l2.NAME_BYTES);
        boolean byNumber = path.toString().startsWith("/dev/video");
        if (byNumber && !identity.isEmpty() && !identity.equals(found)) {
            throw new LostException("the number is that of another camera now (" + found + " instead of " + identity
                    + "); give v4l2:by-path/NAME, which 'ls /dev/v4l/by-path' lists", true);
        }
        identity = found;
    }

    /** What the first connection finds is for good; what a later one finds may be a device that is still starting. */
    private RuntimeException permanent(String why) throws LostException {
        if (!identity.isEmpty()) {
            throw new LostException(why, true);
        }
        return new SourceException(path + ": " + why);
    }

    /** Format and size that were agreed with the driver. */
    record Negotiated(V4l2.Pixels pixels, int width, int height, int stride) {}

    private Negotiated negotiate(int descriptor, Arena arena) throws LostException {
        List<V4l2.Pixels> offered = offered(descriptor, arena);
        List<V4l2.Pixels> wanted = new ArrayList<>(offered);
        options.format().ifPresent(format -> wanted.removeIf(pixels -> pixels.format != format));
        if (wanted.isEmpty()) {
            throw permanent(offered.isEmpty()
                    ? "has no pixel format that is read here"
                    : "has no " + options.format().map(PixelFormat::name).orElse("") + " but "
                            + offered.stream().map(pixels -> pixels.format.name()).distinct()
                                    .collect(Collectors.joining(", ")));
        }
        Negotiated slower = null;
        List<String> sizes = new ArrayList<>();
        for (V4l2.Pixels pixels : wanted) {
            Negotiated agreed = set(descriptor, pixels, arena);
            if (agreed == null) {
                sizes.addAll(sizes(descriptor, pixels, arena));
                continue;
            }
            // USB 2 carries large raw frames only a few times a second; JPEG comes last and is quick.
            if (options.rate() == 0 || rate(descriptor, arena) >= 0.9 * options.rate()) {
                return agreed;
            }
            slower = slower == null ? agreed : slower;
        }
        if (slower != null) {
            Negotiated agreed = set(descriptor, slower.pixels, arena);
            double ignored = rate(descriptor, arena);
            return agreed;
        }
        throw permanent("has no size " + options.width() + "x" + options.height() + (sizes.isEmpty() ? ""
                : " but " + sizes.stream().distinct().collect(Collectors.joining(", "))));
    }

    private List<V4l2.Pixels> offered(int descriptor, Arena arena) {
        List<V4l2.Pixels> offered = new ArrayList<>();
        MemorySegment description = arena.allocate(V4l2.FORMAT_DESCRIPTION_BYTES, 8);
        for (int i = 0; i < MOST_DESCRIPTIONS; i++) {
            description.fill((byte) 0).set(JAVA_INT, 0, i);
            description.set(JAVA_INT, 4, V4l2.TYPE_VIDEO_CAPTURE);
            if (calls.ioctl(descriptor, V4l2.ENUM_FMT, description) < 0) {
                break;
            }
            V4l2.Pixels.of(description.get(JAVA_INT, V4l2.DESCRIPTION_PIXELS_AT)).ifPresent(offered::add);
        }
        offered.sort(null);
        return offered;
    }

    /** What the driver agrees to; null if that is another size or format. */
    private Negotiated set(int descriptor, V4l2.Pixels pixels, Arena arena) throws LostException {
        MemorySegment format = arena.allocate(V4l2.FORMAT_BYTES, 8);
        format.set(JAVA_INT, 0, V4l2.TYPE_VIDEO_CAPTURE);
        check(calls.ioctl(descriptor, V4l2.G_FMT, format));
        int width = options.width() > 0 ? options.width() : format.get(JAVA_INT, V4l2.WIDTH_AT);
        int height = options.width() > 0 ? options.height() : format.get(JAVA_INT, V4l2.HEIGHT_AT);
        format.asSlice(V4l2.WIDTH_AT).fill((byte) 0);
        format.set(JAVA_INT, V4l2.WIDTH_AT, width);
        format.set(JAVA_INT, V4l2.HEIGHT_AT, height);
        format.set(JAVA_INT, V4l2.PIXELS_AT, pixels.code);
        format.set(JAVA_INT, V4l2.FIELD_AT, V4l2.FIELD_NONE);
        check(calls.ioctl(descriptor, V4l2.S_FMT, format));
        int gotWidth = format.get(JAVA_INT, V4l2.WIDTH_AT);
        int gotHeight = format.get(JAVA_INT, V4l2.HEIGHT_AT);
        boolean asked = options.width() > 0;
        if (format.get(JAVA_INT, V4l2.PIXELS_AT) != pixels.code
                || asked && (gotWidth != width || gotHeight != height)) {
            return null;
        }
        return new Negotiated(pixels, gotWidth, gotHeight, format.get(JAVA_INT, V4l2.STRIDE_AT));
    }

    /** Asks for the wanted rate, if any; frames a second that the driver agrees to, without end if it does not tell. */
    private double rate(int descriptor, Arena arena) {
        MemorySegment parameters = arena.allocate(V4l2.PARAMETERS_BYTES, 8);
        parameters.set(JAVA_INT, 0, V4l2.TYPE_VIDEO_CAPTURE);
        parameters.set(JAVA_INT, V4l2.PERIOD_AT, 1000);
        parameters.set(JAVA_INT, V4l2.PERIOD_DENOMINATOR_AT, (int) Math.round(1000 * options.rate()));
        int status = calls.ioctl(descriptor, V4l2.S_PARM, parameters);
        int numerator = parameters.get(JAVA_INT, V4l2.PERIOD_AT);
        int denominator = parameters.get(JAVA_INT, V4l2.PERIOD_DENOMINATOR_AT);
        return status < 0 || numerator == 0 || denominator == 0 ? Double.POSITIVE_INFINITY
                : (double) denominator / numerator;
    }

    private List<String> sizes(int descriptor, V4l2.Pixels pixels, Arena arena) {
        List<String> sizes = new ArrayList<>();
        MemorySegment size = arena.allocate(V4l2.FRAME_SIZE_BYTES, 8);
        for (int i = 0; i < MOST_DESCRIPTIONS; i++) {
            size.fill((byte) 0).set(JAVA_INT, 0, i);
            size.set(JAVA_INT, V4l2.FRAME_SIZE_PIXELS_AT, pixels.code);
            if (calls.ioctl(descriptor, V4l2.ENUM_FRAMESIZES, size) < 0) {
                break;
            }
            if (size.get(JAVA_INT, V4l2.FRAME_SIZE_TYPE_AT) == V4l2.DISCRETE) {
                sizes.add(size.get(JAVA_INT, V4l2.FRAME_SIZE_WIDTH_AT) + "x"
                        + size.get(JAVA_INT, V4l2.FRAME_SIZE_HEIGHT_AT));
            }
        }
        return sizes;
    }

    private static void check(int status) throws LostException {
        if (status < 0) {
            throw new LostException(V4l2.error(status), status == -V4l2.E_BUSY);
        }
    }

    @Override
    public Presence presence() {
        return Files.exists(path) ? Presence.THERE : Presence.AWAY;
    }

    @Override
    public void stop() {
        // Opening a device does not wait.
    }

    @Override
    public void free() {
        // A connection frees its own.
    }
}
