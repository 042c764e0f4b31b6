/*
 * Reductions over any set of dimensions. Results are accumulated in double, each in the order of the source's
 * dimensions, up to 64 neighbouring results side by side.
 */
#include <math.h>
#include <stddef.h>

#include "core/check.h"
#include "core/context.h"
#include "core/view.h"

enum { WIDTH = 64, TASK = 32768 };

typedef struct reduce {
    view_loop kept; /* destination and source over the dimensions that stay */
    view_loop reduced; /* the source over those that go */
    const float *src;
    float *dst;
    int32_t kind;
    int64_t count; /* elements a result */
    int64_t blocks; /* groups of WIDTH results along kept's innermost dimension */
} reduce;

/* NaN wins over every number. */
static inline double combine(int32_t kind, double sum, float x) {
    switch (kind) {
    case SHRIKE_REDUCE_MAX:
        return x > sum || x != x ? x : sum;
    case SHRIKE_REDUCE_MIN:
        return x < sum || x != x ? x : sum;
    case SHRIKE_REDUCE_PROD:
        return sum * x;
    default:
        return sum + x;
    }
}

static double neutral(int32_t kind) {
    return kind == SHRIKE_REDUCE_MAX ? -INFINITY : kind == SHRIKE_REDUCE_MIN ? INFINITY : kind == SHRIKE_REDUCE_PROD;
}

static inline __attribute__((always_inline)) void accumulate(const int32_t kind, double *sums, const float *src,
                                                             int64_t stride, int64_t width) {
    for (int64_t i = 0; i < width; i++) {
        sums[i] = combine(kind, sums[i], src[i * stride]);
    }
}

static void run_block(const reduce *r, const float *src, float *dst, int64_t width) {
    const int32_t inner = r->kept.rank - 1;
    const int64_t src_stride = r->kept.strides[1][inner], dst_stride = r->kept.strides[0][inner];
    const int32_t last = r->reduced.rank - 1;
    double sums[WIDTH];
    for (int64_t i = 0; i < width; i++) {
        sums[i] = neutral(r->kind);
    }
    for (int64_t outer = 0; outer < view_loop_count(&r->reduced, last); outer++) {
        int64_t at[VIEW_OPERANDS];
        view_loop_offsets(&r->reduced, last, outer, at);
        for (int64_t k = 0; k < r->reduced.dims[last]; k++) {
            const float *from = src + at[0] + k * r->reduced.strides[0][last];
            switch (r->kind) {
            case SHRIKE_REDUCE_MAX:
                accumulate(SHRIKE_REDUCE_MAX, sums, from, src_stride, width);
                break;
            case SHRIKE_REDUCE_MIN:
                accumulate(SHRIKE_REDUCE_MIN, sums, from, src_stride, width);
                break;
            case SHRIKE_REDUCE_PROD:
                accumulate(SHRIKE_REDUCE_PROD, sums, from, src_stride, width);
                break;
            default:
                accumulate(SHRIKE_REDUCE_SUM, sums, from, src_stride, width);
                break;
            }
        }
    }
    for (int64_t i = 0; i < width; i++) {
        dst[i * dst_stride] = (float)(r->kind == SHRIKE_REDUCE_MEAN ? sums[i] / (double)r->count : sums[i]);
    }
}

static void run_blocks(const void *argument, int64_t begin, int64_t end) {
    const reduce *r = argument;
    const int32_t inner = r->kept.rank - 1;
    for (int64_t item = begin; item < end; item++) {
        int64_t at[VIEW_OPERANDS];
        view_loop_offsets(&r->kept, inner, item / r->blocks, at);
        int64_t first = item % r->blocks * WIDTH;
        int64_t left = r->kept.dims[inner] - first;
        run_block(r, r->src + at[1] + first * r->kept.strides[1][inner],
                  r->dst + at[0] + first * r->kept.strides[0][inner], left < WIDTH ? left : WIDTH);
    }
}

/* The strides of a destination, 0 along the reduced dimensions, where the caller may leave anything. */
static void destination_strides(const shrike_reduce_f32_params *p, int64_t *dims, int64_t *strides) {
    for (int32_t i = 0; i < p->rank; i++) {
        int gone = p->axis_mask >> i & 1;
        dims[i] = gone ? 1 : p->dims[i];
        strides[i] = gone ? 0 : p->dst_strides[i];
    }
}

int32_t shrike_reduce_f32(shrike_context *context, const shrike_reduce_f32_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_VIEW(p, src) || p->kind < 0 ||
        p->kind >= SHRIKE_REDUCE_COUNT || p->axis_mask >> p->rank != 0 || p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    int64_t dims[SHRIKE_MAX_RANK], strides[SHRIKE_MAX_RANK];
    destination_strides(p, dims, strides);
    if (!shrike_check_destination(p->dst, p->dst_bounds, (int64_t)sizeof *p->dst, p->rank, dims, strides)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    reduce r = {.src = p->src, .dst = p->dst, .kind = p->kind};
    view_loop_add(&r.kept, p->rank, dims, strides);
    view_loop_add(&r.kept, p->rank, dims, p->src_strides);
    view_loop_add(&r.reduced, p->rank, p->dims, p->src_strides);
    for (int32_t d = p->rank - 1; d >= 0; d--) {
        if (!(p->axis_mask >> d & 1)) {
            view_loop_remove(&r.reduced, d);
        }
    }
    view_loop_simplify(&r.kept);
    view_loop_simplify(&r.reduced);
    r.count = view_loop_count(&r.reduced, r.reduced.rank);
    const int32_t inner = r.kept.rank - 1;
    r.blocks = (r.kept.dims[inner] + WIDTH - 1) / WIDTH;
    int64_t width = r.kept.dims[inner] < WIDTH ? r.kept.dims[inner] : WIDTH;
    shrike_parallel(context, run_blocks, &r, view_loop_count(&r.kept, inner) * r.blocks,
                    shrike_grain(r.count * width, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}
