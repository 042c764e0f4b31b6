/*
 * The letterbox of YOLOv5 on the GPU: bytes BGR, interleaved, to float32 RGB planes of 0 to 1, grey 114 around the
 * image. One thread a pixel of the input. The resizing is OpenCV's bilinear one in fixed point, from tables of
 * (first, second, weight of the first, weight of the second) with weights of 11 bits; an exactly halved image is the
 * mean of four pixels. The four-fold precision that is cut off, and when, is OpenCV's, so that both give the same bytes.
 */
extern "C" __global__ void letterbox(const unsigned char *src, int src_width, float *dst, int dst_width,
                                     int dst_height, int left, int top, int width, int height, const int *columns,
                                     const int *rows, int mode) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= dst_width || y >= dst_height) {
        return;
    }
    long long plane = (long long)dst_width * dst_height, at = (long long)y * dst_width + x;
    int column = x - left, row = y - top;
    int inside = column >= 0 && column < width && row >= 0 && row < height;
    for (int channel = 0; channel < 3; channel++) {
        int value = 114;
        if (inside) {
            const int *h = columns + 4 * column, *v = rows + 4 * row;
            if (mode == 2) { /* same size */
                value = src[((long long)row * src_width + column) * 3 + channel];
            } else if (mode == 1) { /* half the size */
                const unsigned char *p = src + ((long long)2 * row * src_width + 2 * column) * 3 + channel;
                value = (p[0] + p[3] + p[3 * src_width] + p[3 * src_width + 3] + 2) >> 2;
            } else {
                const unsigned char *upper = src + (long long)v[0] * src_width * 3 + channel;
                const unsigned char *lower = src + (long long)v[1] * src_width * 3 + channel;
                int a = upper[3 * h[0]] * h[2] + upper[3 * h[1]] * h[3];
                int b = lower[3 * h[0]] * h[2] + lower[3 * h[1]] * h[3];
                value = ((((a >> 4) * v[2]) >> 16) + (((b >> 4) * v[3]) >> 16) + 2) >> 2;
            }
        }
        dst[(2 - channel) * plane + at] = (float)value * (1.0f / 255.0f);
    }
}
