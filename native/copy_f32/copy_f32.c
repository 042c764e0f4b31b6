/*
 * Copies and fills of strided views. Rows that lie together are moved whole; where another dimension of the source does
 * (a transposition), the two are walked in square tiles so that each cache line is fetched once.
 */
#include <stddef.h>
#include <string.h>

#include "core/check.h"
#include "core/context.h"
#include "core/view.h"

enum { TILE = 32, PIECE = 8192, TASK = 32768 };

typedef struct copy {
    view_loop loop; /* the dimensions outside `across` and `along` */
    const uint32_t *src;
    uint32_t *dst;
    uint32_t value; /* for fills, where src is null */
    /* The two inner dimensions: `along` the destination's innermost, `across` the source's innermost. */
    int64_t along, along_dst, along_src;
    int64_t across, across_dst, across_src;
    int64_t tile_along, tile_across;
    int64_t tiles_along, tiles_across;
} copy;

static void copy_tile(const copy *c, const uint32_t *src, uint32_t *dst, int64_t across, int64_t along) {
    for (int64_t j = 0; j < across; j++) {
        uint32_t *to = dst + j * c->across_dst;
        const uint32_t *from = src + j * c->across_src;
        if (c->along_dst == 1 && c->along_src == 1) {
            memcpy(to, from, (size_t)along * sizeof *to);
            continue;
        }
        for (int64_t i = 0; i < along; i++) {
            to[i * c->along_dst] = from[i * c->along_src];
        }
    }
}

static void fill_tile(const copy *c, uint32_t *dst, int64_t across, int64_t along) {
    for (int64_t j = 0; j < across; j++) {
        uint32_t *to = dst + j * c->across_dst;
        for (int64_t i = 0; i < along; i++) {
            to[i * c->along_dst] = c->value;
        }
    }
}

static void run_tiles(const void *argument, int64_t begin, int64_t end) {
    const copy *c = argument;
    for (int64_t index = begin; index < end; index++) {
        int64_t i = index % c->tiles_along * c->tile_along;
        int64_t j = index / c->tiles_along % c->tiles_across * c->tile_across;
        int64_t at[VIEW_OPERANDS];
        view_loop_offsets(&c->loop, c->loop.rank, index / c->tiles_along / c->tiles_across, at);
        int64_t along = c->along - i < c->tile_along ? c->along - i : c->tile_along;
        int64_t across = c->across - j < c->tile_across ? c->across - j : c->tile_across;
        uint32_t *dst = c->dst + at[0] + i * c->along_dst + j * c->across_dst;
        if (c->src) {
            copy_tile(c, c->src + at[1] + i * c->along_src + j * c->across_src, dst, across, along);
        } else {
            fill_tile(c, dst, across, along);
        }
    }
}

static int64_t magnitude(int64_t value) {
    return value < 0 ? -value : value;
}

/* The dimension, other than the innermost, along which the source's neighbours are nearest; the next one if none is. */
static int32_t find_across(const view_loop *loop) {
    int32_t best = loop->rank - 2;
    for (int32_t d = best; d >= 0; d--) {
        if (loop->strides[1][d] != 0 && magnitude(loop->strides[1][d]) < magnitude(loop->strides[1][best])) {
            best = d;
        }
    }
    return best;
}

static int32_t run(shrike_context *context, copy *c) {
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    view_loop *loop = &c->loop;
    view_loop_simplify(loop);
    int32_t inner = loop->rank - 1;
    c->along = loop->dims[inner];
    c->along_dst = loop->strides[0][inner];
    c->along_src = c->src ? loop->strides[1][inner] : 0;
    int transposes = c->src && loop->rank > 1 && magnitude(c->along_src) > 1;
    int32_t other = transposes ? find_across(loop) : inner - 1;
    c->across = 1;
    if (other >= 0) {
        c->across = loop->dims[other];
        c->across_dst = loop->strides[0][other];
        c->across_src = c->src ? loop->strides[1][other] : 0;
    }
    view_loop_remove(loop, inner);
    if (other >= 0) {
        view_loop_remove(loop, other);
    }
    /* A square tile for transpositions, with what a short side leaves given to the other; else long rows. */
    int64_t area = transposes ? TILE * TILE : PIECE;
    int64_t widest = transposes && c->across >= TILE ? TILE : PIECE;
    c->tile_along = c->along < widest ? c->along : widest;
    c->tile_across = area / c->tile_along > 0 ? area / c->tile_along : 1;
    c->tiles_along = (c->along + c->tile_along - 1) / c->tile_along;
    c->tiles_across = (c->across + c->tile_across - 1) / c->tile_across;
    shrike_parallel(context, run_tiles, c, view_loop_count(loop, loop->rank) * c->tiles_along * c->tiles_across,
                    shrike_grain(area, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}

int32_t shrike_copy_f32(shrike_context *context, const shrike_copy_f32_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_VIEW(p, src) || !SHRIKE_CHECK_DESTINATION(p, dst) ||
        p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    copy c = {.src = (const uint32_t *)p->src, .dst = (uint32_t *)p->dst};
    view_loop_add(&c.loop, p->rank, p->dims, p->dst_strides);
    view_loop_add(&c.loop, p->rank, p->dims, p->src_strides);
    return run(context, &c);
}

int32_t shrike_fill_f32(shrike_context *context, const shrike_fill_f32_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_DESTINATION(p, dst)) {
        return SHRIKE_EINVAL;
    }
    copy c = {.dst = (uint32_t *)p->dst};
    memcpy(&c.value, &p->value, sizeof c.value);
    view_loop_add(&c.loop, p->rank, p->dims, p->dst_strides);
    return run(context, &c);
}
