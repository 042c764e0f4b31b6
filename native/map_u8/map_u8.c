/*
 * Copies of codes between strided views, through a table of 256 codes if there is one.
 */
#include <string.h>

#include "core/check.h"
#include "core/view_rows.h"

static void run_row(const void *argument, int64_t count, const int64_t *at, const int64_t *strides) {
    const shrike_map_u8_params *p = argument;
    uint8_t *dst = p->dst + at[0];
    const uint8_t *src = p->src + at[1];
    if (!p->table && strides[0] == 1 && strides[1] == 1) {
        memmove(dst, src, (size_t)count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        uint8_t code = src[i * strides[1]];
        dst[i * strides[0]] = p->table ? p->table[code] : code;
    }
}

int32_t shrike_map_u8(shrike_context *context, const shrike_map_u8_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !shrike_check_view(p->src, p->rank, p->dims, p->src_strides) ||
        !shrike_check_destination(p->dst, p->rank, p->dims, p->dst_strides) || p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    view_loop loop = {0};
    view_loop_add(&loop, p->rank, p->dims, p->dst_strides);
    view_loop_add(&loop, p->rank, p->dims, p->src_strides);
    view_rows_parallel(context, &loop, run_row, p);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
