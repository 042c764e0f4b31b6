package dev.shrike.cpu.plan;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.Params;
import dev.shrike.spi.Binding;
import dev.shrike.spi.LetterboxParams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;

/**
 * Writes frames of any raw format into the only input of a plan, by one call of {@code shrike_letterbox_u8_f32}.
 * Parameters are written again only where frames change; nothing is allocated. Confined to one thread at a time; its
 * memory is the plan's arena.
 */
public final class FrameInput {
    private static final int CHANNELS = 3;

    private static final long PIXELS = Params.LETTERBOX.offset("src");
    private static final long PIXEL_BOUNDS = Params.LETTERBOX.offset("src_bounds");
    private static final long STRIDE = Params.LETTERBOX.offset("src_row_stride");
    private static final long SCALE = Params.LETTERBOX.offset("scale");
    private static final long FILL = Params.LETTERBOX.offset("fill");
    private static final long[] SIZES = Stream.of("format", "height", "width", "region_top", "region_left",
            "region_height", "region_width", "out_height", "out_width", "top", "left", "inner_height", "inner_width",
            "red_first").mapToLong(Params.LETTERBOX::offset).toArray();

    private final NativeLibrary library;
    private final long context;
    private final int width;
    private final int height;
    private final MemorySegment params;
    private LetterboxParams last;
    private PixelFormat format;
    private int stride;
    private int frameWidth;
    private int frameHeight;

    private FrameInput(NativeLibrary library, long context, Arena arena, Binding input) {
        this.library = library;
        this.context = context;
        height = input.dims().get(2);
        width = input.dims().get(3);
        Params.Writer writer = Params.LETTERBOX.allocate(arena);
        params = writer.memory();
        long elements = 6L * width + 4L * height;
        writer.point("dst", input.memory())
                .point("workspace", arena.allocate(Integer.BYTES * elements, Integer.BYTES))
                .set("dst_channel_stride", input.strides().get(1))
                // The stride of a dimension of size 1 says nothing, but the library wants one that is sound.
                .set("dst_row_stride", height == 1 ? 1 : input.strides().get(2))
                .set("dst_pixel_stride", width == 1 ? 1 : input.strides().get(3));
    }

    /** For the inputs of a plan; null if they are not one image of three channels. */
    public static FrameInput of(NativeLibrary library, long context, Arena arena, List<Binding> inputs) {
        if (inputs.size() != 1) {
            return null;
        }
        List<Integer> dims = inputs.getFirst().dims();
        boolean image = dims.size() == 4 && dims.get(0) == 1 && dims.get(1) == CHANNELS;
        return image ? new FrameInput(library, context, arena, inputs.getFirst()) : null;
    }

    /** Writes the whole input; false if the frame is compressed or goes elsewhere than in this input. */
    public boolean accept(Frame frame, LetterboxParams how) {
        if (frame.format() == PixelFormat.MJPEG || how.left() + how.width() > width
                || how.top() + how.height() > height) {
            return false;
        }
        MemorySegment memory = frame.pixels();
        if (!memory.scope().isAlive()) {
            throw new IllegalStateException("the memory of the frame was freed");
        }
        if (how != last || frame.format() != format || frame.stride() != stride || frame.width() != frameWidth
                || frame.height() != frameHeight) {
            prepare(frame, how);
        }
        params.set(ValueLayout.JAVA_LONG, PIXELS, memory.address());
        params.set(ValueLayout.JAVA_LONG, PIXEL_BOUNDS + Long.BYTES, memory.byteSize());
        int status;
        try {
            status = (int) library.letterbox().invokeExact(context, params.address());
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
        if (status != 0) {
            throw new DeviceException("libshrike cannot fit a frame of " + frame.width() + "x" + frame.height() + " ("
                    + frame.format() + ", stride " + frame.stride() + ") into the network's input: "
                    + library.describe(status) + " (status " + status + ")");
        }
        return true;
    }

    /** Written by offset and not by name, which would make garbage where regions alternate. */
    private void prepare(Frame frame, LetterboxParams how) {
        last = null;
        params.set(ValueLayout.JAVA_LONG, STRIDE, frame.stride());
        put(0, code(frame.format()));
        put(1, frame.height());
        put(2, frame.width());
        put(3, how.regionY());
        put(4, how.regionX());
        put(5, how.regionHeight());
        put(6, how.regionWidth());
        put(7, height);
        put(8, width);
        put(9, how.top());
        put(10, how.left());
        put(11, how.height());
        put(12, how.width());
        put(13, how.redFirst() ? 1 : 0);
        params.set(ValueLayout.JAVA_FLOAT, SCALE, how.scale());
        params.set(ValueLayout.JAVA_FLOAT, FILL, how.fill());
        format = frame.format();
        stride = frame.stride();
        frameWidth = frame.width();
        frameHeight = frame.height();
        last = how;
    }

    private void put(int index, int value) {
        params.set(ValueLayout.JAVA_INT, SIZES[index], value);
    }

    /** The number of {@code enum shrike_pixel_format}. */
    public static int code(PixelFormat format) {
        return switch (format) {
            case BGR -> 0;
            case RGB -> 1;
            case GREY -> 2;
            case YUYV -> 3;
            case UYVY -> 4;
            case NV12 -> 5;
            case I420 -> 6;
            case MJPEG -> throw new IllegalArgumentException("a JPEG is no raw format");
        };
    }
}
