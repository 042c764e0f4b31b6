/*
 * Sums of codes in random views against the formula, each operation rounded by itself.
 */
#include "test/codes.h"

static uint8_t expected(const shrike_add_u8_params *p, uint8_t a, uint8_t b) {
    volatile float x = (float)a * p->scale_a, y = (float)b * p->scale_b;
    volatile float sum = x + y;
    volatile float value = sum + p->offset;
    return nearest_code(value, p->low, p->high);
}

static void check(tier *tiers, int count) {
    shrike_add_u8_params p = {.low = (int32_t)pick(0, 20), .high = (int32_t)pick(100, 255)};
    int64_t dims[SHRIKE_MAX_RANK];
    p.rank = random_dims(dims, 40000);
    p.scale_a = pick(0, 3) ? random_float(-1, 2) : 0.5f;
    p.scale_b = pick(0, 3) ? random_float(-1, 2) : 0.5f;
    p.offset = pick(0, 9) ? (float)pick(-100, 100) : NAN;
    codes a = random_code_view(p.rank, dims, 1, p.a_strides), b = random_code_view(p.rank, dims, 1, p.b_strides);
    codes dst = random_code_view(p.rank, dims, 0, p.dst_strides);
    int in_place = pick(0, 3) == 0;
    describe("rank %d, %lld codes, %g %g %g, in place %d", p.rank, (long long)count_of(p.rank, dims), p.scale_a,
             p.scale_b, p.offset, in_place);
    memcpy(p.dims, dims, sizeof dims);
    if (in_place) {
        memcpy(p.a_strides, p.dst_strides, sizeof p.a_strides);
    }
    codes wanted = duplicate_codes(dst);
    const uint8_t *from = in_place ? dst.data : a.data;
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        wanted.data[offset_of(p.rank, dims, p.dst_strides, i)] = expected(
            &p, from[offset_of(p.rank, dims, p.a_strides, i)], b.data[offset_of(p.rank, dims, p.b_strides, i)]);
    }
    POINT(p, b, b);
    for (int t = 0; t < count; t++) {
        codes result = duplicate_codes(dst);
        POINT(p, dst, result);
        p.a = in_place ? result.data : a.data;
        p.a_bounds = in_place ? WHOLE(result) : WHOLE(a);
        expect_status(SHRIKE_OK, shrike_add_u8(tiers[t].context, &p), tiers[t].name);
        expect_same_codes(&wanted, &result, tiers[t].name);
        release_codes(result);
    }
    release_codes(a);
    release_codes(b);
    release_codes(dst);
    release_codes(wanted);
}

int main(void) {
    start_tests(20260205);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    for (int i = 0; i < 400; i++) {
        check(tiers, count);
    }
    uint8_t code = 1;
    const shrike_bounds one = {0, 1};
    shrike_add_u8_params p = {
        .a = &code, .b = &code, .dst = &code, .a_bounds = one, .b_bounds = one, .dst_bounds = one, .high = 256};
    expect_status(SHRIKE_EINVAL, shrike_add_u8(tiers[0].context, &p), "high");
    p.high = 9;
    p.low = 10;
    expect_status(SHRIKE_EINVAL, shrike_add_u8(tiers[0].context, &p), "low above high");
    p.low = 0;
    expect_status(SHRIKE_OK, shrike_add_u8(tiers[0].context, &p), "the good call");
    p.b_bounds.after = 0;
    expect_status(SHRIKE_EINVAL, shrike_add_u8(tiers[0].context, &p), "no room for b");
    p.b_bounds = one;
    p.b = NULL;
    expect_status(SHRIKE_EINVAL, shrike_add_u8(tiers[0].context, &p), "null b");
    expect_status(SHRIKE_EINVAL, shrike_add_u8(tiers[0].context, NULL), "null params");
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
