/*
 * Reductions of random views over random sets of dimensions against double.
 */
#include "test/views.h"

static void check_reduce(tier *tiers, int count, int32_t kind) {
    shrike_reduce_f32_params p = {.kind = kind};
    p.rank = random_dims(p.dims, 6000);
    p.axis_mask = (uint32_t)pick(0, (1 << p.rank) - 1);
    view src = random_view(p.rank, p.dims, 1, 0.5f, 1.5f);
    int64_t kept[SHRIKE_MAX_RANK];
    for (int32_t i = 0; i < p.rank; i++) {
        kept[i] = p.axis_mask >> i & 1 ? 1 : p.dims[i];
    }
    view dst = random_view(p.rank, kept, 0, -9, 9);
    describe_view("reduce", kind, p.rank, p.dims, &dst);
    int64_t total = count_of(p.rank, p.dims), results = count_of(p.rank, kept);
    int64_t dense[SHRIKE_MAX_RANK];
    for (int32_t i = p.rank - 1, at = 1; i >= 0; i--) {
        dense[i] = p.axis_mask >> i & 1 ? 0 : at;
        at *= (int32_t)kept[i];
    }
    double *expected = malloc((size_t)results * sizeof *expected);
    for (int64_t i = 0; i < results; i++) {
        expected[i] = kind == SHRIKE_REDUCE_MAX    ? -INFINITY
                      : kind == SHRIKE_REDUCE_MIN  ? INFINITY
                      : kind == SHRIKE_REDUCE_PROD ? 1
                                                   : 0;
    }
    for (int64_t i = 0; i < total; i++) {
        double x = src.memory.data[offset_of(p.rank, p.dims, src.strides, i)];
        double *to = &expected[offset_of(p.rank, p.dims, dense, i)];
        switch (kind) {
        case SHRIKE_REDUCE_MEAN:
            *to += x * (double)results / (double)total;
            break;
        case SHRIKE_REDUCE_SUM:
            *to += x;
            break;
        case SHRIKE_REDUCE_MAX:
            *to = fmax(*to, x);
            break;
        case SHRIKE_REDUCE_MIN:
            *to = fmin(*to, x);
            break;
        default:
            *to *= x;
            break;
        }
    }
    for (int64_t i = 0; i < results; i++) {
        expected[i] = (float)expected[i];
    }
    memcpy(p.src_strides, src.strides, sizeof src.strides);
    for (int32_t i = 0; i < p.rank; i++) {
        p.dst_strides[i] = p.axis_mask >> i & 1 ? INT64_MIN : dst.strides[i];
    }
    POINT(p, src, src.memory);
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_reduce_f32(tiers[t].context, &p), tiers[t].name);
        check_view(p.rank, kept, dst.strides, &dst.memory, &result, expected, 1e-37, 1e-6, tiers[t].name);
        release(result);
    }
    free(expected);
    release(src.memory);
    release(dst.memory);
}

int main(void) {
    start_tests(20260105);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    for (int i = 0; i < 80; i++) {
        for (int32_t kind = 0; kind < SHRIKE_REDUCE_COUNT; kind++) {
            check_reduce(tiers, count, kind);
        }
    }
    float x = 0;
    shrike_reduce_f32_params p = {.src = &x, .dst = &x, .rank = 1, .dims = {1}, .axis_mask = 2};
    p.src_bounds = p.dst_bounds = (shrike_bounds){0, sizeof x};
    describe("bad arguments");
    expect_status(SHRIKE_EINVAL, shrike_reduce_f32(tiers[0].context, &p), "axis beyond the rank");
    p.axis_mask = 1;
    expect_status(SHRIKE_OK, shrike_reduce_f32(tiers[0].context, &p), "the good call");
    p.dims[0] = 2;
    expect_status(SHRIKE_OK, shrike_reduce_f32(tiers[0].context, &p), "one element twice");
    p.src_strides[0] = 1;
    expect_status(SHRIKE_EINVAL, shrike_reduce_f32(tiers[0].context, &p), "an element beyond the buffer");
    expect_status(SHRIKE_EINVAL, shrike_reduce_f32(tiers[0].context, NULL), "null params");
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
