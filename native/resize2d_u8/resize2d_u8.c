/*
 * Nearest-neighbour resize of codes: pixels are moved whole.
 */
#include <string.h>

#include "core/check.h"
#include "core/context.h"
#include "resize2d_f32/axis.h"

enum { TASK = 65536 };

typedef struct resize {
    const shrike_resize2d_u8_params *p;
    axis rows, columns;
} resize;

static void run_rows(const void *argument, int64_t begin, int64_t end) {
    const resize *r = argument;
    const shrike_resize2d_u8_params *p = r->p;
    for (int64_t index = begin; index < end; index++) {
        int64_t n = index / p->out_height, y = index % p->out_height;
        uint8_t *dst = p->dst + n * p->dst_batch_stride + y * p->dst_row_stride;
        const uint8_t *row =
            p->src + n * p->src_batch_stride + resize_nearest(&r->rows, p->nearest, y) * p->src_row_stride;
        for (int64_t x = 0; x < p->out_width; x++) {
            memcpy(dst + x * p->dst_pixel_stride,
                   row + resize_nearest(&r->columns, p->nearest, x) * p->src_pixel_stride, (size_t)p->channels);
        }
    }
}

static int validate(const shrike_resize2d_u8_params *p) {
    return SHRIKE_CHECK_IMAGE(p, src, p->height, p->width, p->channels) &&
           SHRIKE_CHECK_TARGET(p, dst, p->out_height, p->out_width, p->channels) && p->coordinates >= 0 &&
           p->coordinates < SHRIKE_COORDINATES_COUNT && p->nearest >= 0 && p->nearest < SHRIKE_NEAREST_COUNT &&
           p->scale_height >= 0 && p->scale_width >= 0 && p->scale_height < INFINITY && p->scale_width < INFINITY;
}

int32_t shrike_resize2d_u8(shrike_context *context, const shrike_resize2d_u8_params *p) {
    if (!p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    resize r = {.p = p};
    r.rows = resize_axis(p->height, p->out_height, p->scale_height, p->coordinates);
    r.columns = resize_axis(p->width, p->out_width, p->scale_width, p->coordinates);
    int64_t work = (int64_t)p->out_width * p->channels;
    shrike_parallel(context, run_rows, &r, (int64_t)p->batch * p->out_height, shrike_grain(work, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}
