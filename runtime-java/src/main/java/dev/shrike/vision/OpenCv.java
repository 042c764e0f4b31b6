package dev.shrike.vision;

import dev.shrike.SourceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Point;
import org.bytedeco.opencv.opencv_core.Scalar;
import org.bytedeco.opencv.opencv_core.Size;

/**
 * The binding to OpenCV: the one class that sees JavaCPP types. Images are 8-bit BGR in native memory, rows without
 * padding unless a step is given; every matrix header made here is freed before the call returns. Call
 * {@link OpenCvLibrary#require} before anything here.
 */
final class OpenCv {
    /** Key of the quality of a JPEG, 0 to 100, among the settings of {@link #encode}. */
    static final int JPEG_QUALITY = opencv_imgcodecs.IMWRITE_JPEG_QUALITY;

    private OpenCv() {}

    /** A decoded image in memory of its own, freed by the garbage collector. */
    record Decoded(int width, int height, MemorySegment pixels) {}

    /**
     * The image that an encoded file holds, as BGR; null if OpenCV refuses the data.
     *
     * @param encoded native memory
     * @param upright whether OpenCV turns the image by the EXIF orientation that it finds itself
     */
    static Decoded decode(MemorySegment encoded, String name, boolean upright) {
        int flags = opencv_imgcodecs.IMREAD_COLOR | (upright ? 0 : opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION);
        try (PointerScope _ = new PointerScope();
                Mat data = wrap(encoded, (int) encoded.byteSize(), 1, opencv_core.CV_8UC1, 0);
                Mat image = opencv_imgcodecs.imdecode(data, flags)) {
            if (image == null || image.empty()) {
                return null;
            }
            int width = image.cols();
            int height = image.rows();
            if (image.type() != opencv_core.CV_8UC3) {
                throw new SourceException(name + ": OpenCV decoded it to an unexpected type " + image.type());
            }
            MemorySegment pixels = Arena.ofAuto().allocate(3L * width * height, 64);
            try (Mat target = wrap(pixels, width, height, opencv_core.CV_8UC3, 0)) {
                image.copyTo(target);
            }
            return new Decoded(width, height, pixels);
        } catch (RuntimeException e) {
            throw e instanceof SourceException ? e : new SourceException(name + ": " + reason(e), e);
        } catch (OutOfMemoryError e) {
            throw OpenCvLibrary.noMemory(name, e);
        } finally {
            Reference.reachabilityFence(encoded);
        }
    }

    /** The image turned as an EXIF orientation of 1 to 8 says, in memory of its own. */
    static Decoded turn(Decoded image, int orientation) {
        boolean swapped = orientation >= 5;
        int width = swapped ? image.height() : image.width();
        int height = swapped ? image.width() : image.height();
        // What cv::flip is to do: -1 both ways, 0 upside down, 1 left to right.
        Integer mirror = switch (orientation) {
            case 2, 6 -> 1;
            case 3, 7 -> -1;
            case 4, 8 -> 0;
            default -> null;
        };
        MemorySegment pixels = Arena.ofAuto().allocate(3L * width * height, 64);
        try (PointerScope _ = new PointerScope();
                Mat source = wrap(image.pixels(), image.width(), image.height(), opencv_core.CV_8UC3, 0);
                Mat target = wrap(pixels, width, height, opencv_core.CV_8UC3, 0)) {
            if (swapped) {
                opencv_core.transpose(source, target);
            } else {
                source.copyTo(target);
            }
            if (mirror != null) {
                opencv_core.flip(target, target, mirror);
            }
            return new Decoded(width, height, pixels);
        } finally {
            Reference.reachabilityFence(image);
        }
    }

    /**
     * The image encoded for a file extension such as {@code ".jpg"}.
     *
     * @param settings pairs of OpenCV's {@code ImwriteFlags} and their values
     * @throws SourceException if OpenCV cannot encode it
     */
    static byte[] encode(MemorySegment bgr, int width, int height, String extension, String name, int... settings) {
        try (PointerScope _ = new PointerScope();
                Mat image = wrap(bgr, width, height, opencv_core.CV_8UC3, 0);
                BytePointer encoded = new BytePointer();
                IntPointer flags = new IntPointer(settings)) {
            if (!opencv_imgcodecs.imencode(extension, image, encoded, flags)) {
                throw new SourceException(name + ": OpenCV cannot encode " + width + "x" + height + " as " + extension);
            }
            byte[] bytes = new byte[Math.toIntExact(encoded.limit())];
            encoded.get(bytes);
            return bytes;
        } catch (RuntimeException e) {
            throw e instanceof SourceException ? e : new SourceException(name + ": " + reason(e), e);
        } catch (OutOfMemoryError e) {
            throw OpenCvLibrary.noMemory(name, e);
        } finally {
            Reference.reachabilityFence(bgr);
        }
    }

    /** Resizes a BGR image bilinearly, as {@code cv2.resize(…, INTER_LINEAR)}. */
    static void resize(MemorySegment from, int width, int height, MemorySegment to, int newWidth, int newHeight) {
        try (PointerScope _ = new PointerScope();
                Mat source = wrap(from, width, height, opencv_core.CV_8UC3, 0);
                Mat target = wrap(to, newWidth, newHeight, opencv_core.CV_8UC3, 0);
                Size size = new Size(newWidth, newHeight)) {
            opencv_imgproc.resize(source, target, size, 0, 0, opencv_imgproc.INTER_LINEAR);
        } finally {
            Reference.reachabilityFence(from);
            Reference.reachabilityFence(to);
        }
    }

    /** Swaps blue and red. */
    static void swapRedAndBlue(MemorySegment from, MemorySegment to, int width, int height) {
        try (PointerScope _ = new PointerScope();
                Mat source = wrap(from, width, height, opencv_core.CV_8UC3, 0);
                Mat target = wrap(to, width, height, opencv_core.CV_8UC3, 0)) {
            opencv_imgproc.cvtColor(source, target, opencv_imgproc.COLOR_BGR2RGB);
        } finally {
            Reference.reachabilityFence(from);
            Reference.reachabilityFence(to);
        }
    }

    /** Swaps left and right. */
    static void mirror(MemorySegment from, MemorySegment to, int width, int height) {
        try (PointerScope _ = new PointerScope();
                Mat source = wrap(from, width, height, opencv_core.CV_8UC3, 0);
                Mat target = wrap(to, width, height, opencv_core.CV_8UC3, 0)) {
            opencv_core.flip(source, target, 1);
        } finally {
            Reference.reachabilityFence(from);
            Reference.reachabilityFence(to);
        }
    }

    /** Takes one of three interleaved channels out. */
    static void extractChannel(MemorySegment from, MemorySegment to, int width, int height, int channel) {
        try (PointerScope _ = new PointerScope();
                Mat source = wrap(from, width, height, opencv_core.CV_8UC3, 0);
                Mat target = wrap(to, width, height, opencv_core.CV_8UC1, 0)) {
            opencv_core.extractChannel(source, target, channel);
        } finally {
            Reference.reachabilityFence(from);
            Reference.reachabilityFence(to);
        }
    }

    /**
     * Converts bytes to floats.
     *
     * @param channels interleaved channels of both, 1 or 3
     * @param scale what each byte is multiplied with
     * @param to first float of the target
     * @param step bytes from one row of the target to the next
     */
    static void toFloats(
            MemorySegment from, int width, int height, int channels, double scale, MemorySegment to, long step) {
        try (PointerScope _ = new PointerScope();
                Mat source = wrap(from, width, height, opencv_core.CV_MAKETYPE(opencv_core.CV_8U, channels), 0);
                Mat target = wrap(to, width, height, opencv_core.CV_MAKETYPE(opencv_core.CV_32F, channels), step)) {
            source.convertTo(target, opencv_core.CV_MAKETYPE(opencv_core.CV_32F, channels), scale, 0);
        } finally {
            Reference.reachabilityFence(from);
            Reference.reachabilityFence(to);
        }
    }

    /** An image to draw on; colours are 0xRRGGBB. Close it to free the matrix header. */
    static final class Canvas implements AutoCloseable {
        private static final int SUB_PIXEL_BITS = 4;

        private final MemorySegment pixels;
        private final Mat image;

        Canvas(MemorySegment bgr, int width, int height) {
            pixels = bgr;
            image = wrap(bgr, width, height, opencv_core.CV_8UC3, 0);
        }

        /** Draws a rectangle between two corners; a negative thickness fills it. */
        void rectangle(int x1, int y1, int x2, int y2, int colour, int thickness) {
            try (Point a = new Point(x1, y1);
                    Point b = new Point(x2, y2);
                    Scalar bgr = scalar(colour)) {
                opencv_imgproc.rectangle(image, a, b, bgr, thickness, opencv_imgproc.LINE_AA, 0);
            }
        }

        /** Draws a line between two points given in sixteenths of a pixel. */
        void line(int x1, int y1, int x2, int y2, int colour, int thickness) {
            try (Point a = new Point(x1, y1);
                    Point b = new Point(x2, y2);
                    Scalar bgr = scalar(colour)) {
                opencv_imgproc.line(image, a, b, bgr, thickness, opencv_imgproc.LINE_AA, SUB_PIXEL_BITS);
            }
        }

        /** Writes text from its lower left corner. */
        void text(String text, int x, int y, double scale, int colour, int thickness) {
            try (Point origin = new Point(x, y);
                    Scalar bgr = scalar(colour)) {
                opencv_imgproc.putText(
                        image, text, origin, opencv_imgproc.FONT_HERSHEY_SIMPLEX, scale, bgr, thickness,
                        opencv_imgproc.LINE_AA, false);
            }
        }

        /** Width and height of a text in pixels. */
        static int[] textSize(String text, double scale, int thickness) {
            int[] baseline = new int[1];
            try (Size size = opencv_imgproc.getTextSize(
                    text, opencv_imgproc.FONT_HERSHEY_SIMPLEX, scale, thickness, baseline)) {
                return new int[] {size.width(), size.height()};
            }
        }

        private static Scalar scalar(int colour) {
            return new Scalar(colour & 255, colour >> 8 & 255, colour >> 16 & 255, 0);
        }

        @Override
        public void close() {
            image.close();
            Reference.reachabilityFence(pixels);
        }
    }

    /** A matrix header over memory that stays the caller's; step 0 means rows without padding. */
    private static Mat wrap(MemorySegment memory, int width, int height, int type, long step) {
        long row = (long) width * elementBytes(type);
        long bytes = step == 0 ? row * height : step * (height - 1L) + row;
        // The header is made over a direct buffer, which cannot be larger than this.
        if (bytes > Integer.MAX_VALUE) {
            throw new SourceException("an image of " + width + "x" + height + " is too large for OpenCV");
        }
        BytePointer pointer = new BytePointer(memory.asSlice(0, bytes).asByteBuffer());
        return new Mat(height, width, type, pointer, step == 0 ? row : step);
    }

    /** Bytes of one pixel; a type is its depth in the low three bits and its channels less one above. */
    private static int elementBytes(int type) {
        return ((type >> 3) + 1) * ((type & 7) == opencv_core.CV_32F ? Float.BYTES : 1);
    }

    /** What OpenCV complains about, without its version, source file, error code and function. */
    private static String reason(RuntimeException e) {
        String text = String.valueOf(e.getMessage()).strip().replace('\n', ' ');
        return "OpenCV refuses it: "
                + text.replaceFirst("^.*error: \\(-?\\d+:[^)]*\\) ", "").replaceFirst(" in function '[^']*'$", "");
    }
}
