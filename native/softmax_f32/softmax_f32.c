/*
 * Softmax along one axis. Where elements of different rows lie together (the axis is not the innermost dimension), up
 * to 64 rows go side by side; a row whose own elements lie apart is taken one by one.
 */
#include <stddef.h>

#include "core/check.h"
#include "core/view.h"
#include "vector_ops/vector_ops.h"

enum { WIDTH = 64, PIECE = 256, TASK = 8192 };

typedef struct softmax {
    view_loop loop; /* the dimensions beside the axis */
    const shrike_vector_ops *vector_ops;
    const float *src;
    float *dst;
    int64_t length, src_stride, dst_stride; /* the axis */
    int64_t blocks; /* groups of WIDTH rows along the innermost dimension; 0: row by row */
} softmax;

static void run_columns(const softmax *s, const float *src, float *dst, int64_t width) {
    const shrike_vector_ops *vector_ops = s->vector_ops;
    float highest[WIDTH], sum[WIDTH], reciprocal[WIDTH];
    for (int64_t i = 0; i < width; i++) {
        highest[i] = src[i];
        sum[i] = 0;
    }
    for (int64_t k = 1; k < s->length; k++) {
        vector_ops->binary(SHRIKE_BINARY_MAX, width, highest, src + k * s->src_stride, highest);
    }
    for (int64_t k = 0; k < s->length; k++) {
        float *out = dst + k * s->dst_stride;
        vector_ops->binary(SHRIKE_BINARY_SUB, width, src + k * s->src_stride, highest, out);
        vector_ops->unary(SHRIKE_UNARY_EXP, 0, 0, width, out, out);
        vector_ops->binary(SHRIKE_BINARY_ADD, width, sum, out, sum);
    }
    vector_ops->unary(SHRIKE_UNARY_RECIPROCAL, 0, 0, width, sum, reciprocal);
    for (int64_t k = 0; k < s->length; k++) {
        float *out = dst + k * s->dst_stride;
        vector_ops->binary(SHRIKE_BINARY_MUL, width, out, reciprocal, out);
    }
}

static void run_row(const softmax *s, const float *src, float *dst) {
    float highest = src[0];
    for (int64_t k = 1; k < s->length; k++) {
        float x = src[k * s->src_stride];
        highest = x > highest || x != x ? x : highest;
    }
    double sum = 0;
    for (int64_t first = 0; first < s->length; first += PIECE) {
        int64_t n = s->length - first < PIECE ? s->length - first : PIECE;
        float piece[PIECE];
        for (int64_t i = 0; i < n; i++) {
            piece[i] = src[(first + i) * s->src_stride] - highest;
        }
        s->vector_ops->unary(SHRIKE_UNARY_EXP, 0, 0, n, piece, piece);
        for (int64_t i = 0; i < n; i++) {
            sum += piece[i];
            dst[(first + i) * s->dst_stride] = piece[i];
        }
    }
    float reciprocal = (float)(1 / sum);
    for (int64_t k = 0; k < s->length; k++) {
        dst[k * s->dst_stride] *= reciprocal;
    }
}

static void run_items(const void *argument, int64_t begin, int64_t end) {
    const softmax *s = argument;
    const int32_t inner = s->loop.rank - 1;
    for (int64_t item = begin; item < end; item++) {
        int64_t at[VIEW_OPERANDS];
        if (s->blocks == 0) {
            view_loop_offsets(&s->loop, s->loop.rank, item, at);
            run_row(s, s->src + at[1], s->dst + at[0]);
            continue;
        }
        view_loop_offsets(&s->loop, inner, item / s->blocks, at);
        int64_t first = item % s->blocks * WIDTH;
        int64_t left = s->loop.dims[inner] - first;
        run_columns(s, s->src + at[1] + first, s->dst + at[0] + first, left < WIDTH ? left : WIDTH);
    }
}

int32_t shrike_softmax_f32(shrike_context *context, const shrike_softmax_f32_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_VIEW(p, src) || !SHRIKE_CHECK_DESTINATION(p, dst) ||
        p->axis < 0 || p->axis >= p->rank) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    softmax s = {.vector_ops = shrike_vector_ops_of(context), .src = p->src, .dst = p->dst};
    s.length = p->dims[p->axis];
    s.src_stride = p->src_strides[p->axis];
    s.dst_stride = p->dst_strides[p->axis];
    view_loop_add(&s.loop, p->rank, p->dims, p->dst_strides);
    view_loop_add(&s.loop, p->rank, p->dims, p->src_strides);
    view_loop_remove(&s.loop, p->axis);
    view_loop_simplify(&s.loop);
    const int32_t inner = s.loop.rank - 1;
    int64_t items = view_loop_count(&s.loop, s.loop.rank);
    int64_t work = s.length;
    if (s.loop.strides[0][inner] == 1 && s.loop.strides[1][inner] == 1 && s.loop.dims[inner] > 1) {
        s.blocks = (s.loop.dims[inner] + WIDTH - 1) / WIDTH;
        items = view_loop_count(&s.loop, inner) * s.blocks;
        work *= WIDTH;
    }
    shrike_parallel(context, run_items, &s, items, shrike_grain(work, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}
