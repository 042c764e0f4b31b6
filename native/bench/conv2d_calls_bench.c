/*
 * conv2d_calls_bench KIND CALLS CHANNELS OUT_CHANNELS SIZE KERNEL STRIDE PAD: runs one convolution CALLS times on one
 * thread, between two marks (marks.h), and prints the kernel's name. It measures nothing: an emulator that counts
 * instructions does (see instructions.sh).
 *
 * KIND: f32, or wXaY for codes of those widths and the best kernel, or wXaY-int8 and wXaY-bits for one kind of kernel,
 * or wXaY-float for the best kernel and SiLU taken in float, not by a table of codes of 8 bits.
 */
#include <math.h>

#include "bench/bench.h"
#include "bench/marks.h"

enum { ARGUMENTS = 8 };

typedef struct layer {
    int channels, out_channels, size, kernel, stride, pad;
} layer;

static void *allocate(int64_t bytes) {
    void *memory = NULL;
    if (bytes < 0 || posix_memalign(&memory, 64, (size_t)(bytes + 63) / 64 * 64)) {
        fprintf(stderr, "no memory for %lld bytes\n", (long long)bytes);
        exit(1);
    }
    memset(memory, 0, (size_t)bytes);
    return memory;
}

static void expect_ok(int32_t status) {
    if (status) {
        fprintf(stderr, "convolution: %s\n", shrike_status_text(status));
        exit(1);
    }
}

static int out_size(const layer *l) {
    return (l->size + 2 * l->pad - l->kernel) / l->stride + 1;
}

static void run_floats(shrike_context *context, const layer *l, int calls) {
    int out = out_size(l);
    shrike_conv2d_f32_params p = {.src_row_stride = (int64_t)l->size * l->channels,
                                  .src_pixel_stride = l->channels,
                                  .dst_row_stride = (int64_t)out * l->out_channels,
                                  .dst_pixel_stride = l->out_channels,
                                  .batch = 1,
                                  .height = l->size,
                                  .width = l->size,
                                  .channels = l->channels,
                                  .out_height = out,
                                  .out_width = out,
                                  .out_channels = l->out_channels,
                                  .groups = 1,
                                  .kernel_height = l->kernel,
                                  .kernel_width = l->kernel,
                                  .stride_height = l->stride,
                                  .stride_width = l->stride,
                                  .pad_top = l->pad,
                                  .pad_left = l->pad,
                                  .dilation_height = 1,
                                  .dilation_width = 1,
                                  .activation = SHRIKE_ACTIVATION_SILU};
    const int64_t taps = (int64_t)l->out_channels * l->channels * l->kernel * l->kernel;
    p.src_bounds = bounds_of((int64_t)l->size * l->size * l->channels * 4);
    p.dst_bounds = bounds_of((int64_t)out * out * l->out_channels * 4);
    p.bias_bounds = bounds_of(l->out_channels * INT64_C(4));
    p.weights_bounds = bounds_of(shrike_conv2d_f32_packed_size(&p) * 4);
    float *packed = allocate(p.weights_bounds.after);
    p.src = random_floats((int64_t)l->size * l->size * l->channels, 0, 1);
    p.dst = allocate((int64_t)out * out * l->out_channels * (int64_t)sizeof(float));
    p.bias = random_floats(l->out_channels, -1, 1);
    p.weights = packed;
    expect_ok(shrike_conv2d_f32_pack(&p, random_floats(taps, -0.1f, 0.1f), taps * 4, packed, p.weights_bounds.after));
    MARK(MARK_BEGIN);
    for (int i = 0; i < calls; i++) {
        expect_ok(shrike_conv2d_f32(context, &p));
    }
    MARK(MARK_END);
    puts(shrike_conv2d_f32_kernel(context, &p));
}

/* SiLU from codes of 8 bits, -8..8, to codes of fewer. */
static uint8_t *silu_codes(int bits) {
    const double lowest = -0.2785, scale = (8 - lowest) / ((1 << bits) - 1);
    uint8_t *codes = allocate(256);
    for (int i = 0; i < 256; i++) {
        double x = (i - 128) / 16.0;
        codes[i] = (uint8_t)((x / (1 + exp(-x)) - lowest) / scale + 0.5);
    }
    return codes;
}

static uint8_t *random_codes(int64_t count, int low, int high) {
    float *values = random_floats(count, (float)low, (float)high + 1);
    uint8_t *codes = allocate(count);
    for (int64_t i = 0; i < count; i++) {
        int code = (int)values[i] - (values[i] < 0);
        codes[i] = (uint8_t)(code > high ? high : code);
    }
    free(values);
    return codes;
}

/* As plans do; null where the output is no staircase. */
static void *thresholds_of(const shrike_conv2d_q_params *p) {
    const int64_t bytes = shrike_conv2d_q_thresholds_size(p->out_channels);
    void *thresholds = allocate(bytes);
    return shrike_conv2d_q_thresholds(p, thresholds, bytes) == SHRIKE_OK ? thresholds : NULL;
}

static void run_codes(shrike_context *context, const layer *l, int calls, int weight_bits, int src_bits,
                      const char *form) {
    int out = out_size(l), half = 1 << (weight_bits - 1);
    int64_t depth = (int64_t)l->channels * l->kernel * l->kernel;
    shrike_conv2d_q_params p = {.src_row_stride = (int64_t)l->size * l->channels,
                                .src_pixel_stride = l->channels,
                                .dst_row_stride = (int64_t)out * l->out_channels,
                                .dst_pixel_stride = l->out_channels,
                                .batch = 1,
                                .height = l->size,
                                .width = l->size,
                                .channels = l->channels,
                                .out_height = out,
                                .out_width = out,
                                .out_channels = l->out_channels,
                                .groups = 1,
                                .kernel_height = l->kernel,
                                .kernel_width = l->kernel,
                                .stride_height = l->stride,
                                .stride_width = l->stride,
                                .pad_top = l->pad,
                                .pad_left = l->pad,
                                .dilation_height = 1,
                                .dilation_width = 1,
                                .src_zero = 1,
                                .src_bits = src_bits,
                                .weight_bits = weight_bits,
                                .weight_bipolar = weight_bits == 1,
                                .high = 255,
                                .kernel = !strcmp(form, "-int8")   ? SHRIKE_QKERNEL_INT8
                                          : !strcmp(form, "-bits") ? SHRIKE_QKERNEL_BITSERIAL
                                                                   : SHRIKE_QKERNEL_BEST};
    int low = weight_bits == 1 ? 0 : 1 - half, high = weight_bits == 1 ? 1 : half - 1;
    uint8_t *weights = random_codes(depth * l->out_channels, low, high);
    for (int64_t i = 0; weight_bits == 1 && i < depth * l->out_channels; i++) {
        weights[i] = (uint8_t)(2 * weights[i] - 1);
    }
    p.src_bounds = bounds_of((int64_t)l->size * l->size * l->channels);
    p.dst_bounds = bounds_of((int64_t)out * out * l->out_channels);
    p.multiplier_bounds = p.offset_bounds = bounds_of(l->out_channels * INT64_C(4));
    p.table_bounds = bounds_of(256);
    p.thresholds_bounds = bounds_of(shrike_conv2d_q_thresholds_size(l->out_channels));
    p.weights_bounds = bounds_of(shrike_conv2d_q_packed_size(context, &p));
    p.workspace_bounds = bounds_of(shrike_conv2d_q_workspace(context, &p));
    void *packed = allocate(p.weights_bounds.after);
    p.src = random_codes((int64_t)l->size * l->size * l->channels, 0, (1 << src_bits) - 1);
    p.dst = allocate((int64_t)out * out * l->out_channels);
    p.multiplier = random_floats(l->out_channels, 0.001f, 0.002f);
    p.offset = random_floats(l->out_channels, 120, 136);
    if (!strcmp(form, "-float")) {
        p.activation = SHRIKE_ACTIVATION_SILU;
        p.high = (1 << src_bits) - 1;
        p.code_multiplier = (float)p.high / 8;
    } else {
        p.table = silu_codes(src_bits);
        p.thresholds = thresholds_of(&p);
    }
    p.workspace = allocate(p.workspace_bounds.after);
    p.weights = packed;
    expect_ok(shrike_conv2d_q_pack(context, &p, (const int8_t *)weights, depth * l->out_channels, NULL, 0, packed,
                                   p.weights_bounds.after));
    MARK(MARK_BEGIN);
    for (int i = 0; i < calls; i++) {
        expect_ok(shrike_conv2d_q(context, &p));
    }
    MARK(MARK_END);
    puts(shrike_conv2d_q_kernel(context, &p));
}

int main(int argc, char **argv) {
    layer l;
    int weight_bits, src_bits, calls = argc > ARGUMENTS ? atoi(argv[2]) : 0, at = 0;
    if (argc != ARGUMENTS + 1 || calls < 1) {
        fprintf(stderr, "usage: %s f32|wXaY[-int8|-bits|-float] CALLS CHANNELS OUT_CHANNELS SIZE KERNEL STRIDE PAD\n",
                argv[0]);
        return 2;
    }
    l = (layer){atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), atoi(argv[7]), atoi(argv[8])};
    shrike_context *context = bench_context("best", 1);
    if (!strcmp(argv[1], "f32")) {
        run_floats(context, &l, calls);
    } else if (sscanf(argv[1], "w%da%d%n", &weight_bits, &src_bits, &at) == 2) {
        run_codes(context, &l, calls, weight_bits, src_bits, argv[1] + at);
    } else {
        fprintf(stderr, "%s is neither f32 nor wXaY\n", argv[1]);
        return 2;
    }
    shrike_context_destroy(context);
    return 0;
}
