/*
 * Resize of the two spatial axes as ONNX Resize defines it (opset 11 and later), without antialiasing.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "axis.h"
#include "core/check.h"
#include "vector_ops/vector_ops.h"

enum { TASK = 65536 };

typedef struct resize {
    const shrike_resize2d_f32_params *p;
    const shrike_vector_ops *vector_ops;
    axis rows, columns;
} resize;

static void run_nearest_row(const resize *r, const float *image, int64_t y, float *dst) {
    const shrike_resize2d_f32_params *p = r->p;
    const float *row = image + resize_nearest(&r->rows, p->nearest, y) * p->src_row_stride;
    for (int64_t x = 0; x < p->out_width; x++) {
        memcpy(dst + x * p->dst_pixel_stride, row + resize_nearest(&r->columns, p->nearest, x) * p->src_pixel_stride,
               (size_t)p->channels * sizeof *dst);
    }
}

/* The two neighbours of an input coordinate, clamped to the image, and the second one's weight. */
static float neighbours(const axis *a, int64_t out, int64_t *low, int64_t *high) {
    float at = resize_source_coordinate(a, out);
    at = at <= 0 ? 0 : at >= (float)(a->size - 1) ? (float)(a->size - 1) : at;
    *low = resize_clamp(floorf(at), a->size);
    *high = *low + 1 < a->size ? *low + 1 : *low;
    return at - (float)*low;
}

static void run_linear_row(const resize *r, const float *image, int64_t y, float *dst) {
    const shrike_resize2d_f32_params *p = r->p;
    int64_t top, bottom, left, right;
    float down = neighbours(&r->rows, y, &top, &bottom);
    const float *upper = image + top * p->src_row_stride, *lower = image + bottom * p->src_row_stride;
    for (int64_t x = 0; x < p->out_width; x++) {
        float along = neighbours(&r->columns, x, &left, &right);
        const float *taps[4] = {upper + left * p->src_pixel_stride, upper + right * p->src_pixel_stride,
                                lower + left * p->src_pixel_stride, lower + right * p->src_pixel_stride};
        const float weights[4] = {(1 - down) * (1 - along), (1 - down) * along, down * (1 - along), down * along};
        r->vector_ops->weighted_sum(p->channels, taps, weights, 4, 0, dst + x * p->dst_pixel_stride);
    }
}

static void run_rows(const void *argument, int64_t begin, int64_t end) {
    const resize *r = argument;
    const shrike_resize2d_f32_params *p = r->p;
    for (int64_t row = begin; row < end; row++) {
        int64_t n = row / p->out_height, y = row % p->out_height;
        const float *image = p->src + n * p->src_batch_stride;
        float *dst = p->dst + n * p->dst_batch_stride + y * p->dst_row_stride;
        if (p->mode == SHRIKE_RESIZE_LINEAR) {
            run_linear_row(r, image, y, dst);
        } else {
            run_nearest_row(r, image, y, dst);
        }
    }
}

static int validate(const shrike_resize2d_f32_params *p) {
    return SHRIKE_CHECK_IMAGE(p, src, p->height, p->width, p->channels) &&
           SHRIKE_CHECK_TARGET(p, dst, p->out_height, p->out_width, p->channels) && p->mode >= 0 &&
           p->mode < SHRIKE_RESIZE_MODE_COUNT && p->coordinates >= 0 && p->coordinates < SHRIKE_COORDINATES_COUNT &&
           p->nearest >= 0 && p->nearest < SHRIKE_NEAREST_COUNT && p->scale_height >= 0 && p->scale_width >= 0 &&
           p->scale_height < INFINITY && p->scale_width < INFINITY && p->reserved == 0;
}

int32_t shrike_resize2d_f32(shrike_context *context, const shrike_resize2d_f32_params *p) {
    if (!p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    resize r = {.p = p, .vector_ops = shrike_vector_ops_of(context)};
    r.rows = resize_axis(p->height, p->out_height, p->scale_height, p->coordinates);
    r.columns = resize_axis(p->width, p->out_width, p->scale_width, p->coordinates);
    int64_t work = (int64_t)p->out_width * p->channels;
    shrike_parallel(context, run_rows, &r, (int64_t)p->batch * p->out_height, shrike_grain(work, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}
