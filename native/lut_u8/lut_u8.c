/*
 * Copies of codes between strided views, through a table of 256 codes if there is one.
 */
#include <string.h>

#include "core/check.h"
#include "core/cpu.h"
#include "core/view_rows.h"
#include "lut_u8.h"

typedef struct call {
    const shrike_lut_u8_params *params;
    lut_u8_span *span;
} call;

void lut_u8_portable(const uint8_t *table, const uint8_t *src, uint8_t *dst, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        dst[i] = table[src[i]];
    }
}

static lut_u8_span *span_of(const shrike_context *context) {
#if defined(__x86_64__)
    if (shrike_context_has(context, SHRIKE_TIER_AVX512VNNI)) {
        return lut_u8_x86_avx512vnni;
    }
#endif
    (void)context;
    return lut_u8_portable;
}

static void run_row(const void *argument, int64_t count, const int64_t *at, const int64_t *strides) {
    const call *c = argument;
    const shrike_lut_u8_params *p = c->params;
    uint8_t *dst = p->dst + at[0];
    const uint8_t *src = p->src + at[1];
    if (strides[0] == 1 && strides[1] == 1) {
        if (p->table) {
            c->span(p->table, src, dst, count);
        } else {
            memmove(dst, src, (size_t)count);
        }
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        uint8_t code = src[i * strides[1]];
        dst[i * strides[0]] = p->table ? p->table[code] : code;
    }
}

int32_t shrike_lut_u8(shrike_context *context, const shrike_lut_u8_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_VIEW(p, src) || !SHRIKE_CHECK_DESTINATION(p, dst) ||
        (p->table && !SHRIKE_CHECK_ELEMENTS(p, table, 256)) || p->reserved != 0) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    view_loop loop = {0};
    view_loop_add(&loop, p->rank, p->dims, p->dst_strides);
    view_loop_add(&loop, p->rank, p->dims, p->src_strides);
    call c = {p, span_of(context)};
    view_rows_parallel(context, &loop, run_row, &c);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
