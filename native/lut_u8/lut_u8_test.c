/*
 * Copies of codes between random views, with a table and without, and in place.
 */
#include "test/codes.h"

static void check(tier *tiers, int count) {
    shrike_lut_u8_params p = {0};
    int64_t dims[SHRIKE_MAX_RANK], src_strides[SHRIKE_MAX_RANK], dst_strides[SHRIKE_MAX_RANK];
    p.rank = random_dims(dims, 40000);
    codes src = random_code_view(p.rank, dims, 1, src_strides), dst = random_code_view(p.rank, dims, 0, dst_strides);
    codes table = random_codes(256, 0, 255);
    int in_place = pick(0, 3) == 0;
    p.table = pick(0, 1) ? table.data : NULL;
    p.table_bounds = WHOLE(table);
    describe("rank %d, %lld codes, table %d, in place %d", p.rank, (long long)count_of(p.rank, dims), p.table != NULL,
             in_place);
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.src_strides, in_place ? dst_strides : src_strides, sizeof src_strides);
    memcpy(p.dst_strides, dst_strides, sizeof dst_strides);
    codes wanted = duplicate_codes(dst);
    const uint8_t *from = in_place ? dst.data : src.data;
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        uint8_t code = from[offset_of(p.rank, dims, p.src_strides, i)];
        wanted.data[offset_of(p.rank, dims, dst_strides, i)] = p.table ? table.data[code] : code;
    }
    for (int t = 0; t < count; t++) {
        codes result = duplicate_codes(dst);
        POINT(p, dst, result);
        p.src = in_place ? result.data : src.data;
        p.src_bounds = in_place ? WHOLE(result) : WHOLE(src);
        expect_status(SHRIKE_OK, shrike_lut_u8(tiers[t].context, &p), tiers[t].name);
        expect_same_codes(&wanted, &result, tiers[t].name);
        release_codes(result);
    }
    release_codes(src);
    release_codes(dst);
    release_codes(wanted);
    release_codes(table);
}

int main(void) {
    start_tests(20260204);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    for (int i = 0; i < 400; i++) {
        check(tiers, count);
    }
    uint8_t code = 1;
    uint8_t table[256] = {0};
    const shrike_bounds one = {0, 1};
    shrike_lut_u8_params p = {.src = &code, .dst = &code, .src_bounds = one, .dst_bounds = one, .rank = 7};
    expect_status(SHRIKE_EINVAL, shrike_lut_u8(tiers[0].context, &p), "rank 7");
    p.rank = 0;
    p.reserved = 1;
    expect_status(SHRIKE_EINVAL, shrike_lut_u8(tiers[0].context, &p), "reserved");
    p.reserved = 0;
    expect_status(SHRIKE_OK, shrike_lut_u8(tiers[0].context, &p), "the good call");
    p.table = table;
    p.table_bounds.after = 255;
    expect_status(SHRIKE_EINVAL, shrike_lut_u8(tiers[0].context, &p), "a table of 255 codes");
    p.table = NULL;
    p.src = NULL;
    expect_status(SHRIKE_EINVAL, shrike_lut_u8(tiers[0].context, &p), "null src");
    expect_status(SHRIKE_EINVAL, shrike_lut_u8(tiers[0].context, NULL), "null params");
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
