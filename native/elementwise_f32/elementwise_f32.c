/*
 * Functions of one and of two numbers on strided views. The innermost dimension is cut into pieces; operands of a piece
 * that do not lie together go through a small buffer, so the loops of vector_ops.h do all the arithmetic.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/view.h"
#include "vector_ops/vector_ops.h"

/*
 * SHORT: below this a span's start costs more than gathering a longer one. AHEAD: rows that are asked for in advance,
 * if they have up to ROW floats: to a processor rows that do not touch are no stream that it would follow.
 */
enum { PIECE = 2048, BUFFER = 256, TASK = 16384, SHORT = 16, AHEAD = 4, ROW = 512 };

typedef struct elementwise {
    view_loop loop;
    const shrike_vector_ops *vector_ops;
    const float *a, *b; /* b is null for functions of one number */
    float *dst;
    int32_t kind;
    float alpha, beta;
    int64_t pieces; /* along the innermost dimension */
} elementwise;

/* n floats at a stride as n floats that lie together: themselves, or a copy in the buffer. */
static const float *gather(const float *from, int64_t stride, int64_t n, float *buffer) {
    if (stride == 1) {
        return from;
    }
    for (int64_t i = 0; i < n; i++) {
        buffer[i] = from[i * stride];
    }
    return buffer;
}

static void run_part(const elementwise *e, int64_t n, const float *a, const float *b, float *dst) {
    const int32_t inner = e->loop.rank - 1;
    const int64_t stride = e->loop.strides[0][inner];
    float a_buffer[BUFFER], b_buffer[BUFFER], result[BUFFER];
    float *out = stride == 1 ? dst : result;
    const float *left = gather(a, e->loop.strides[1][inner], n, a_buffer);
    if (b) {
        e->vector_ops->binary(e->kind, n, left, gather(b, e->loop.strides[2][inner], n, b_buffer), out);
    } else {
        e->vector_ops->unary(e->kind, e->alpha, e->beta, n, left, out);
    }
    for (int64_t i = 0; out == result && i < n; i++) {
        dst[i * stride] = result[i];
    }
}

/* Asks for the row that lies AHEAD times the distance of the last two behind this one; it need not be there. */
static inline void prefetch_row(const float *row, int64_t distance, int64_t size) {
    const uintptr_t from = (uintptr_t)row + (uintptr_t)(AHEAD * distance) * sizeof *row;
    for (uintptr_t at = from; at < from + (uintptr_t)size * sizeof *row; at += 64) {
        __builtin_prefetch((const void *)at);
    }
}

static void run_pieces(const void *argument, int64_t begin, int64_t end) {
    const elementwise *e = argument;
    const view_loop *loop = &e->loop;
    const int32_t inner = loop->rank - 1;
    const int64_t size = loop->dims[inner];
    int together =
        loop->strides[0][inner] == 1 && loop->strides[1][inner] == 1 && (!e->b || loop->strides[2][inner] == 1);
    int64_t before[VIEW_OPERANDS] = {0};
    for (int64_t piece = begin; piece < end; piece++) {
        int64_t at[VIEW_OPERANDS] = {0};
        view_loop_offsets(loop, inner, piece / e->pieces, at);
        if (together && size <= ROW) {
            prefetch_row(e->a + at[1], at[1] - before[1], size);
            if (e->b) {
                prefetch_row(e->b + at[2], at[2] - before[2], size);
            }
            memcpy(before, at, sizeof at);
        }
        int64_t first = piece % e->pieces * PIECE;
        int64_t last = first + PIECE < size ? first + PIECE : size;
        for (int64_t i = first, n; i < last; i += n) {
            n = together || last - i < BUFFER ? last - i : BUFFER;
            run_part(e, n, e->a + at[1] + i * loop->strides[1][inner],
                     e->b ? e->b + at[2] + i * loop->strides[2][inner] : NULL,
                     e->dst + at[0] + i * loop->strides[0][inner]);
        }
    }
}

static int32_t run(shrike_context *context, elementwise *e) {
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    view_loop_simplify(&e->loop);
    view_loop_lengthen(&e->loop, SHORT);
    const int32_t inner = e->loop.rank - 1;
    const int64_t size = e->loop.dims[inner];
    e->vector_ops = shrike_vector_ops_of(context);
    e->pieces = (size + PIECE - 1) / PIECE;
    shrike_parallel(context, run_pieces, e, view_loop_count(&e->loop, inner) * e->pieces,
                    shrike_grain(size < PIECE ? size : PIECE, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}

int32_t shrike_unary_f32(shrike_context *context, const shrike_unary_f32_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_VIEW(p, src) || !SHRIKE_CHECK_DESTINATION(p, dst) ||
        p->kind < 0 || p->kind >= SHRIKE_UNARY_COUNT) {
        return SHRIKE_EINVAL;
    }
    elementwise e = {.a = p->src, .dst = p->dst, .kind = p->kind, .alpha = p->alpha, .beta = p->beta};
    view_loop_add(&e.loop, p->rank, p->dims, p->dst_strides);
    view_loop_add(&e.loop, p->rank, p->dims, p->src_strides);
    return run(context, &e);
}

int32_t shrike_binary_f32(shrike_context *context, const shrike_binary_f32_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_VIEW(p, a) || !SHRIKE_CHECK_VIEW(p, b) ||
        !SHRIKE_CHECK_DESTINATION(p, dst) || p->kind < 0 || p->kind >= SHRIKE_BINARY_COUNT) {
        return SHRIKE_EINVAL;
    }
    elementwise e = {.a = p->a, .b = p->b, .dst = p->dst, .kind = p->kind};
    view_loop_add(&e.loop, p->rank, p->dims, p->dst_strides);
    view_loop_add(&e.loop, p->rank, p->dims, p->a_strides);
    view_loop_add(&e.loop, p->rank, p->dims, p->b_strides);
    return run(context, &e);
}
