/*
 * The letterbox on the GPU: a frame as the camera gave it to float32 planes, filled around the image. One thread a
 * pixel of the input. Bytes become BGR by ITU-R BT.601 in limited range with 20 bits; the resizing is OpenCV's bilinear
 * one in fixed point, from tables of (first, second, weight of the first, weight of the second) with weights of 11
 * bits; an exactly halved image is the mean of four pixels. The four-fold precision that is cut off, and when, is
 * OpenCV's, so that both give the same bytes.
 */
struct samples {
    const unsigned char *src;
    int kind; /* 0: BGR, 1: RGB, 2: grey, 3: luminance and chrominance */
    int luma, u, v; /* offsets of the first of each */
    int luma_step, chroma_step, stride, chroma_stride, row_shift;
};

static __device__ int clamp_level(int level) {
    return level < 0 ? 0 : level > 255 ? 255 : level;
}

/* Blue, green and red of a pixel of the frame. */
static __device__ void read_pixel(const samples *s, int x, int y, int *bgr) {
    const unsigned char *at = s->src + s->luma + (long long)y * s->stride + (long long)x * s->luma_step;
    if (s->kind == 3) {
        long long half = (long long)(y >> s->row_shift) * s->chroma_stride + (long long)(x >> 1) * s->chroma_step;
        int luma = at[0] - 16, u = s->src[s->u + half] - 128, v = s->src[s->v + half] - 128;
        luma = (luma < 0 ? 0 : luma) * 1220542 + (1 << 19);
        bgr[0] = clamp_level((luma + 2116026 * u) >> 20);
        bgr[1] = clamp_level((luma - 409993 * u - 852492 * v) >> 20);
        bgr[2] = clamp_level((luma + 1673527 * v) >> 20);
        return;
    }
    for (int channel = 0; channel < 3; channel++) {
        bgr[channel] = at[s->kind == 2 ? 0 : s->kind == 1 ? 2 - channel : channel];
    }
}

extern "C" __global__ void letterbox(const unsigned char *src, int kind, int luma, int u, int v, int luma_step,
                                     int chroma_step, int stride, int chroma_stride, int row_shift, float *dst,
                                     int dst_width, int dst_height, int left, int top, int width, int height,
                                     const int *columns, const int *rows, int mode, int red_first, float scale,
                                     float fill) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= dst_width || y >= dst_height) {
        return;
    }
    samples s = {src, kind, luma, u, v, luma_step, chroma_step, stride, chroma_stride, row_shift};
    long long plane = (long long)dst_width * dst_height, at = (long long)y * dst_width + x;
    int column = x - left, row = y - top;
    int inside = column >= 0 && column < width && row >= 0 && row < height;
    const int *h = columns + 4 * column, *r = rows + 4 * row;
    int a[3], b[3], c[3], d[3];
    if (inside) {
        read_pixel(&s, h[0], r[0], a);
        if (mode != 2) { /* not of the same size */
            read_pixel(&s, h[1], r[0], b);
            read_pixel(&s, h[0], r[1], c);
            read_pixel(&s, h[1], r[1], d);
        }
    }
    for (int channel = 0; channel < 3; channel++) {
        float value = fill;
        if (inside) {
            int level = a[channel];
            if (mode == 1) { /* half the size */
                level = (a[channel] + b[channel] + c[channel] + d[channel] + 2) >> 2;
            } else if (mode == 0) {
                int upper = a[channel] * h[2] + b[channel] * h[3], lower = c[channel] * h[2] + d[channel] * h[3];
                level = ((((upper >> 4) * r[2]) >> 16) + (((lower >> 4) * r[3]) >> 16) + 2) >> 2;
            }
            value = (float)level * scale;
        }
        dst[(red_first ? 2 - channel : channel) * plane + at] = value;
    }
}
