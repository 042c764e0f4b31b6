package dev.shrike.jetson.kernels;

import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.jetson.binding.CloseStack;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt.Port;
import dev.shrike.spi.LetterboxParams;
import java.lang.System.Logger;
import java.util.ArrayList;
import java.util.List;

/** The letterboxes of an engine's input on the GPU, one for each image of the batch. */
public final class GpuFrames implements AutoCloseable {
    private static final Logger LOG = System.getLogger(GpuFrames.class.getName());
    private static final int CHANNELS = 3;

    private final CloseStack opened = new CloseStack();
    private final List<GpuLetterbox> letterboxes = new ArrayList<>();

    private GpuFrames() {}

    /** For the ports of an engine; without a letterbox if they take no images or the kernel does not compile. */
    public static GpuFrames open(Gpu gpu, List<Port> ports, Gpu.DeviceMemory[] memory) {
        GpuFrames frames = new GpuFrames();
        int index = imageInput(ports);
        if (index < 0) {
            return frames;
        }
        try {
            Gpu.Kernel kernel = frames.opened.add(KernelSource.LETTERBOX.compile(gpu));
            List<Integer> dims = ports.get(index).dims();
            long imageBytes = ports.get(index).bytes() / dims.getFirst();
            for (int i = 0; i < dims.getFirst(); i++) {
                long target = memory[index].address() + i * imageBytes;
                frames.letterboxes.add(frames.opened.add(
                        new GpuLetterbox(gpu, kernel, target, dims.get(3), dims.get(2))));
            }
        } catch (ShrikeException e) {
            LOG.log(Logger.Level.WARNING, "images are resized on the CPU: " + e.getMessage());
        }
        return frames;
    }

    /** The only input, if it is a batch of images; else -1. */
    private static int imageInput(List<Port> ports) {
        int found = -1;
        for (int i = 0; i < ports.size(); i++) {
            if (ports.get(i).input()) {
                List<Integer> dims = ports.get(i).dims();
                if (found >= 0 || dims.size() != 4 || dims.get(1) != CHANNELS) {
                    return -1;
                }
                found = i;
            }
        }
        return found;
    }

    /** Images of a batch, 0 if the processor has to write them. */
    public int count() {
        return letterboxes.size();
    }

    /** Submits writing a frame as one image of the batch. */
    public void put(Frame frame, LetterboxParams how, int image, Gpu.Stream stream) {
        letterboxes.get(image).apply(frame, how, stream);
    }

    @Override
    public void close() {
        opened.close();
    }
}
