/*
 * Maximum and average pooling. For each output pixel the addresses of its taps inside the image are listed, then one
 * loop over the channels takes them all; windows of more taps than the list holds are taken in several goes.
 */
#include <float.h>
#include <stddef.h>

#include "core/check.h"
#include "vector_ops/vector_ops.h"

enum { MAX_TAPS = 64, TASK = 65536 };

typedef struct pool {
    const shrike_pool2d_f32_params *p;
    const shrike_vector_ops *vector_ops;
    int average;
} pool;

/* What of a window of `taps` taps, from `first` on in steps of `step`, lies in 0..size-1: taps begin..end-1. */
typedef struct range {
    int64_t begin, end;
} range;

static range inside(int64_t first, int64_t step, int64_t taps, int64_t size) {
    range r;
    r.begin = first < 0 ? (-first + step - 1) / step : 0;
    r.end = first >= size ? 0 : (size - first + step - 1) / step;
    r.end = r.end < taps ? r.end : taps;
    r.begin = r.begin < r.end ? r.begin : r.end;
    return r;
}

/* Taps that the average divides by. */
static int64_t divisor(const shrike_pool2d_f32_params *p, int64_t top, int64_t left, range rows, range columns) {
    if (p->count_include_pad) {
        rows = inside(top + p->pad_top, p->dilation_height, p->kernel_height,
                      (int64_t)p->pad_top + p->height + p->pad_bottom);
        columns = inside(left + p->pad_left, p->dilation_width, p->kernel_width,
                         (int64_t)p->pad_left + p->width + p->pad_right);
    }
    return (rows.end - rows.begin) * (columns.end - columns.begin);
}

static void flush(const pool *pool, const float **taps, const float *weights, int64_t count, int extend, float *dst) {
    if (pool->average) {
        pool->vector_ops->weighted_sum(pool->p->channels, taps, weights, count, extend, dst);
    } else {
        pool->vector_ops->maximum(pool->p->channels, taps, count, extend, dst);
    }
}

static void run_pixel(const pool *pool, const float *image, int64_t y, int64_t x, float *dst) {
    const shrike_pool2d_f32_params *p = pool->p;
    const int64_t top = y * p->stride_height - p->pad_top, left = x * p->stride_width - p->pad_left;
    const range rows = inside(top, p->dilation_height, p->kernel_height, p->height);
    const range columns = inside(left, p->dilation_width, p->kernel_width, p->width);
    const float *taps[MAX_TAPS];
    float weights[MAX_TAPS];
    if (pool->average) {
        int64_t divide = divisor(p, top, left, rows, columns);
        for (int i = 0; i < MAX_TAPS; i++) {
            weights[i] = divide > 0 ? 1.0f / (float)divide : 0;
        }
    }
    int64_t count = 0;
    int extend = 0;
    for (int64_t ky = rows.begin; ky < rows.end; ky++) {
        const float *row = image + (top + ky * p->dilation_height) * p->src_row_stride;
        for (int64_t kx = columns.begin; kx < columns.end; kx++) {
            if (count == MAX_TAPS) {
                flush(pool, taps, weights, count, extend, dst);
                count = 0;
                extend = 1;
            }
            taps[count++] = row + (left + kx * p->dilation_width) * p->src_pixel_stride;
        }
    }
    flush(pool, taps, weights, count, extend, dst);
}

static void run_rows(const void *argument, int64_t begin, int64_t end) {
    const pool *pool = argument;
    const shrike_pool2d_f32_params *p = pool->p;
    for (int64_t row = begin; row < end; row++) {
        int64_t n = row / p->out_height, y = row % p->out_height;
        float *dst = p->dst + n * p->dst_batch_stride + y * p->dst_row_stride;
        for (int64_t x = 0; x < p->out_width; x++) {
            run_pixel(pool, p->src + n * p->src_batch_stride, y, x, dst + x * p->dst_pixel_stride);
        }
    }
}

static int validate(const shrike_pool2d_f32_params *p) {
    return SHRIKE_CHECK_IMAGE(p, src, p->height, p->width, p->channels) &&
           SHRIKE_CHECK_TARGET(p, dst, p->out_height, p->out_width, p->channels) && SHRIKE_CHECK_WINDOW(p) &&
           p->pad_bottom >= 0 && p->pad_bottom <= SHRIKE_MAX_SIZE && p->pad_right >= 0 &&
           p->pad_right <= SHRIKE_MAX_SIZE && (p->count_include_pad == 0 || p->count_include_pad == 1) &&
           p->reserved == 0;
}

static int32_t run(shrike_context *context, const shrike_pool2d_f32_params *p, int average) {
    if (!p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    pool pool = {.p = p, .vector_ops = shrike_vector_ops_of(context), .average = average};
    int64_t work = (int64_t)p->out_width * p->channels * p->kernel_height;
    shrike_parallel(context, run_rows, &pool, (int64_t)p->batch * p->out_height, shrike_grain(work, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}

int32_t shrike_maxpool2d_f32(shrike_context *context, const shrike_pool2d_f32_params *p) {
    return run(context, p, 0);
}

int32_t shrike_avgpool2d_f32(shrike_context *context, const shrike_pool2d_f32_params *p) {
    return run(context, p, 1);
}
