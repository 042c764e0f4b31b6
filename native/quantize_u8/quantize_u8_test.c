/*
 * Floats to codes and back against the formulas: halves, huge values, infinities, NaN, random views.
 */
#include "test/codes.h"

static uint8_t expected(const shrike_quantize_f32_u8_params *p, float value) {
    volatile float quotient = value / p->scale;
    float rounded = rintf(quotient), low = (float)(p->low - p->zero), high = (float)(p->high - p->zero);
    rounded = rounded >= high ? high : rounded > low ? rounded : low;
    return (uint8_t)((int32_t)rounded + p->zero);
}

static void check_quantize(tier *tiers, int count) {
    static const float special[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f, -0.0f, 8388609.0f, 2147483648.0f};
    shrike_quantize_f32_u8_params p = {.low = (int32_t)pick(0, 20), .high = (int32_t)pick(100, 255)};
    int64_t dims[SHRIKE_MAX_RANK];
    p.rank = random_dims(dims, 40000);
    p.scale = pick(0, 2) ? random_float(0.001f, 0.1f) : 0.125f;
    p.zero = (int32_t)pick(0, 255);
    view src = random_view(p.rank, dims, 1, -12, 12);
    codes dst = random_code_view(p.rank, dims, 0, p.dst_strides);
    describe("quantize rank %d, %lld values, scale %g zero %d", p.rank, (long long)count_of(p.rank, dims), p.scale,
             p.zero);
    for (int64_t i = 0; i < src.memory.count; i++) {
        int64_t kind = pick(0, 9);
        if (kind == 0) {
            src.memory.data[i] = special[pick(0, sizeof special / sizeof *special - 1)];
        } else if (kind == 1) {
            src.memory.data[i] = p.scale * ((float)pick(-300, 300) + 0.5f);
        }
    }
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.src_strides, src.strides, sizeof p.src_strides);
    p.src = src.memory.data;
    codes wanted = duplicate_codes(dst);
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        wanted.data[offset_of(p.rank, dims, p.dst_strides, i)] =
            expected(&p, src.memory.data[offset_of(p.rank, dims, src.strides, i)]);
    }
    for (int t = 0; t < count; t++) {
        codes result = duplicate_codes(dst);
        p.dst = result.data;
        expect_status(SHRIKE_OK, shrike_quantize_f32_u8(tiers[t].context, &p), tiers[t].name);
        expect_same_codes(&wanted, &result, tiers[t].name);
        release_codes(result);
    }
    release(src.memory);
    release_codes(dst);
    release_codes(wanted);
}

static void check_dequantize(tier *tiers, int count) {
    shrike_dequantize_u8_f32_params p = {.scale = random_float(0.001f, 3), .zero = (int32_t)pick(0, 255)};
    int64_t dims[SHRIKE_MAX_RANK];
    p.rank = random_dims(dims, 40000);
    codes src = random_code_view(p.rank, dims, 1, p.src_strides);
    view dst = random_view(p.rank, dims, 0, -9, 9);
    describe("dequantize rank %d, %lld codes, scale %g zero %d", p.rank, (long long)count_of(p.rank, dims), p.scale,
             p.zero);
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.dst_strides, dst.strides, sizeof p.dst_strides);
    p.src = src.data;
    buffer wanted = duplicate(dst.memory);
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        wanted.data[offset_of(p.rank, dims, dst.strides, i)] =
            p.scale * (float)(src.data[offset_of(p.rank, dims, p.src_strides, i)] - p.zero);
    }
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        p.dst = result.data;
        expect_status(SHRIKE_OK, shrike_dequantize_u8_f32(tiers[t].context, &p), tiers[t].name);
        expect_same_bits(&wanted, &result, tiers[t].name);
        release(result);
    }
    release_codes(src);
    release(dst.memory);
    release(wanted);
}

static void check_bad_arguments(shrike_context *context) {
    float value = 1;
    uint8_t code = 1;
    shrike_quantize_f32_u8_params q = {.src = &value, .dst = &code, .scale = 1, .high = 255};
    shrike_dequantize_u8_f32_params d = {.src = &code, .dst = &value, .scale = 1};
    describe("bad arguments");
    expect_status(SHRIKE_OK, shrike_quantize_f32_u8(context, &q), "the good call");
    expect_status(SHRIKE_OK, shrike_dequantize_u8_f32(context, &d), "the good call");
    static const float scales[] = {0, -1, INFINITY, NAN};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        q.scale = d.scale = scales[i];
        expect_status(SHRIKE_EINVAL, shrike_quantize_f32_u8(context, &q), "scale");
        expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, &d), "scale");
    }
    q.scale = d.scale = 1;
    q.zero = d.zero = 256;
    expect_status(SHRIKE_EINVAL, shrike_quantize_f32_u8(context, &q), "zero");
    expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, &d), "zero");
    expect_status(SHRIKE_EINVAL, shrike_quantize_f32_u8(context, NULL), "null params");
    expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, NULL), "null params");
}

int main(void) {
    start_tests(20260206);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_bad_arguments(tiers[0].context);
    for (int i = 0; i < 300; i++) {
        check_quantize(tiers, count);
        check_dequantize(tiers, count);
    }
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
