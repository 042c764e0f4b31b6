/*
 * Maximum pooling of codes: for each output pixel the taps inside the image, the channels of a tap in one loop that the
 * compiler turns into vectors.
 */
#include <string.h>

#include "core/check.h"
#include "core/context.h"

enum { TASK = 65536 };

typedef struct pool {
    const shrike_pool2d_u8_params *p;
} pool;

/* The taps begin..end-1 of a window, from `first` on in steps of `step`, that lie in 0..size-1. */
typedef struct range {
    int64_t begin, end;
} range;

static range inside(int64_t first, int64_t step, int64_t taps, int64_t size) {
    range r;
    r.begin = first < 0 ? (-first + step - 1) / step : 0;
    r.end = first >= size ? 0 : (size - first + step - 1) / step;
    r.end = r.end < taps ? r.end : taps;
    return r;
}

static void extend(uint8_t *restrict most, const uint8_t *restrict tap, int64_t channels) {
    for (int64_t c = 0; c < channels; c++) {
        most[c] = most[c] > tap[c] ? most[c] : tap[c];
    }
}

static void run_pixel(const shrike_pool2d_u8_params *p, const uint8_t *image, int64_t y, int64_t x, uint8_t *dst) {
    const int64_t top = y * p->stride_height - p->pad_top, left = x * p->stride_width - p->pad_left;
    const range rows = inside(top, p->dilation_height, p->kernel_height, p->height);
    const range columns = inside(left, p->dilation_width, p->kernel_width, p->width);
    memset(dst, 0, (size_t)p->channels);
    for (int64_t ky = rows.begin; ky < rows.end; ky++) {
        const uint8_t *row = image + (top + ky * p->dilation_height) * p->src_row_stride;
        for (int64_t kx = columns.begin; kx < columns.end; kx++) {
            extend(dst, row + (left + kx * p->dilation_width) * p->src_pixel_stride, p->channels);
        }
    }
}

static void run_rows(const void *argument, int64_t begin, int64_t end) {
    const shrike_pool2d_u8_params *p = ((const pool *)argument)->p;
    for (int64_t row = begin; row < end; row++) {
        int64_t n = row / p->out_height, y = row % p->out_height;
        uint8_t *dst = p->dst + n * p->dst_batch_stride + y * p->dst_row_stride;
        for (int64_t x = 0; x < p->out_width; x++) {
            run_pixel(p, p->src + n * p->src_batch_stride, y, x, dst + x * p->dst_pixel_stride);
        }
    }
}

static int validate(const shrike_pool2d_u8_params *p) {
    return SHRIKE_CHECK_IMAGE(p, src, p->height, p->width, p->channels) &&
           SHRIKE_CHECK_TARGET(p, dst, p->out_height, p->out_width, p->channels) && SHRIKE_CHECK_WINDOW(p);
}

int32_t shrike_maxpool2d_u8(shrike_context *context, const shrike_pool2d_u8_params *p) {
    if (!p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    pool pool = {p};
    int64_t work = (int64_t)p->out_width * p->channels * p->kernel_height;
    shrike_parallel(context, run_rows, &pool, (int64_t)p->batch * p->out_height, shrike_grain(work, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}
