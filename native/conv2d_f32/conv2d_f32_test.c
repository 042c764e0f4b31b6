/*
 * Every kernel of every tier against a sum in double over the unpacked weights: random sizes around each tile edge,
 * slices of wider images, all activations, residuals apart and in place, one thread and three. What lies between
 * pixels must stay untouched, and every buffer ends at a guard page.
 */
#include "test/test.h"

typedef struct problem {
    shrike_conv2d_f32_params p;
    buffer src, dst, weights, packed, bias, residual;
    int in_place;
} problem;

static double activate(int32_t kind, double x, double alpha, double beta) {
    switch (kind) {
    case SHRIKE_ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case SHRIKE_ACTIVATION_RELU:
        return fmax(0, x);
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case SHRIKE_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    case SHRIKE_ACTIVATION_HARD_SIGMOID:
        return fmax(0, fmin(1, alpha * x + beta));
    case SHRIKE_ACTIVATION_HARD_SWISH:
        return x * fmax(0, fmin(1, x / 6 + 0.5));
    case SHRIKE_ACTIVATION_TANH:
        return tanh(x);
    case SHRIKE_ACTIVATION_CLIP:
        return fmax(alpha, fmin(beta, x));
    default:
        return x;
    }
}

/* The exact value of one output, and in *scale the sum of magnitudes that rounding errors are measured against. */
static double expected(const problem *q, int64_t n, int64_t y, int64_t x, int64_t oc, double *scale) {
    const shrike_conv2d_f32_params *p = &q->p;
    int64_t group_in = p->channels / p->groups;
    int64_t first = oc / (p->out_channels / p->groups) * group_in;
    double sum = p->bias ? p->bias[oc] : 0;
    *scale = fabs(sum);
    for (int64_t ic = 0; ic < group_in; ic++) {
        for (int64_t ky = 0; ky < p->kernel_height; ky++) {
            for (int64_t kx = 0; kx < p->kernel_width; kx++) {
                int64_t in_y = y * p->stride_height - p->pad_top + ky * p->dilation_height;
                int64_t in_x = x * p->stride_width - p->pad_left + kx * p->dilation_width;
                if (in_y < 0 || in_y >= p->height || in_x < 0 || in_x >= p->width) {
                    continue;
                }
                double value = p->src[n * p->src_batch_stride + in_y * p->src_row_stride + in_x * p->src_pixel_stride +
                                      first + ic];
                double weight = q->weights.data[((oc * group_in + ic) * p->kernel_height + ky) * p->kernel_width + kx];
                sum += value * weight;
                *scale += fabs(value * weight);
            }
        }
    }
    return activate(p->activation, sum, p->alpha, p->beta);
}

static int64_t extent(int64_t batch, int64_t height, int64_t width, int64_t channels, const int64_t *strides) {
    return (batch - 1) * strides[0] + (height - 1) * strides[1] + (width - 1) * strides[2] + channels;
}

static void lay_out(int64_t height, int64_t width, int64_t channels, int64_t *strides) {
    strides[2] = channels + (pick(0, 1) ? pick(1, 40) : 0);
    strides[1] = width * strides[2] + (pick(0, 3) ? 0 : pick(1, 20));
    strides[0] = height * strides[1] + (pick(0, 3) ? 0 : pick(1, 20));
}

static void make_sizes(shrike_conv2d_f32_params *p) {
    static const int32_t edges[] = {1, 2, 3, 4, 7, 8, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 64, 65, 80};
    int32_t many = (int32_t)ARRAY_SIZE(edges) - 1;
    p->batch = (int32_t)pick(1, 2);
    p->groups = 1;
    p->channels = edges[pick(0, many)];
    p->out_channels = edges[pick(0, many)];
    int64_t form = pick(0, 9);
    if (form == 0) {
        p->groups = p->out_channels = p->channels;
    } else if (form == 1) {
        p->groups = (int32_t)pick(2, 4);
        p->channels = p->groups * (int32_t)pick(1, 20);
        p->out_channels = p->groups * (int32_t)pick(1, 40);
    } else if (form == 2) {
        p->channels = (int32_t)pick(500, 1100);
    }
    p->kernel_height = (int32_t)pick(1, 4);
    p->kernel_width = pick(0, 3) ? p->kernel_height : (int32_t)pick(1, 6);
    if (pick(0, 19) == 0) {
        p->kernel_height = p->kernel_width = 12; /* beyond the segments of the implicit GEMM */
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
    p->out_width = (int32_t)pick(1, 20);
}

static problem make_problem(void) {
    problem q = {.in_place = 0};
    shrike_conv2d_f32_params *p = &q.p;
    make_sizes(p);
    p->activation = (int32_t)(pick(0, 1) ? pick(0, 1) : pick(0, SHRIKE_ACTIVATION_COUNT - 1));
    p->alpha = p->activation == SHRIKE_ACTIVATION_CLIP ? -0.5f : 0.2f;
    p->beta = 0.6f;
    int64_t in[3], out[3], add[3];
    lay_out(p->height, p->width, p->channels, in);
    lay_out(p->out_height, p->out_width, p->out_channels, out);
    lay_out(p->out_height, p->out_width, p->out_channels, add);
    q.src = allocate_random(extent(p->batch, p->height, p->width, p->channels, in), -1, 1);
    q.dst = allocate_random(extent(p->batch, p->out_height, p->out_width, p->out_channels, out), -9, 9);
    q.residual = allocate_random(extent(p->batch, p->out_height, p->out_width, p->out_channels, add), -1, 1);
    q.weights = allocate_random(
        (int64_t)p->out_channels * (p->channels / p->groups) * p->kernel_height * p->kernel_width, -0.5f, 0.5f);
    q.bias = allocate_random(p->out_channels, -1, 1);
    q.packed = allocate(shrike_conv2d_f32_packed_size(p));
    expect_status(
        SHRIKE_OK,
        shrike_conv2d_f32_pack(p, q.weights.data, WHOLE(q.weights).after, q.packed.data, WHOLE(q.packed).after),
        "pack");
    POINT(*p, src, q.src);
    POINT(*p, weights, q.packed);
    p->bias = pick(0, 3) ? q.bias.data : NULL;
    p->bias_bounds = WHOLE(q.bias);
    memcpy(&p->src_batch_stride, in, sizeof in);
    memcpy(&p->dst_batch_stride, out, sizeof out);
    int64_t residual = pick(0, 3);
    q.in_place = residual == 0;
    if (residual == 1) {
        POINT(*p, residual, q.residual);
        memcpy(&p->residual_batch_stride, add, sizeof add);
    } else if (q.in_place) {
        memcpy(&p->residual_batch_stride, out, sizeof out);
    }
    describe("n%d %dx%dx%d -> %dx%dx%d groups %d kernel %dx%d stride %d,%d pad %d,%d dilation %d,%d act %d residual %d",
             p->batch, p->height, p->width, p->channels, p->out_height, p->out_width, p->out_channels, p->groups,
             p->kernel_height, p->kernel_width, p->stride_height, p->stride_width, p->pad_top, p->pad_left,
             p->dilation_height, p->dilation_width, p->activation, (int)residual);
    return q;
}

static void check_values(const problem *q, const buffer *result, const char *name) {
    const shrike_conv2d_f32_params *p = &q->p;
    buffer rest = duplicate(*result);
    for (int64_t n = 0; n < p->batch; n++) {
        for (int64_t y = 0; y < p->out_height; y++) {
            for (int64_t x = 0; x < p->out_width; x++) {
                for (int64_t oc = 0; oc < p->out_channels; oc++) {
                    double scale;
                    double value = expected(q, n, y, x, oc, &scale);
                    int64_t at = n * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride + oc;
                    if (q->in_place) {
                        value += q->dst.data[at];
                    } else if (p->residual) {
                        value += p->residual[n * p->residual_batch_stride + y * p->residual_row_stride +
                                             x * p->residual_pixel_stride + oc];
                    }
                    /* n rounding errors of 2^-24 of a partial sum each: far less than 1e-6 of the magnitudes */
                    if (!close_enough(value, result->data[at], 1e-6 * scale + 1e-6, 1e-6)) {
                        fail("%s: n %d y %d x %d oc %d is %.9g, expected %.9g", name, (int)n, (int)y, (int)x, (int)oc,
                             result->data[at], value);
                    }
                    rest.data[at] = q->dst.data[at];
                }
            }
        }
    }
    expect_same_bits(&q->dst, &rest, "what lies between the pixels");
    release(rest);
}

static void check_problem(tier *tiers, int count) {
    problem q = make_problem();
    buffer one_thread = {0};
    for (int i = 0; i < count; i++) {
        buffer result = duplicate(q.dst);
        shrike_conv2d_f32_params p = q.p;
        POINT(p, dst, result);
        p.residual = q.in_place ? result.data : p.residual;
        p.residual_bounds = q.in_place ? WHOLE(result) : p.residual_bounds;
        const char *name = shrike_conv2d_f32_kernel(tiers[i].context, &p);
        expect_status(SHRIKE_OK, shrike_conv2d_f32(tiers[i].context, &p), tiers[i].name);
        if (tiers[i].threads == 1) {
            check_values(&q, &result, name);
            one_thread = result;
        } else {
            expect_same_bits(&one_thread, &result, "three threads against one");
            release(one_thread);
            release(result);
        }
    }
    release(q.src);
    release(q.dst);
    release(q.weights);
    release(q.packed);
    release(q.bias);
    release(q.residual);
}

static void check_bad_arguments(shrike_context *context) {
    float image[64] = {0}, packed[64] = {0};
    shrike_conv2d_f32_params good = {.src = image,
                                     .dst = image + 32,
                                     .weights = packed,
                                     .src_bounds = WHOLE_ARRAY(image),
                                     .dst_bounds = {32 * sizeof(float), 4 * sizeof(float)},
                                     .weights_bounds = {0, 32 * sizeof(float)},
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
                                     .dilation_width = 1};
    describe("bad arguments");
    expect_status(SHRIKE_OK, shrike_conv2d_f32(context, &good), "the good call");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_f32(NULL, &good), "null context");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_f32(context, NULL), "null params");
#define REFUSE(change)                                                                                                 \
    do {                                                                                                               \
        shrike_conv2d_f32_params bad = good;                                                                           \
        bad.change;                                                                                                    \
        expect_status(SHRIKE_EINVAL, shrike_conv2d_f32(context, &bad), #change);                                       \
        if (shrike_conv2d_f32_kernel(context, &bad)) {                                                                 \
            fail("a kernel for %s", #change);                                                                          \
        }                                                                                                              \
    } while (0)
    REFUSE(src = NULL);
    REFUSE(dst = NULL);
    REFUSE(weights = NULL);
    REFUSE(batch = 0);
    REFUSE(height = -1);
    REFUSE(channels = 0);
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
    REFUSE(activation = SHRIKE_ACTIVATION_COUNT);
    REFUSE(activation = -1);
    REFUSE(reserved = 1);
    REFUSE(src_bounds.after = 15);
    REFUSE(src_bounds.before = -1);
    REFUSE(dst_bounds.after = INT64_MIN);
    REFUSE(weights_bounds.after = 31 * sizeof(float));
    REFUSE(bias = packed); /* without bounds */
    REFUSE(residual = image);
    REFUSE(stride_height = 1 << 30);
    REFUSE(pad_left = 1 << 30);
    REFUSE(dilation_height = 1 << 29);
    shrike_conv2d_f32_params huge = good;
    huge.channels = huge.out_channels = huge.kernel_height = huge.kernel_width = INT32_MAX;
    if (shrike_conv2d_f32_packed_size(&huge) != -1 || shrike_conv2d_f32_packed_size(NULL) != -1) {
        fail("a packed size for impossible weights");
    }
    expect_status(SHRIKE_EINVAL, shrike_conv2d_f32_pack(&good, NULL, sizeof image, packed, sizeof packed),
                  "null weights to pack");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_f32_pack(&good, image, 12, packed, sizeof packed), "too few weights");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_f32_pack(&good, image, 16, packed, 124), "no room for the weights");
}

int main(void) {
    start_tests(20260101);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_bad_arguments(tiers[0].context);
    for (int i = 0; i < 300; i++) {
        check_problem(tiers, count);
    }
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
