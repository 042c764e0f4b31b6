/*
 * Every bit-serial kernel of every tier, bit for bit against the reference kernel: all 16 pairs of widths in turn, and
 * -1/+1 weights; sizes around each tile and unit; strides, borders, dilation; zero points of both sides; extreme codes,
 * long sums that pass 16 bits; one thread and three; sums as floats, and codes, by thresholds where there are any (the
 * reference kernel knows none). Sources, results, weights and workspaces end at guard pages.
 */
#include "test/codes.h"

enum { PROBLEMS = 510, KINDS = 17 };

typedef struct problem {
    shrike_conv2d_q_params p;
    codes src, weights, dst;
    buffer multiplier, offset;
    int32_t *weight_zero; /* or null */
    codes table, residual, thresholds;
} problem;

static void make_sizes(shrike_conv2d_q_params *p, int kind) {
    static const int32_t kernels[] = {1, 1, 3, 3, 2, 5, 6};
    p->weight_bits = kind == 16 ? 1 : 1 + kind / 4;
    p->src_bits = kind == 16 ? (int32_t)pick(1, 4) : 1 + kind % 4;
    p->weight_bipolar = kind == 16;
    p->src_zero = (int32_t)(pick(0, 2) ? pick(0, (1 << p->src_bits) - 1) : 0);
    p->batch = pick(0, 4) ? 1 : 2;
    p->groups = 1;
    /* Few channels are packed by rows of taps, as those of an image. */
    p->channels = (int32_t)(!pick(0, 4) ? pick(1, 7) : pick(0, 1) ? 8 * pick(1, 12) : pick(1, 200));
    p->out_channels = (int32_t)(pick(0, 1) ? 16 * pick(1, 9) : pick(1, 150));
    p->kernel_height = kernels[pick(0, 6)];
    p->kernel_width = pick(0, 5) ? p->kernel_height : kernels[pick(0, 6)];
    if (pick(0, 19) == 0) { /* sums beyond 16 bits */
        p->channels = (int32_t)pick(800, 1400);
        p->out_channels = (int32_t)pick(1, 40);
        p->kernel_height = p->kernel_width = 3;
    }
    p->stride_height = (int32_t)pick(1, 2);
    p->stride_width = pick(0, 5) ? p->stride_height : (int32_t)pick(1, 4);
    p->dilation_height = pick(0, 5) ? 1 : (int32_t)pick(2, 3);
    p->dilation_width = pick(0, 5) ? 1 : (int32_t)pick(2, 3);
    p->pad_top = (int32_t)pick(0, p->kernel_height);
    p->pad_left = (int32_t)pick(0, p->kernel_width);
    p->height = (int32_t)pick(1, 9);
    p->width = (int32_t)pick(1, 14);
    p->out_height = (int32_t)pick(1, 6);
    p->out_width = (int32_t)(pick(0, 5) ? pick(1, 14) : pick(30, 140));
}

/*
 * Codes by few steps, as low-bit networks have them: scales that spread the sums over the codes, and tables that are
 * staircases, that fall first, or that are none. Multipliers of 0, and of either sign now and then.
 */
static void make_output(problem *q) {
    shrike_conv2d_q_params *p = &q->p;
    double depth = (double)p->channels * p->kernel_height * p->kernel_width;
    double typical = sqrt(depth) * (1 << p->src_bits) * (1 << p->weight_bits) / 4;
    int64_t form = pick(0, 5), steps = pick(0, 9), falls = form == 5 ? pick(0, 3) : 0, code = pick(falls, 200);
    p->output = SHRIKE_QOUT_CODES;
    p->low = (int32_t)(form < 2 ? pick(0, 200) : pick(0, 20));
    p->high = (int32_t)(form < 2 ? p->low + steps : pick(p->low, 255));
    for (int64_t i = 0; i < q->table.count; i++) {
        q->table.data[i] = (uint8_t)code;
        if (form == 4) {
            code = pick(0, 255);
        } else if (falls > 0 && pick(0, 3) == 0) {
            falls--;
            code--;
        } else if (falls == 0 && steps > 0 && pick(0, 15) == 0) {
            int64_t up = pick(1, steps > 2 ? 2 : steps);
            steps -= up;
            code += up;
        }
    }
    p->table = form < 2 ? NULL : q->table.data;
    p->table_bounds = WHOLE(q->table);
    double width = p->high - p->low + 1;
    for (int32_t oc = 0; oc < p->out_channels; oc++) {
        q->multiplier.data[oc] = (float)(width / typical) * random_float(0.2f, 2);
        q->offset.data[oc] = (float)p->low + (float)width * random_float(-0.3f, 1.3f);
        if (pick(0, 40) == 0) {
            q->multiplier.data[oc] = pick(0, 1) ? 0 : pick(0, 3) ? 0.5f : -0.5f;
            q->offset.data[oc] = (float)p->low + 2;
        }
    }
    if (pick(0, 3) == 0) {
        q->residual = random_codes(q->dst.count, 0, 255);
        POINT(*p, residual, q->residual);
        memcpy(&p->residual_batch_stride, &p->dst_batch_stride, 3 * sizeof(int64_t));
    }
    p->residual_a = random_float(0.1f, 1.5f);
    p->residual_b = random_float(0.1f, 1.5f);
    p->residual_c = random_float(-30, 30);
    p->residual_high = 255;
    q->thresholds = random_codes(shrike_conv2d_q_thresholds_size(p->out_channels), 0, 255);
    if (shrike_conv2d_q_thresholds(p, q->thresholds.data, q->thresholds.count) == SHRIKE_OK) {
        POINT(*p, thresholds, q->thresholds);
    }
}

static problem make_problem(int kind) {
    problem q = {0};
    shrike_conv2d_q_params *p = &q.p;
    make_sizes(p, kind);
    int32_t half = 1 << (p->weight_bits - 1), most = (1 << p->src_bits) - 1;
    int64_t in[3], out[3], low = -half, high = half - 1, extreme = pick(0, 5);
    if (pick(0, 2) == 0) {
        low = 0;
        high = 2 * half - 1;
    }
    lay_out_image(p->height, p->width, p->channels, in);
    lay_out_image(p->out_height, p->out_width, p->out_channels, out);
    memcpy(&p->src_batch_stride, in, sizeof in);
    memcpy(&p->dst_batch_stride, out, sizeof out);
    q.src = random_codes(image_extent(p->batch, p->height, p->width, p->channels, in), extreme < 2 ? most : 0, most);
    q.dst = random_codes(4 * image_extent(p->batch, p->out_height, p->out_width, p->out_channels, out), 0, 60);
    q.weights = random_codes((int64_t)p->out_channels * p->channels * p->kernel_height * p->kernel_width, 0, 0);
    for (int64_t i = 0; i < q.weights.count; i++) {
        int64_t code = p->weight_bipolar ? 2 * pick(0, 1) - 1 : extreme % 2 ? high : pick(low, high);
        q.weights.data[i] = (uint8_t)code;
    }
    if (pick(0, 2) == 0) {
        q.weight_zero = malloc((size_t)p->out_channels * sizeof(int32_t));
        for (int32_t oc = 0; oc < p->out_channels; oc++) {
            q.weight_zero[oc] = (int32_t)pick(-128, 255);
        }
    }
    /* Floats hold sums below 2^24 exactly, so nothing of a difference is rounded away. */
    q.multiplier = allocate_random(p->out_channels, 1, 1);
    q.offset = allocate_random(p->out_channels, 0, 0);
    POINT(*p, src, q.src);
    POINT(*p, multiplier, q.multiplier);
    POINT(*p, offset, q.offset);
    p->output = SHRIKE_QOUT_REAL;
    p->high = 255;
    q.table = random_codes(256, 0, 0);
    if (pick(0, 1)) {
        make_output(&q);
    }
    describe("w%d%s a%d zero %d, output %d table %d thresholds %d residual %d: n%d %dx%dx%d -> %dx%dx%d kernel %dx%d"
             " stride %d,%d pad %d,%d dilation %d,%d",
             p->weight_bits, p->weight_bipolar ? " bipolar" : "", p->src_bits, p->src_zero, p->output, p->table != NULL,
             p->thresholds != NULL, p->residual != NULL, p->batch, p->height, p->width, p->channels, p->out_height,
             p->out_width, p->out_channels, p->kernel_height, p->kernel_width, p->stride_height, p->stride_width,
             p->pad_top, p->pad_left, p->dilation_height, p->dilation_width);
    return q;
}

static codes run(const problem *q, shrike_context *context, int32_t kernel) {
    shrike_conv2d_q_params p = q->p;
    p.kernel = kernel;
    codes result = duplicate_codes(q->dst);
    codes packed = random_codes(shrike_conv2d_q_packed_size(context, &p), 0, 255);
    /* Aligned, its end at a guard page. */
    codes workspace = random_codes((shrike_conv2d_q_workspace(context, &p) + 63) / 64 * 64, 0, 255);
    expect_status(SHRIKE_OK,
                  shrike_conv2d_q_pack(context, &p, (const int8_t *)q->weights.data, q->weights.count, q->weight_zero,
                                       p.out_channels * (int64_t)sizeof(int32_t), packed.data, packed.count),
                  "pack");
    POINT(p, weights, packed);
    POINT(p, workspace, workspace);
    POINT(p, dst, result);
    expect_status(SHRIKE_OK, shrike_conv2d_q(context, &p), "run");
    release_codes(packed);
    release_codes(workspace);
    return result;
}

static void check_problem(tier *tiers, int count, int kind) {
    problem q = make_problem(kind);
    codes expected = run(&q, tiers[0].context, SHRIKE_QKERNEL_REFERENCE);
    for (int i = 0; i < count; i++) {
        shrike_conv2d_q_params p = q.p;
        p.kernel = SHRIKE_QKERNEL_BITSERIAL;
        const char *name = shrike_conv2d_q_kernel(tiers[i].context, &p);
        if (!name || strncmp(name, "conv2d_bitserial", 11) != 0) {
            fail("%s is no bit-serial kernel", name ? name : "null");
        }
        codes result = run(&q, tiers[i].context, SHRIKE_QKERNEL_BITSERIAL);
        expect_same_codes(&expected, &result, name);
        release_codes(result);
    }
    release_codes(expected);
    release_codes(q.src);
    release_codes(q.dst);
    release_codes(q.weights);
    release_codes(q.table);
    if (q.thresholds.data) {
        release_codes(q.thresholds);
    }
    if (q.residual.data) {
        release_codes(q.residual);
    }
    release(q.multiplier);
    release(q.offset);
    free(q.weight_zero);
}

/* What the kernels do not take is refused when they are asked for by name, and left to others when not. */
static void check_limits(shrike_context *context) {
    shrike_conv2d_q_params p = {.batch = 1,
                                .height = 4,
                                .width = 4,
                                .channels = 8,
                                .out_height = 4,
                                .out_width = 4,
                                .out_channels = 8,
                                .groups = 1,
                                .kernel_height = 1,
                                .kernel_width = 1,
                                .stride_height = 1,
                                .stride_width = 1,
                                .dilation_height = 1,
                                .dilation_width = 1,
                                .src_bits = 4,
                                .weight_bits = 4,
                                .high = 255,
                                .kernel = SHRIKE_QKERNEL_BITSERIAL};
    describe("limits");
    if (!shrike_conv2d_q_kernel(context, &p)) {
        fail("no kernel for w4a4");
    }
#define REFUSE(change)                                                                                                 \
    do {                                                                                                               \
        shrike_conv2d_q_params bad = p;                                                                                \
        bad.change;                                                                                                    \
        if (shrike_conv2d_q_kernel(context, &bad) || shrike_conv2d_q_packed_size(context, &bad) != -1) {               \
            fail("a bit-serial kernel for %s", #change);                                                               \
        }                                                                                                              \
        bad.kernel = SHRIKE_QKERNEL_BEST;                                                                              \
        if (!shrike_conv2d_q_kernel(context, &bad)) {                                                                  \
            fail("no kernel at all for %s", #change);                                                                  \
        }                                                                                                              \
    } while (0)
    REFUSE(src_bits = 5);
    REFUSE(weight_bits = 5);
    REFUSE(groups = 2);
    REFUSE(kernel_height = 257);
    REFUSE(stride_height = bad.stride_width = 1 << 24);
}

int main(void) {
    start_tests(20260202);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_limits(tiers[0].context);
    for (int i = 0; i < PROBLEMS; i++) {
        check_problem(tiers, count, i % KINDS);
    }
    destroy_tiers(tiers, count);
    printf("%d problems, %d contexts: ok\n", PROBLEMS, count);
    return 0;
}
