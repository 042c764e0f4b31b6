/*
 * Convolutions by ARM Compute Library against double arithmetic: floats within 1e-4 of the largest sum of magnitudes,
 * codes within one code. Sizes around its tiles and its choice of kernels (Winograd for 3x3 and 5x5, products of
 * matrices, 1x1 without gathering), uneven padding, strides, dilation, slices of wider images, batches, activations,
 * one and two threads. Nothing outside dst's channels may change.
 */
#include "shrike.h"
#include "shrike_acl.h"
#include "test/test.h"

/* test.h describes statuses of libshrike, which this program does without. */
const char *shrike_status_text(int32_t status) {
    (void)status;
    return shrike_acl_message();
}
uint64_t shrike_cpu_features(void) {
    return 0;
}
int32_t shrike_context_create(int32_t threads, uint64_t feature_mask, shrike_context **out) {
    (void)threads;
    (void)feature_mask;
    *out = NULL;
    return SHRIKE_EUNSUPPORTED;
}
void shrike_context_destroy(shrike_context *context) {
    (void)context;
}

typedef shrike_acl_conv2d_params params;

static double activate(const params *p, double x) {
    switch (p->activation) {
    case SHRIKE_ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case SHRIKE_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return x > 0 ? x : p->alpha * x;
    case SHRIKE_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    case SHRIKE_ACTIVATION_HARD_SWISH:
        return x * fmax(0, fmin(1, x / 6 + 0.5));
    case SHRIKE_ACTIVATION_TANH:
        return tanh(x);
    case SHRIKE_ACTIVATION_CLIP:
        return fmax(p->alpha, fmin(p->beta, x));
    default:
        return x;
    }
}

static double source(const params *p, int64_t at) {
    switch (p->type) {
    case SHRIKE_ACL_U8:
        return ((const uint8_t *)p->src)[at] - p->src_zero;
    case SHRIKE_ACL_S8:
        return ((const int8_t *)p->src)[at] - p->src_zero;
    default:
        return ((const float *)p->src)[at];
    }
}

static double weight(const params *p, int64_t at) {
    return p->type == SHRIKE_ACL_F32 ? ((const float *)p->weights)[at] : ((const int8_t *)p->weights)[at];
}

/* The sum at one place, in units of the codes for codes, and the sum of magnitudes. */
static double reference(const params *p, int n, int y, int x, int o, double *magnitude) {
    double sum = 0;
    if (p->bias) {
        sum = p->type == SHRIKE_ACL_F32 ? ((const float *)p->bias)[o] : ((const int32_t *)p->bias)[o];
    }
    *magnitude = fabs(sum);
    for (int ky = 0; ky < p->kernel_height; ky++) {
        for (int kx = 0; kx < p->kernel_width; kx++) {
            int sy = y * p->stride_height - p->pad_top + ky * p->dilation_height;
            int sx = x * p->stride_width - p->pad_left + kx * p->dilation_width;
            if (sy < 0 || sy >= p->height || sx < 0 || sx >= p->width) {
                continue;
            }
            for (int c = 0; c < p->channels; c++) {
                int64_t w = (((int64_t)o * p->channels + c) * p->kernel_height + ky) * p->kernel_width + kx;
                int64_t s = n * p->src_batch_stride + sy * p->src_row_stride + sx * p->src_pixel_stride + c;
                double product = weight(p, w) * source(p, s);
                sum += product;
                *magnitude += fabs(product);
            }
        }
    }
    return sum;
}

static void expect_pixel(const params *p, int n, int y, int x) {
    for (int o = 0; o < p->out_channels; o++) {
        double magnitude, sum = reference(p, n, y, x, o, &magnitude);
        int64_t at = n * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride + o;
        if (p->type == SHRIKE_ACL_F32) {
            double wanted = activate(p, sum), found = ((const float *)p->dst)[at];
            if (!(fabs(wanted - found) <= 1e-4 * (magnitude > 1 ? magnitude : 1))) {
                fail("(%d, %d, %d, %d) is %.9g, expected %.9g", n, y, x, o, found, wanted);
            }
            continue;
        }
        int low = p->type == SHRIKE_ACL_U8 ? 0 : -128;
        double code = sum * p->src_scale * p->weight_scale[o] / p->dst_scale + p->dst_zero;
        double wanted = fmin(low + 255, fmax(low, rint(code)));
        int found = p->type == SHRIKE_ACL_U8 ? ((const uint8_t *)p->dst)[at] : ((const int8_t *)p->dst)[at];
        if (fabs(wanted - found) > 1) {
            fail("(%d, %d, %d, %d) is code %d, expected %.0f", n, y, x, o, found, wanted);
        }
    }
}

/* What lies between the channels of dst's pixels still holds what was there. */
static void expect_gaps(const params *p, const uint8_t *before, size_t element) {
    const uint8_t *dst = p->dst;
    for (int n = 0; n < p->batch; n++) {
        for (int y = 0; y < p->out_height; y++) {
            for (int x = 0; x < p->out_width; x++) {
                if (n + 1 == p->batch && y + 1 == p->out_height && x + 1 == p->out_width) {
                    return;
                }
                int64_t at = n * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride;
                size_t from = (size_t)(at + p->out_channels) * element,
                       to = (size_t)(at + p->dst_pixel_stride) * element;
                if (memcmp(dst + from, before + from, to - from)) {
                    fail("bytes between the pixels (%d, %d, %d) and the next were changed", n, y, x);
                }
            }
        }
    }
}

static int64_t extent(int64_t batch, int64_t batch_stride, int64_t height, int64_t row, int64_t width, int64_t pixel,
                      int64_t channels) {
    return (batch - 1) * batch_stride + (height - 1) * row + (width - 1) * pixel + channels;
}

static void fill_bytes(buffer b, int low, int high) {
    uint8_t *bytes = (uint8_t *)b.data;
    for (int64_t i = 0; i < b.count * 4; i++) {
        bytes[i] = (uint8_t)pick(low, high);
    }
}

static buffer constants(const params *p, int64_t count, float reach) {
    if (p->type == SHRIKE_ACL_F32) {
        return allocate_random(count, -reach, reach);
    }
    buffer b = allocate((count + 3) / 4);
    fill_bytes(b, -127, 127);
    return b;
}

/* Elements that end where a page without access begins, as far as whole floats allow. */
static buffer image(const params *p, int64_t count) {
    if (p->type == SHRIKE_ACL_F32) {
        return allocate_random(count, -1, 1);
    }
    buffer b = allocate((count + 3) / 4);
    fill_bytes(b, 0, 255);
    return b;
}

static const char *kernels[16];
static int kernel_uses[16], converted;

static void count_kernel(const char *name) {
    for (int i = 0; i < 16; i++) {
        if (!kernels[i] || !strcmp(kernels[i], name)) {
            kernels[i] = name;
            kernel_uses[i]++;
            return;
        }
    }
}

static void run_case(params p, int src_gap, int dst_gap) {
    describe("type %d method %d: %dx%d/%dx%d pad %d,%d dilation %d, %d -> %d, %dx%d -> %dx%d, batch %d, gaps %d %d, "
             "activation %d, %d threads",
             p.type, p.method, p.kernel_height, p.kernel_width, p.stride_height, p.stride_width, p.pad_top, p.pad_left,
             p.dilation_height, p.channels, p.out_channels, p.height, p.width, p.out_height, p.out_width, p.batch,
             src_gap, dst_gap, p.activation, p.threads);
    p.src_pixel_stride = p.channels + src_gap;
    p.src_row_stride = p.width * p.src_pixel_stride;
    p.src_batch_stride = p.height * p.src_row_stride;
    p.dst_pixel_stride = p.out_channels + dst_gap;
    p.dst_row_stride = p.out_width * p.dst_pixel_stride;
    p.dst_batch_stride = p.out_height * p.dst_row_stride;
    size_t element = p.type == SHRIKE_ACL_F32 ? 4 : 1;
    buffer src = image(
        &p, extent(p.batch, p.src_batch_stride, p.height, p.src_row_stride, p.width, p.src_pixel_stride, p.channels));
    buffer dst = image(&p, extent(p.batch, p.dst_batch_stride, p.out_height, p.dst_row_stride, p.out_width,
                                  p.dst_pixel_stride, p.out_channels));
    int64_t depth = (int64_t)p.channels * p.kernel_height * p.kernel_width;
    buffer weights = constants(&p, depth * p.out_channels, 1);
    buffer scales = allocate_random(p.out_channels, 0.002f, 0.01f);
    buffer bias = allocate_random(p.out_channels, -1, 1);
    if (p.type != SHRIKE_ACL_F32) {
        for (int i = 0; i < p.out_channels; i++) {
            ((int32_t *)bias.data)[i] = (int32_t)pick(-2000, 2000);
        }
        p.src_scale = 0.02f;
        p.dst_scale = (float)(0.02 * 0.006 * 5000 * sqrt((double)depth) / 100);
        p.src_zero = (int)pick(0, 255) - (p.type == SHRIKE_ACL_S8 ? 128 : 0);
        p.dst_zero = (int)pick(64, 192) - (p.type == SHRIKE_ACL_S8 ? 128 : 0);
        p.weight_scale = scales.data;
    }
    p.src = src.data;
    p.dst = dst.data;
    p.weights = weights.data;
    p.bias = pick(0, 3) ? bias.data : NULL;
    params told = p;
    buffer given_weights = duplicate(weights), given_bias = duplicate(bias);
    buffer before = duplicate(dst);
    shrike_acl_conv2d *convolution = NULL;
    told.weights = given_weights.data;
    told.bias = p.bias ? given_bias.data : NULL;
    expect_status(SHRIKE_ACL_OK, shrike_acl_conv2d_create(&told, &convolution), "create");
    /* They were copied. */
    release(given_weights);
    release(given_bias);
    count_kernel(shrike_acl_conv2d_kernel(convolution));
    for (int run = 0; run < 2; run++) {
        expect_status(SHRIKE_ACL_OK, shrike_acl_conv2d_run(convolution), "run");
    }
    shrike_acl_conv2d_destroy(convolution);
    for (int n = 0; n < p.batch; n++) {
        for (int y = 0; y < p.out_height; y++) {
            for (int x = 0; x < p.out_width; x++) {
                expect_pixel(&p, n, y, x);
            }
        }
    }
    expect_gaps(&p, (const uint8_t *)before.data, element);
    converted++;
    release(src);
    release(dst);
    release(before);
    release(weights);
    release(scales);
    release(bias);
}

static params square(int type, int method, int channels, int out_channels, int size, int kernel, int stride, int pad) {
    int out = (size + 2 * pad - kernel) / stride + 1;
    return (params){.batch = 1,
                    .height = size,
                    .width = size,
                    .channels = channels,
                    .out_height = out,
                    .out_width = out,
                    .out_channels = out_channels,
                    .groups = 1,
                    .kernel_height = kernel,
                    .kernel_width = kernel,
                    .stride_height = stride,
                    .stride_width = stride,
                    .pad_top = pad,
                    .pad_left = pad,
                    .dilation_height = 1,
                    .dilation_width = 1,
                    .type = type,
                    .method = method,
                    .threads = 1};
}

/* The kinds of layers of YOLOv5, small. */
static void run_network_layers(void) {
    static const int layers[][6] = {{3, 16, 24, 6, 2, 2},  {16, 32, 20, 3, 2, 1}, {32, 16, 13, 1, 1, 0},
                                    {16, 16, 15, 3, 1, 1}, {64, 64, 20, 3, 1, 1}, {128, 64, 10, 1, 1, 0},
                                    {64, 128, 9, 3, 2, 1}, {32, 255, 7, 1, 1, 0}, {20, 24, 12, 5, 1, 2}};
    for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
        const int *l = layers[i];
        for (int method = 0; method < SHRIKE_ACL_METHOD_COUNT; method++) {
            for (int type = 0; type < SHRIKE_ACL_TYPE_COUNT; type++) {
                params p = square(type, method, l[0], l[1], l[2], l[3], l[4], l[5]);
                p.activation = type == SHRIKE_ACL_F32 ? SHRIKE_ACTIVATION_SILU : SHRIKE_ACTIVATION_NONE;
                run_case(p, 0, 0);
                run_case(p, 16, 0);
                run_case(p, 0, 8);
                p.threads = 2;
                run_case(p, 5, 3);
            }
        }
    }
}

static void run_activations(void) {
    for (int activation = 0; activation < SHRIKE_ACTIVATION_COUNT; activation++) {
        for (int method = 0; method < SHRIKE_ACL_METHOD_COUNT; method++) {
            params p = square(SHRIKE_ACL_F32, method, 8, 12, 9, 3, 1, 1);
            p.activation = activation;
            p.alpha = activation == SHRIKE_ACTIVATION_CLIP ? -0.5f : 0.1f;
            p.beta = activation == SHRIKE_ACTIVATION_CLIP ? 1.5f : 0.5f;
            if (activation != SHRIKE_ACTIVATION_HARD_SIGMOID) {
                run_case(p, 0, 4);
            }
        }
    }
}

static void run_random(int count) {
    for (int i = 0; i < count; i++) {
        int kernel = (int)pick(1, 5), stride = (int)pick(1, 2), size = (int)pick(5, 18);
        params p = square((int)pick(0, SHRIKE_ACL_TYPE_COUNT - 1), (int)pick(0, 1), (int)pick(1, 40), (int)pick(1, 40),
                          size, kernel, stride, (int)pick(0, kernel / 2));
        p.width = size + (int)pick(0, 9);
        p.kernel_width = pick(0, 3) ? kernel : (int)pick(1, 5);
        p.batch = (int)pick(1, 2);
        /* Windows that end before the edge, at it, or one pixel behind it. */
        p.out_height = (p.height + 2 * p.pad_top - p.kernel_height) / p.stride_height + 1;
        p.out_width = (p.width + p.pad_left + (int)pick(0, p.pad_left) - p.kernel_width) / p.stride_width + 1;
        if (p.out_width < 1 || p.out_height < 1) {
            continue;
        }
        p.activation = p.type == SHRIKE_ACL_F32 ? (int32_t)pick(0, SHRIKE_ACTIVATION_RELU) : SHRIKE_ACTIVATION_NONE;
        p.threads = (int)pick(1, 2);
        run_case(p, (int)pick(0, 1) * (int)pick(1, 20), (int)pick(0, 1) * (int)pick(1, 20));
    }
}

static void expect_refused(params p, int32_t status, const char *what) {
    static float memory[4096];
    shrike_acl_conv2d *convolution = (shrike_acl_conv2d *)memory;
    p.src = p.src ? p.src : memory;
    p.dst = p.dst ? p.dst : memory;
    p.weights = memory;
    p.src_pixel_stride = p.src_pixel_stride ? p.src_pixel_stride : p.channels;
    p.src_row_stride = p.src_row_stride ? p.src_row_stride : p.width * p.src_pixel_stride;
    p.src_batch_stride = p.height * p.src_row_stride;
    p.dst_pixel_stride = p.out_channels;
    p.dst_row_stride = p.out_width * p.dst_pixel_stride;
    p.dst_batch_stride = p.out_height * p.dst_row_stride;
    expect_status(status, shrike_acl_conv2d_create(&p, &convolution), what);
    if (convolution || !*shrike_acl_message()) {
        fail("%s: a convolution was left, or no message", what);
    }
}

static void run_errors(void) {
    params good = square(SHRIKE_ACL_F32, SHRIKE_ACL_BEST, 4, 4, 4, 3, 1, 1), p = good;
    describe("errors");
    shrike_acl_conv2d *convolution = NULL;
    expect_status(SHRIKE_ACL_EINVAL, shrike_acl_conv2d_create(NULL, &convolution), "no params");
    expect_status(SHRIKE_ACL_EINVAL, shrike_acl_conv2d_create(&good, NULL), "no place");
    expect_status(SHRIKE_ACL_EINVAL, shrike_acl_conv2d_run(NULL), "no convolution");
    shrike_acl_conv2d_destroy(NULL);
    expect_refused((p = good, p.channels = 0, p), SHRIKE_ACL_EINVAL, "no channels");
    expect_refused((p = good, p.pad_top = -1, p), SHRIKE_ACL_EINVAL, "negative padding");
    expect_refused((p = good, p.threads = 0, p), SHRIKE_ACL_EINVAL, "no threads");
    expect_refused((p = good, p.src_pixel_stride = 3, p), SHRIKE_ACL_EINVAL, "pixels that overlap");
    expect_refused((p = good, p.type = SHRIKE_ACL_TYPE_COUNT, p), SHRIKE_ACL_EINVAL, "type");
    expect_refused((p = good, p.method = -1, p), SHRIKE_ACL_EINVAL, "method");
    expect_refused((p = good, p.type = SHRIKE_ACL_U8, p), SHRIKE_ACL_EINVAL, "no scales");
    expect_refused((p = good, p.src_row_stride = 17, p), SHRIKE_ACL_EUNSUPPORTED, "rows apart");
    expect_refused((p = good, p.groups = 2, p), SHRIKE_ACL_EUNSUPPORTED, "groups");
    expect_refused((p = good, p.activation = SHRIKE_ACTIVATION_HARD_SIGMOID, p), SHRIKE_ACL_EUNSUPPORTED, "activation");
    expect_refused((p = good, p.out_height = 2, p), SHRIKE_ACL_EUNSUPPORTED, "fewer rows than windows");
}

int main(void) {
    start_tests(20250101);
    if (shrike_acl_abi_version() != SHRIKE_ACL_ABI_VERSION) {
        fail("ABI version %u", shrike_acl_abi_version());
    }
    run_errors();
    run_network_layers();
    run_activations();
    run_random(150);
    printf("ARM Compute Library %s, %d convolutions:", shrike_acl_version(), converted);
    for (int i = 0; i < 16 && kernels[i]; i++) {
        printf(" %s %d", kernels[i], kernel_uses[i]);
    }
    puts("");
    return 0;
}
