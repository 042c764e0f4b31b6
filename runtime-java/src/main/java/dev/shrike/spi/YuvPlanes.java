package dev.shrike.spi;

import dev.shrike.Frame;

/**
 * Where the luminance and chrominance of a frame lie: Y of the pixel (x, y) at byte
 * {@code luma + y * stride + x * lumaStep} of its memory, U at
 * {@code u + (y >> rowShift) * chromaStride + (x >> 1) * chromaStep} and V at the same distance from {@code v}.
 *
 * @param luma offset of the first Y
 * @param u offset of the first U
 * @param v offset of the first V
 * @param lumaStep bytes from one Y to the next
 * @param chromaStep bytes from one U to the next
 * @param stride bytes from one row of Y to the next
 * @param chromaStride bytes from one row of U to the next
 * @param rowShift 1 if two rows of pixels share one of chrominance, else 0
 */
public record YuvPlanes(long luma, long u, long v, int lumaStep, int chromaStep, int stride, int chromaStride,
        int rowShift) {
    /**
     * The planes of a frame.
     *
     * @throws IllegalArgumentException if its format has no luminance and chrominance
     */
    public static YuvPlanes of(Frame frame) {
        int stride = frame.stride();
        long plane = (long) stride * frame.height();
        return switch (frame.format()) {
            case YUYV -> new YuvPlanes(0, 1, 3, 2, 4, stride, stride, 0);
            case UYVY -> new YuvPlanes(1, 0, 2, 2, 4, stride, stride, 0);
            case NV12 -> new YuvPlanes(0, plane, plane + 1, 1, 2, stride, stride, 1);
            case I420 -> {
                int half = (stride + 1) / 2;
                long chroma = (long) half * ((frame.height() + 1) / 2);
                yield new YuvPlanes(0, plane, plane + chroma, 1, 1, stride, half, 1);
            }
            case BGR, RGB, GREY, MJPEG ->
                throw new IllegalArgumentException(frame.format() + " has no luminance and chrominance");
        };
    }
}
