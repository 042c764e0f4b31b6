/*
 * Softmax against double on random views and axes, in place too, and on rows whose largest element is far from 0.
 */
#include "test/views.h"

static void check_softmax(tier *tiers, int count) {
    shrike_softmax_f32_params p = {0};
    do {
        p.rank = random_dims(p.dims, 6000);
    } while (p.rank == 0);
    p.axis = (int32_t)pick(0, p.rank - 1);
    float shift = pick(0, 2) ? 0 : 500;
    int in_place = pick(0, 3) == 0;
    view src = random_view(p.rank, p.dims, !in_place, -30 + shift, 30 + shift);
    view dst = in_place ? (view){{0}, duplicate(src.memory)} : random_view(p.rank, p.dims, 0, -9, 9);
    if (in_place) {
        memcpy(dst.strides, src.strides, sizeof src.strides);
    }
    describe_view(in_place ? "softmax in place" : "softmax", p.axis, p.rank, p.dims, &dst);
    memcpy(p.src_strides, src.strides, sizeof src.strides);
    memcpy(p.dst_strides, dst.strides, sizeof dst.strides);
    int64_t total = count_of(p.rank, p.dims), length = p.dims[p.axis];
    int64_t inner = count_of(p.rank - 1 - p.axis, p.dims + p.axis + 1);
    double *expected = malloc((size_t)total * sizeof *expected);
    for (int64_t i = 0; i < total; i++) {
        if (i / inner % length) {
            continue;
        }
        double highest = -INFINITY, sum = 0;
        for (int64_t k = 0; k < length; k++) {
            expected[i + k * inner] = src.memory.data[offset_of(p.rank, p.dims, src.strides, i + k * inner)];
            highest = fmax(highest, expected[i + k * inner]);
        }
        for (int64_t k = 0; k < length; k++) {
            sum += expected[i + k * inner] = exp(expected[i + k * inner] - highest);
        }
        for (int64_t k = 0; k < length; k++) {
            expected[i + k * inner] /= sum;
        }
    }
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        p.src = in_place ? result.data : src.memory.data;
        p.src_bounds = in_place ? WHOLE(result) : WHOLE(src.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_softmax_f32(tiers[t].context, &p), tiers[t].name);
        check_view(p.rank, p.dims, dst.strides, &dst.memory, &result, expected, 1e-37, 5e-6, tiers[t].name);
        release(result);
    }
    free(expected);
    release(src.memory);
    release(dst.memory);
}

int main(void) {
    start_tests(20260104);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    for (int i = 0; i < 200; i++) {
        check_softmax(tiers, count);
    }
    shrike_softmax_f32_params p = {.rank = 1, .axis = 1, .dims = {1}};
    describe("bad arguments");
    expect_status(SHRIKE_EINVAL, shrike_softmax_f32(tiers[0].context, &p), "axis beyond the rank");
    expect_status(SHRIKE_EINVAL, shrike_softmax_f32(tiers[0].context, NULL), "null params");
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
