/*
 * Every quantised kernel of every tier, bit for bit: against the reference kernel, and the reference against the
 * formulas of shrike.h in 64-bit integers. Random sizes around each tile edge, slices of wider images, all widths,
 * zero points of both sides, tables, residuals apart and in place, codes and floats, one thread and three. What lies
 * between pixels must stay untouched, and every buffer ends at a guard page.
 */
#include "test/results.h"

enum { PROBLEMS = 400 };

typedef struct problem {
    shrike_conv2d_q_params p;
    codes src, weights, table, dst, residual;
    buffer multiplier, offset;
    shrike_code_range range; /* of measured codes */
    int32_t *weight_zero; /* or null */
    int in_place;
    int64_t size; /* bytes of an output element */
} problem;

static void make_sizes(shrike_conv2d_q_params *p) {
    static const int32_t edges[] = {1,  2,  3,  4,  5,  7,  8,  12, 15, 16, 17, 20,  24,  31,
                                    32, 33, 36, 47, 48, 49, 63, 64, 65, 80, 96, 127, 128, 129};
    int32_t many = (int32_t)ARRAY_SIZE(edges) - 1;
    p->batch = pick(0, 3) ? 1 : 2;
    p->groups = 1;
    p->channels = edges[pick(0, many)];
    p->out_channels = edges[pick(0, many)];
    int64_t form = pick(0, 15);
    if (form == 0) {
        p->groups = p->out_channels = p->channels;
    } else if (form == 1) {
        p->groups = (int32_t)pick(2, 4);
        p->channels = p->groups * (int32_t)pick(1, 20);
        p->out_channels = p->groups * (int32_t)pick(1, 40);
    } else if (form == 2) {
        p->channels = (int32_t)pick(500, 1100);
        p->out_channels = (int32_t)pick(1, 40);
    }
    p->kernel_height = pick(0, 2) ? (pick(0, 1) ? 1 : 3) : (int32_t)pick(1, 6);
    p->kernel_width = pick(0, 3) ? p->kernel_height : (int32_t)pick(1, 6);
    if (pick(0, 39) == 0) {
        p->kernel_height = p->kernel_width = 12;
        p->channels = p->groups = 1;
    }
    if ((int64_t)p->channels * p->kernel_height * p->kernel_width > 20000) {
        p->kernel_height = p->kernel_width = 3; /* a sum over more might not fit in int32, and is refused */
    }
    p->stride_height = (int32_t)pick(1, 3);
    p->stride_width = pick(0, 3) ? p->stride_height : (int32_t)pick(1, 3);
    p->dilation_height = pick(0, 4) ? 1 : (int32_t)pick(1, 3);
    p->dilation_width = pick(0, 4) ? 1 : (int32_t)pick(1, 3);
    p->pad_top = (int32_t)pick(0, p->kernel_height);
    p->pad_left = (int32_t)pick(0, p->kernel_width);
    p->height = (int32_t)pick(1, 9);
    p->width = (int32_t)pick(1, 20);
    p->out_height = (int32_t)pick(1, 7);
    p->out_width = (int32_t)pick(1, 30);
}

static void make_widths(shrike_conv2d_q_params *p) {
    p->src_bits = pick(0, 2) ? (pick(0, 2) ? 8 : 4) : (int32_t)pick(1, 8);
    p->src_zero = (int32_t)(pick(0, 2) ? pick(0, (1 << p->src_bits) - 1) : 0);
    p->weight_bits = pick(0, 2) ? (pick(0, 2) ? 8 : 4) : (int32_t)pick(1, 8);
    p->weight_bipolar = p->weight_bits == 1 && pick(0, 1);
    p->src_dynamic = pick(0, 4) == 0;
    if (p->src_dynamic) {
        p->src_bits = 8;
        p->src_zero = 0;
    }
}

/* Some of them at their extremes, where products and sums are largest. */
static void make_weights(problem *q) {
    const shrike_conv2d_q_params *p = &q->p;
    int32_t half = 1 << (p->weight_bits - 1);
    int64_t low = -half, high = half - 1;
    if (p->weight_bits < 8 && pick(0, 3) == 0) {
        low = 0;
        high = 2 * half - 1;
    }
    int64_t extreme = pick(0, 3);
    q->weights =
        random_codes((int64_t)p->out_channels * (p->channels / p->groups) * p->kernel_height * p->kernel_width, 0, 0);
    for (int64_t i = 0; i < q->weights.count; i++) {
        int64_t weight = p->weight_bipolar ? (pick(0, 1) ? 1 : -1)
                         : extreme == 0    ? low
                         : extreme == 1    ? high
                         : extreme == 2    ? (pick(0, 40) ? pick(low / 4, high / 4) : pick(low, high))
                                           : pick(low, high);
        q->weights.data[i] = (uint8_t)weight;
    }
    if (pick(0, 2) == 0) {
        int kind = (int)pick(0, 2); /* differences of a byte, zero points that are codes, any */
        q->weight_zero = malloc((size_t)p->out_channels * sizeof(int32_t));
        for (int32_t oc = 0; oc < p->out_channels; oc++) {
            q->weight_zero[oc] = (int32_t)(kind == 0 ? pick(0, 1) : kind == 1 ? pick(low, high) : pick(-128, 255));
        }
    }
}

static void make_source(problem *q) {
    shrike_conv2d_q_params *p = &q->p;
    int64_t strides[3], extreme = pick(0, 5), most = (1 << p->src_bits) - 1;
    lay_out_image(p->height, p->width, p->channels, strides);
    int64_t count = image_extent(p->batch, p->height, p->width, p->channels, strides);
    q->src = random_codes(count, extreme == 0 ? most : 0, extreme == 1 ? 0 : most);
    POINT(*p, src, q->src);
    memcpy(&p->src_batch_stride, strides, sizeof strides);
}

static void make_output(problem *q) {
    shrike_conv2d_q_params *p = &q->p;
    int64_t out[3], add[3];
    p->output = pick(0, 3) && !p->src_dynamic ? SHRIKE_QOUT_CODES : SHRIKE_QOUT_REAL;
    q->range = (shrike_code_range){pick(0, 3) ? random_float(0.1f, 3) : 0x1p-126f, (int32_t)pick(0, 255)};
    q->size = p->output == SHRIKE_QOUT_REAL ? 4 : 1;
    lay_out_image(p->out_height, p->out_width, p->out_channels, out);
    lay_out_image(p->out_height, p->out_width, p->out_channels, add);
    q->dst = random_codes(q->size * image_extent(p->batch, p->out_height, p->out_width, p->out_channels, out), 0, 60);
    q->residual =
        random_codes(q->size * image_extent(p->batch, p->out_height, p->out_width, p->out_channels, add), 0, 60);
    if (q->size == 4) { /* random bytes below 61 are tiny floats: make the residual count */
        for (int64_t i = 0; i < q->residual.count; i += 4) {
            float value = random_float(-4, 4);
            memcpy(q->residual.data + i, &value, sizeof value);
        }
    }
    memcpy(&p->dst_batch_stride, out, sizeof out);
    int64_t residual = pick(0, 3);
    q->in_place = residual == 0;
    if (residual == 1) {
        POINT(*p, residual, q->residual);
        memcpy(&p->residual_batch_stride, add, sizeof add);
    } else if (q->in_place) {
        memcpy(&p->residual_batch_stride, out, sizeof out);
    }
    p->residual_first = p->output == SHRIKE_QOUT_CODES && residual <= 1 && pick(0, 1);
    p->residual_a = random_float(0.1f, 1.5f);
    p->residual_b = random_float(0.1f, 1.5f);
    p->residual_c = random_float(-30, 30);
    p->residual_low = (int32_t)pick(0, 9);
    p->residual_high = (int32_t)pick(p->residual_low, 255);
    p->low = pick(0, 1) ? 0 : (int32_t)pick(0, 100);
    p->high = pick(0, 1) ? 255 : (int32_t)pick(p->low, 255);
    p->activation = p->output == SHRIKE_QOUT_CODES && pick(0, 1) ? SHRIKE_ACTIVATION_NONE
                                                                 : (int32_t)pick(0, SHRIKE_ACTIVATION_COUNT - 1);
    p->alpha = p->activation == SHRIKE_ACTIVATION_CLIP ? -0.5f : 0.2f;
    p->beta = 0.6f;
    p->code_multiplier = pick(0, 9) ? random_float(5, 100) : 1e38f;
    p->code_offset = (float)pick(0, 255);
    q->table = random_codes(256, 0, 255);
    p->table = !is_activated_result(p) && pick(0, 1) ? q->table.data : NULL;
    p->table_bounds = WHOLE(q->table);
}

/* Scales that bring most sums into the range of codes; some huge, infinite or no number at all. */
static void make_scales(problem *q) {
    shrike_conv2d_q_params *p = &q->p;
    float depth = (float)((p->channels / p->groups) * p->kernel_height * p->kernel_width);
    float typical = sqrtf(depth) * (float)(1 << p->src_bits) * (float)(1 << p->weight_bits) / 6;
    float unit = is_activated_result(p) ? 0.05f : 1;
    q->multiplier = allocate_random(p->out_channels, 20 * unit / typical, 120 * unit / typical);
    q->offset =
        is_activated_result(p) ? allocate_random(p->out_channels, -5, 5) : allocate_random(p->out_channels, 0, 255);
    for (int64_t oc = 0; oc < p->out_channels; oc++) {
        int64_t kind = pick(0, 30);
        if (kind == 0) { /* exact halves: rounding half to even shows */
            q->multiplier.data[oc] = 0.5f;
            q->offset.data[oc] = 100;
        } else if (kind == 1) {
            q->multiplier.data[oc] = pick(0, 1) ? 1e30f : -1e30f;
        } else if (kind == 2 && p->output == SHRIKE_QOUT_CODES) {
            q->offset.data[oc] = pick(0, 1) ? NAN : -INFINITY;
        }
    }
    POINT(*p, multiplier, q->multiplier);
    POINT(*p, offset, q->offset);
}

static int32_t zero_of(const problem *q) {
    return q->p.src_dynamic ? q->range.zero : q->p.src_zero;
}

static problem make_problem(void) {
    problem q = {.in_place = 0};
    shrike_conv2d_q_params *p = &q.p;
    make_sizes(p);
    make_widths(p);
    make_weights(&q);
    make_source(&q);
    make_output(&q);
    make_scales(&q);
    describe("n%d %dx%dx%d -> %dx%dx%d groups %d kernel %dx%d stride %d,%d pad %d,%d dilation %d,%d w%da%d%s zero %d"
             " measured %d weight zeros %d output %d activation %d table %d residual %d%s",
             p->batch, p->height, p->width, p->channels, p->out_height, p->out_width, p->out_channels, p->groups,
             p->kernel_height, p->kernel_width, p->stride_height, p->stride_width, p->pad_top, p->pad_left,
             p->dilation_height, p->dilation_width, p->weight_bits, p->src_bits, p->weight_bipolar ? " bipolar" : "",
             zero_of(&q), p->src_dynamic, q.weight_zero != NULL, p->output, p->activation, p->table != NULL,
             q.in_place ? 2 : p->residual != NULL, p->residual_first ? " first" : "");
    return q;
}

static void release_problem(problem *q) {
    release_codes(q->src);
    release_codes(q->weights);
    release_codes(q->table);
    release_codes(q->dst);
    release_codes(q->residual);
    release(q->multiplier);
    release(q->offset);
    free(q->weight_zero);
}

/* Packs for the context and the kernel asked for, runs, and returns the destination's bytes. */
static codes run(const problem *q, shrike_context *context, int32_t kernel, const char *name) {
    shrike_conv2d_q_params p = q->p;
    p.kernel = kernel;
    codes result = duplicate_codes(q->dst);
    codes packed = random_codes(shrike_conv2d_q_packed_size(context, &p), 0, 255);
    /* Aligned as the library wants it, so the end of the workspace is not at the guard page. */
    int64_t workspace_bytes = shrike_conv2d_q_workspace(context, &p);
    codes workspace = random_codes(workspace_bytes + 64, 0, 255);
    expect_status(SHRIKE_OK,
                  shrike_conv2d_q_pack(context, &p, (const int8_t *)q->weights.data, q->weights.count, q->weight_zero,
                                       p.out_channels * (int64_t)sizeof(int32_t), packed.data, packed.count),
                  name);
    POINT(p, weights, packed);
    p.workspace = workspace_bytes ? workspace.data + (-(uintptr_t)workspace.data % 64) : NULL;
    p.workspace_bounds.after = workspace_bytes;
    p.src_range = &q->range;
    p.src_range_bounds.after = sizeof q->range;
    POINT(p, dst, result);
    p.residual = q->in_place ? result.data : p.residual;
    p.residual_bounds = q->in_place ? WHOLE(result) : p.residual_bounds;
    expect_status(SHRIKE_OK, shrike_conv2d_q(context, &p), name);
    release_codes(packed);
    release_codes(workspace);
    return result;
}

static int64_t sum_of(const problem *q, int64_t n, int64_t y, int64_t x, int64_t oc) {
    const shrike_conv2d_q_params *p = &q->p;
    int64_t group_in = p->channels / p->groups, first = oc / (p->out_channels / p->groups) * group_in, sum = 0;
    for (int64_t i = 0; i < group_in * p->kernel_height * p->kernel_width; i++) {
        int64_t kx = i % p->kernel_width, ky = i / p->kernel_width % p->kernel_height;
        int64_t ic = i / p->kernel_width / p->kernel_height;
        int64_t in_y = y * p->stride_height - p->pad_top + ky * p->dilation_height;
        int64_t in_x = x * p->stride_width - p->pad_left + kx * p->dilation_width;
        int64_t code = zero_of(q);
        if (in_y >= 0 && in_y < p->height && in_x >= 0 && in_x < p->width) {
            code = p->src[n * p->src_batch_stride + in_y * p->src_row_stride + in_x * p->src_pixel_stride + first + ic];
        }
        int64_t weight = (int8_t)q->weights.data[oc * group_in * p->kernel_height * p->kernel_width + i];
        sum += (weight - (q->weight_zero ? q->weight_zero[oc] : 0)) * (code - zero_of(q));
    }
    return sum;
}

static float real_of(const problem *q, int64_t sum, int64_t oc) {
    return real_result(&q->p, q->p.src_dynamic ? q->range.scale : 1, sum, oc);
}

/* The reference kernel's result by the formulas; checks also that nothing else was written. */
static void check_reference(const problem *q, const codes *result) {
    const shrike_conv2d_q_params *p = &q->p;
    codes expected = duplicate_codes(q->dst);
    for (int64_t i = 0; i < (int64_t)p->batch * p->out_height * p->out_width; i++) {
        int64_t x = i % p->out_width, y = i / p->out_width % p->out_height, n = i / p->out_width / p->out_height;
        int64_t add = n * p->residual_batch_stride + y * p->residual_row_stride + x * p->residual_pixel_stride;
        const uint8_t *residual = q->in_place ? q->dst.data : p->residual;
        for (int64_t oc = 0; oc < p->out_channels; oc++) {
            int64_t at = n * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride + oc;
            int64_t sum = sum_of(q, n, y, x, oc);
            if (p->output == SHRIKE_QOUT_CODES) {
                expected.data[at] = code_result(p, sum, oc, residual ? residual + add + oc : NULL);
                continue;
            }
            float value = real_of(q, sum, oc), other = 0;
            if (residual) {
                memcpy(&other, residual + 4 * (add + oc), sizeof other);
                value += other;
            }
            memcpy(expected.data + 4 * at, &value, sizeof value);
        }
    }
    expect_same_codes(&expected, result, "the reference against the formulas");
    release_codes(expected);
}

static void check_problem(tier *tiers, int count, int by_formula) {
    problem q = make_problem();
    codes expected = run(&q, tiers[0].context, SHRIKE_QKERNEL_REFERENCE, "reference");
    if (by_formula) {
        check_reference(&q, &expected);
    }
    for (int i = 0; i < count; i++) {
        for (int32_t kernel = SHRIKE_QKERNEL_BEST; kernel <= SHRIKE_QKERNEL_BITSERIAL; kernel++) {
            shrike_conv2d_q_params p = q.p;
            p.kernel = kernel;
            const char *name = shrike_conv2d_q_kernel(tiers[i].context, &p);
            if (!name) {
                expect_status(SHRIKE_EUNSUPPORTED,
                              shrike_conv2d_q_pack(tiers[i].context, &p, NULL, 0, NULL, 0, NULL, 0),
                              "a kernel that does not take the sizes");
                continue;
            }
            codes result = run(&q, tiers[i].context, kernel, name);
            expect_same_codes(&expected, &result, name);
            release_codes(result);
        }
    }
    release_codes(expected);
    release_problem(&q);
}

static void check_bad_arguments(shrike_context *context) {
    uint8_t image[64] = {0};
    float scales[2] = {1, 1};
    int8_t weights[4] = {1, 2, 3, 4};
    _Alignas(64) uint8_t packed[4096], workspace[4096];
    shrike_conv2d_q_params good = {.src = image,
                                   .dst = image + 32,
                                   .weights = packed,
                                   .multiplier = scales,
                                   .offset = scales,
                                   .workspace = workspace,
                                   .src_bounds = WHOLE_ARRAY(image),
                                   .dst_bounds = {32, 32},
                                   .weights_bounds = WHOLE_ARRAY(packed),
                                   .multiplier_bounds = WHOLE_ARRAY(scales),
                                   .offset_bounds = WHOLE_ARRAY(scales),
                                   .workspace_bounds = WHOLE_ARRAY(workspace),
                                   .src_batch_stride = 4,
                                   .src_row_stride = 4,
                                   .src_pixel_stride = 2,
                                   .dst_batch_stride = 4,
                                   .dst_row_stride = 4,
                                   .dst_pixel_stride = 2,
                                   .batch = 1,
                                   .height = 1,
                                   .width = 2,
                                   .channels = 2,
                                   .out_height = 1,
                                   .out_width = 2,
                                   .out_channels = 2,
                                   .groups = 1,
                                   .kernel_height = 1,
                                   .kernel_width = 1,
                                   .stride_height = 1,
                                   .stride_width = 1,
                                   .dilation_height = 1,
                                   .dilation_width = 1,
                                   .src_bits = 8,
                                   .weight_bits = 4,
                                   .high = 255};
    describe("bad arguments");
    if (shrike_conv2d_q_packed_size(context, &good) > (int64_t)sizeof packed) {
        fail("the packed weights are too large for this test");
    }
#define PACK(p, oihw, zeros)                                                                                           \
    shrike_conv2d_q_pack(context, p, oihw, sizeof weights, zeros, 2 * sizeof(int32_t), packed, sizeof packed)
    expect_status(SHRIKE_OK, PACK(&good, weights, NULL), "pack");
    expect_status(SHRIKE_OK, shrike_conv2d_q(context, &good), "the good call");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q(NULL, &good), "null context");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q(context, NULL), "null params");
#define REFUSE(change)                                                                                                 \
    do {                                                                                                               \
        shrike_conv2d_q_params bad = good;                                                                             \
        bad.change;                                                                                                    \
        expect_status(SHRIKE_EINVAL, shrike_conv2d_q(context, &bad), #change);                                         \
    } while (0)
    REFUSE(src = NULL);
    REFUSE(dst = NULL);
    REFUSE(weights = NULL);
    REFUSE(weights = workspace);
    REFUSE(weights = packed + 1);
    REFUSE(multiplier = NULL);
    REFUSE(offset = NULL);
    REFUSE(batch = 0);
    REFUSE(height = -1);
    REFUSE(channels = 0);
    REFUSE(channels = 1); /* sound, but packed for others */
    REFUSE(out_channels = 0);
    REFUSE(out_width = INT32_MIN);
    REFUSE(groups = 0);
    REFUSE(groups = 3);
    REFUSE(kernel_width = 0);
    REFUSE(stride_height = 0);
    REFUSE(dilation_width = -1);
    REFUSE(pad_top = -1);
    REFUSE(src_pixel_stride = 1);
    REFUSE(dst_pixel_stride = INT64_MAX);
    REFUSE(src_row_stride = INT64_MIN);
    REFUSE(stride_height = 1 << 30);
    REFUSE(pad_left = 1 << 30);
    REFUSE(dilation_height = 1 << 29);
    REFUSE(src_bounds.after = 3);
    REFUSE(src_bounds.before = -1);
    REFUSE(dst_bounds.after = 3);
    REFUSE(weights_bounds.after = 64);
    REFUSE(weights_bounds.after = 10);
    REFUSE(multiplier_bounds.after = 7);
    REFUSE(offset_bounds.after = -8);
    REFUSE(src_zero = -1);
    REFUSE(src_zero = 256);
    REFUSE(src_bits = 0);
    REFUSE(src_bits = 9);
    REFUSE(weight_bits = 0);
    REFUSE(weight_bits = 8); /* sound, but packed for others */
    REFUSE(weight_bipolar = 1);
    REFUSE(output = SHRIKE_QOUT_COUNT);
    REFUSE(low = -1);
    REFUSE(high = 256);
    REFUSE(residual_first = 1);
    REFUSE(residual_first = -1);
    REFUSE(activation = SHRIKE_ACTIVATION_COUNT);
    REFUSE(activation = -1);
    REFUSE(kernel = SHRIKE_QKERNEL_COUNT);
    REFUSE(kernel = -1);
    REFUSE(src_dynamic = 2);
    REFUSE(src_dynamic = -1);
    const uint8_t table[256] = {0};
    shrike_conv2d_q_params plain = good;
    good.table = table;
    good.table_bounds = WHOLE_ARRAY(table);
    expect_status(SHRIKE_OK, shrike_conv2d_q(context, &good), "the good call with a table");
    REFUSE(table_bounds.after = 255);
    good = plain;
    good.activation = SHRIKE_ACTIVATION_SILU;
    good.code_multiplier = 1;
    expect_status(SHRIKE_OK, shrike_conv2d_q(context, &good), "the good call with an activation");
    REFUSE(code_multiplier = 0);
    REFUSE(code_multiplier = INFINITY);
    REFUSE(code_multiplier = NAN);
    REFUSE(code_offset = NAN);
    good.table_bounds = WHOLE_ARRAY(table);
    REFUSE(table = table);
    good = plain;
    shrike_conv2d_q_params real = good;
    real.output = SHRIKE_QOUT_REAL;
    real.activation = SHRIKE_ACTIVATION_COUNT;
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q(context, &real), "activation");
    const shrike_conv2d_q_params before = good;
    shrike_code_range range = {1, 7};
    good.src_dynamic = 1;
    good.src_range = &range;
    good.src_range_bounds.after = sizeof range;
    good.output = SHRIKE_QOUT_REAL;
    float floats[8] = {0};
    good.dst = floats;
    good.dst_bounds = WHOLE_ARRAY(floats);
    expect_status(SHRIKE_OK, PACK(&good, weights, NULL), "pack");
    expect_status(SHRIKE_OK, shrike_conv2d_q(context, &good), "the good call of measured codes");
    REFUSE(src_range = NULL);
    REFUSE(src_range_bounds.after = 7);
    REFUSE(output = SHRIKE_QOUT_CODES);
    REFUSE(src_zero = 1);
    REFUSE(src_bits = 7);
    REFUSE(src_dynamic = 0); /* sound, but packed for others */
    REFUSE(workspace_bounds.after = 8);
    static const shrike_code_range wrong[] = {{0, 0}, {-1, 0}, {INFINITY, 0}, {NAN, 0}, {1, -1}, {1, 256}};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        range = wrong[i];
        expect_status(SHRIKE_EINVAL, shrike_conv2d_q(context, &good), "range");
    }
    good = before;
    shrike_conv2d_q_params huge = good;
    huge.channels = huge.out_channels = huge.kernel_height = huge.kernel_width = INT32_MAX;
    if (shrike_conv2d_q_packed_size(context, &huge) != -1 || shrike_conv2d_q_packed_size(context, NULL) != -1 ||
        shrike_conv2d_q_packed_size(NULL, &good) != -1 || shrike_conv2d_q_workspace(context, &huge) != -1 ||
        shrike_conv2d_q_kernel(context, &huge)) {
        fail("sizes for impossible weights");
    }
    shrike_conv2d_q_params deep = good;
    deep.channels = 40000;
    expect_status(SHRIKE_EUNSUPPORTED, PACK(&deep, weights, NULL), "overflowing sum");
    expect_status(SHRIKE_EINVAL, PACK(&good, NULL, NULL), "null weights to pack");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q_pack(context, &good, weights, 3, NULL, 0, packed, sizeof packed),
                  "too few weights to pack");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q_pack(context, &good, weights, 4, NULL, 0, packed, 100),
                  "no room for the packed weights");
    weights[0] = 16;
    expect_status(SHRIKE_EINVAL, PACK(&good, weights, NULL), "a weight of 5 bits");
    weights[0] = 15;
    weights[1] = -1;
    expect_status(SHRIKE_EINVAL, PACK(&good, weights, NULL), "weights of both kinds");
    const int32_t zeros[2] = {0, 256};
    weights[1] = 1;
    expect_status(SHRIKE_EINVAL, PACK(&good, weights, zeros), "a zero point of 256");
}

int main(void) {
    start_tests(20260201);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_bad_arguments(tiers[0].context);
    for (int i = 0; i < PROBLEMS; i++) {
        check_problem(tiers, count, i % 2 == 0);
    }
    destroy_tiers(tiers, count);
    printf("%d problems, %d contexts: ok\n", PROBLEMS, count);
    return 0;
}
