/*
 * The sum of two tensors of codes, each with its own scale, as codes.
 */
#include "core/check.h"
#include "core/view_rows.h"
#include "quantized/rounding.h"

static uint8_t add(const shrike_add_u8_params *p, uint8_t a, uint8_t b) {
    float x = (float)a * p->scale_a, y = (float)b * p->scale_b;
    return (uint8_t)round_to_code((x + y) + p->offset, (float)p->low, (float)p->high);
}

/* The usual case by itself, so that the compiler turns it into vectors. */
static void run_dense(const shrike_add_u8_params *p, int64_t count, const uint8_t *a, const uint8_t *b, uint8_t *dst) {
    const shrike_add_u8_params values = *p;
    for (int64_t i = 0; i < count; i++) {
        dst[i] = add(&values, a[i], b[i]);
    }
}

static void run_row(const void *argument, int64_t count, const int64_t *at, const int64_t *strides) {
    const shrike_add_u8_params *p = argument;
    uint8_t *dst = p->dst + at[0];
    const uint8_t *a = p->a + at[1], *b = p->b + at[2];
    if (strides[0] == 1 && strides[1] == 1 && strides[2] == 1) {
        run_dense(p, count, a, b, dst);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        dst[i * strides[0]] = add(p, a[i * strides[1]], b[i * strides[2]]);
    }
}

int32_t shrike_add_u8(shrike_context *context, const shrike_add_u8_params *p) {
    if (!p || !shrike_check_dims(p->rank, p->dims) || !SHRIKE_CHECK_VIEW(p, a) || !SHRIKE_CHECK_VIEW(p, b) ||
        !SHRIKE_CHECK_DESTINATION(p, dst) || p->low < 0 || p->low > p->high || p->high > 255) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    view_loop loop = {0};
    view_loop_add(&loop, p->rank, p->dims, p->dst_strides);
    view_loop_add(&loop, p->rank, p->dims, p->a_strides);
    view_loop_add(&loop, p->rank, p->dims, p->b_strides);
    view_rows_parallel(context, &loop, run_row, p);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
