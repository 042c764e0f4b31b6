/*
 * Floats to codes and back against the formulas: halves, huge values, infinities, NaN, random views; codes over the
 * range of what is given, also of none but zeros, negative, equal, tiny and huge values.
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
            src.memory.data[i] = special[pick(0, ARRAY_SIZE(special) - 1)];
        } else if (kind == 1) {
            src.memory.data[i] = p.scale * ((float)pick(-300, 300) + 0.5f);
        }
    }
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.src_strides, src.strides, sizeof p.src_strides);
    POINT(p, src, src.memory);
    codes wanted = duplicate_codes(dst);
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        wanted.data[offset_of(p.rank, dims, p.dst_strides, i)] =
            expected(&p, src.memory.data[offset_of(p.rank, dims, src.strides, i)]);
    }
    for (int t = 0; t < count; t++) {
        codes result = duplicate_codes(dst);
        POINT(p, dst, result);
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
    POINT(p, src, src);
    buffer wanted = duplicate(dst.memory);
    for (int64_t i = 0; i < count_of(p.rank, dims); i++) {
        wanted.data[offset_of(p.rank, dims, dst.strides, i)] =
            p.scale * (float)(src.data[offset_of(p.rank, dims, p.src_strides, i)] - p.zero);
    }
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_dequantize_u8_f32(tiers[t].context, &p), tiers[t].name);
        expect_same_bits(&wanted, &result, tiers[t].name);
        release(result);
    }
    release_codes(src);
    release(dst.memory);
    release(wanted);
}

/* volatile keeps each operation's rounding. */
static shrike_code_range range_of(float min, float max) {
    volatile float span = max - min, scale = span / 255;
    if (isinf(scale)) {
        volatile float above = max / 255, below = min / 255;
        scale = above - below;
    }
    float used = max == min ? 1 : fmaxf(scale, 0x1p-126f);
    volatile float zero = -min / used;
    return (shrike_code_range){used, (int32_t)rintf(fminf(zero, 255))};
}

enum { ANY, ZEROS, NEGATIVE, EQUAL, TINY, HUGE_VALUES, NOT_FINITE, KINDS };

static void fill_kind(buffer memory, int kind) {
    static const float special[] = {NAN, INFINITY, -INFINITY, -0.0f};
    float same = random_float(-9, 9);
    for (int64_t i = 0; i < memory.count; i++) {
        float value = random_float(-12, 9);
        switch (kind) {
        case ZEROS:
            value = pick(0, 1) ? 0.0f : -0.0f;
            break;
        case NEGATIVE:
            value = -1 - fabsf(value);
            break;
        case EQUAL:
            value = same;
            break;
        case TINY:
            value *= 0x1p-140f;
            break;
        case HUGE_VALUES:
            value *= 2e37f;
            break;
        case NOT_FINITE:
            value = pick(0, 3) ? value : special[pick(0, 3)];
            break;
        default:
            value = pick(0, 40) ? value : special[pick(0, 3)];
        }
        memory.data[i] = value;
    }
}

static void check_measured(tier *tiers, int count, int kind) {
    shrike_quantize_dynamic_f32_u8_params p = {.reserved = 0};
    int64_t dims[SHRIKE_MAX_RANK], n;
    p.rank = random_dims(dims, pick(0, 9) ? 40000 : 400000);
    view src = random_view(p.rank, dims, 1, 0, 1);
    codes dst = random_code_view(p.rank, dims, 0, p.dst_strides);
    n = count_of(p.rank, dims);
    describe("measured rank %d, %lld values of kind %d", p.rank, (long long)n, kind);
    fill_kind(src.memory, kind);
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.src_strides, src.strides, sizeof p.src_strides);
    POINT(p, src, src.memory);
    float min = 0, max = 0;
    for (int64_t i = 0; i < n; i++) {
        float value = p.src[offset_of(p.rank, dims, src.strides, i)];
        min = isfinite(value) ? fminf(min, value) : min;
        max = isfinite(value) ? fmaxf(max, value) : max;
    }
    const shrike_code_range range = range_of(min, max);
    const shrike_quantize_f32_u8_params fixed = {.scale = range.scale, .zero = range.zero, .high = 255};
    codes wanted = duplicate_codes(dst);
    for (int64_t i = 0; i < n; i++) {
        wanted.data[offset_of(p.rank, dims, p.dst_strides, i)] =
            expected(&fixed, p.src[offset_of(p.rank, dims, src.strides, i)]);
    }
    for (int t = 0; t < count; t++) {
        codes result = duplicate_codes(dst);
        shrike_code_range found = {NAN, -1};
        POINT(p, dst, result);
        p.range = &found;
        p.range_bounds = (shrike_bounds){0, sizeof found};
        expect_status(SHRIKE_OK, shrike_quantize_dynamic_f32_u8(tiers[t].context, &p), tiers[t].name);
        if (memcmp(&found, &range, sizeof range)) {
            fail("%s: scale %.9g and zero %d, expected %.9g and %d", tiers[t].name, found.scale, found.zero,
                 range.scale, range.zero);
        }
        expect_same_codes(&wanted, &result, tiers[t].name);
        release_codes(result);
    }
    release(src.memory);
    release_codes(dst);
    release_codes(wanted);
}

static void check_bad_arguments(shrike_context *context) {
    float value = 1;
    uint8_t code = 1;
    const shrike_bounds of_value = {0, sizeof value}, of_code = {0, sizeof code};
    shrike_quantize_f32_u8_params q = {
        .src = &value, .dst = &code, .src_bounds = of_value, .dst_bounds = of_code, .scale = 1, .high = 255};
    shrike_dequantize_u8_f32_params d = {
        .src = &code, .dst = &value, .src_bounds = of_code, .dst_bounds = of_value, .scale = 1};
    describe("bad arguments");
    expect_status(SHRIKE_OK, shrike_quantize_f32_u8(context, &q), "the good call");
    expect_status(SHRIKE_OK, shrike_dequantize_u8_f32(context, &d), "the good call");
    static const float scales[] = {0, -1, INFINITY, NAN};
    for (size_t i = 0; i < ARRAY_SIZE(scales); i++) {
        q.scale = d.scale = scales[i];
        expect_status(SHRIKE_EINVAL, shrike_quantize_f32_u8(context, &q), "scale");
        expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, &d), "scale");
    }
    q.scale = d.scale = 1;
    q.zero = d.zero = 256;
    expect_status(SHRIKE_EINVAL, shrike_quantize_f32_u8(context, &q), "zero");
    expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, &d), "zero");
    shrike_code_range range = {1, 3};
    d.range = &range;
    expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, &d), "a range without bounds");
    d.range_bounds.after = sizeof range;
    expect_status(SHRIKE_OK, shrike_dequantize_u8_f32(context, &d), "a range instead of a bad zero");
    if (value != -2) {
        fail("%g by a range", value);
    }
    range.zero = -1;
    expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, &d), "zero of a range");
    range = (shrike_code_range){0, 0};
    expect_status(SHRIKE_EINVAL, shrike_dequantize_u8_f32(context, &d), "scale of a range");
    shrike_quantize_dynamic_f32_u8_params m = {.src = &value,
                                               .dst = &code,
                                               .range = &range,
                                               .src_bounds = of_value,
                                               .dst_bounds = of_code,
                                               .range_bounds = {0, sizeof range}};
    expect_status(SHRIKE_OK, shrike_quantize_dynamic_f32_u8(context, &m), "the good call");
    m.range = NULL;
    expect_status(SHRIKE_EINVAL, shrike_quantize_dynamic_f32_u8(context, &m), "no range");
    m.range = &range;
    m.src_bounds.after--;
    expect_status(SHRIKE_EINVAL, shrike_quantize_dynamic_f32_u8(context, &m), "no room for the source");
    m.src_bounds = of_value;
    m.reserved = 1;
    expect_status(SHRIKE_EINVAL, shrike_quantize_dynamic_f32_u8(context, &m), "reserved");
    m.reserved = 0;
    m.rank = -1;
    expect_status(SHRIKE_EINVAL, shrike_quantize_dynamic_f32_u8(context, &m), "rank");
    expect_status(SHRIKE_EINVAL, shrike_quantize_dynamic_f32_u8(context, NULL), "null params");
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
        check_measured(tiers, count, i % KINDS);
    }
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
