/*
 * conv2d_q_bench SHAPES [TIER [THREADS [MILLISECONDS [WEIGHT_BITS [CODE_BITS [KERNEL]]]]]]: for each line of a shapes
 * file (see bench/shapes) the median, the quartiles and the rate in GMAC/s of the quantised convolution with a table as
 * activation, and at the end the time of the whole network and rates by kind of layer. KERNEL is a number of enum
 * shrike_qkernel.
 */
#include "bench/bench.h"

enum { MAX_RUNS = 2000, KINDS = 4 };

typedef struct shape {
    int channels, out_channels, size, kernel, stride, pad, silu, residual, count;
} shape;

typedef struct widths {
    int weight_bits, src_bits, kernel;
} widths;

typedef struct result {
    double median, low, high, gmac;
    const char *kernel;
} result;

static uint8_t *random_codes(int64_t count, int low, int high) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, (size_t)(count + 63) / 64 * 64)) {
        fprintf(stderr, "no memory for %lld codes\n", (long long)count);
        exit(1);
    }
    uint8_t *codes = memory;
    uint32_t state = 12345;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        codes[i] = (uint8_t)(low + (int)((state >> 8) % (uint32_t)(high - low + 1)));
    }
    return codes;
}

/* Weights of several bits as networks have them, most of them small: means of five even ones. */
static uint8_t *random_weights(int64_t count, int bits) {
    int half = 1 << (bits - 1), parts = bits > 4 ? 5 : 1;
    uint8_t *even = random_codes(parts * count, 128 - half, 127 + half);
    for (int64_t i = 0; i < count; i++) {
        int sum = 0;
        for (int part = 0; part < parts; part++) {
            sum += even[parts * i + part] - 128;
        }
        even[i] = (uint8_t)(sum / parts);
    }
    return even;
}

static void check(int32_t status) {
    if (status) {
        fprintf(stderr, "conv2d_q: %s\n", shrike_status_text(status));
        exit(1);
    }
}

static shrike_conv2d_q_params params_of(const shape *s, const widths *w, int out) {
    int row = s->size * s->channels, out_row = out * s->out_channels, most = (1 << w->src_bits) - 1;
    return (shrike_conv2d_q_params){.src_batch_stride = (int64_t)row * s->size,
                                    .src_row_stride = row,
                                    .src_pixel_stride = s->channels,
                                    .dst_batch_stride = (int64_t)out_row * out,
                                    .dst_row_stride = out_row,
                                    .dst_pixel_stride = s->out_channels,
                                    .residual_batch_stride = (int64_t)out_row * out,
                                    .residual_row_stride = out_row,
                                    .residual_pixel_stride = s->out_channels,
                                    .batch = 1,
                                    .height = s->size,
                                    .width = s->size,
                                    .channels = s->channels,
                                    .out_height = out,
                                    .out_width = out,
                                    .out_channels = s->out_channels,
                                    .groups = 1,
                                    .kernel_height = s->kernel,
                                    .kernel_width = s->kernel,
                                    .stride_height = s->stride,
                                    .stride_width = s->stride,
                                    .pad_top = s->pad,
                                    .pad_left = s->pad,
                                    .dilation_height = 1,
                                    .dilation_width = 1,
                                    .src_zero = most / 8,
                                    .src_bits = w->src_bits,
                                    .weight_bits = w->weight_bits,
                                    .weight_bipolar = w->weight_bits == 1,
                                    .output = s->silu ? SHRIKE_QOUT_CODES : SHRIKE_QOUT_REAL,
                                    .high = most,
                                    .residual_a = 0.7f,
                                    .residual_b = 0.8f,
                                    .residual_c = -3,
                                    .residual_high = most,
                                    .kernel = w->kernel};
}

/* Layers without activation are those of the head: they give floats. */
static result measure(shrike_context *context, const shape *s, const widths *w, double budget) {
    int out = (s->size + 2 * s->pad - s->kernel) / s->stride + 1;
    shrike_conv2d_q_params p = params_of(s, w, out);
    int64_t weight_count = (int64_t)s->out_channels * s->channels * s->kernel * s->kernel;
    int64_t packed_size = shrike_conv2d_q_packed_size(context, &p);
    if (packed_size < 0) {
        fprintf(stderr, "no kernel of this kind\n");
        exit(1);
    }
    uint8_t *weights = random_weights(weight_count, w->weight_bits);
    for (int64_t i = 0; p.weight_bipolar && i < weight_count; i++) {
        weights[i] = (uint8_t)((weights[i] & 2) - 1);
    }
    uint8_t *src = random_codes(p.src_batch_stride, 0, (1 << w->src_bits) - 1);
    uint8_t *dst = random_codes(4 * p.dst_batch_stride, 0, 9), *residual = random_codes(p.dst_batch_stride, 0, 9);
    uint8_t *packed = random_codes(packed_size, 0, 0), *table = random_codes(256, 0, (1 << w->src_bits) - 1);
    p.src_bounds = bounds_of(p.src_batch_stride);
    p.dst_bounds = bounds_of(4 * p.dst_batch_stride);
    p.residual_bounds = bounds_of(p.dst_batch_stride);
    p.weights_bounds = bounds_of(packed_size);
    p.table_bounds = bounds_of(256);
    p.multiplier_bounds = p.offset_bounds = bounds_of(s->out_channels * INT64_C(4));
    p.workspace_bounds = bounds_of(shrike_conv2d_q_workspace(context, &p));
    p.workspace = random_codes(p.workspace_bounds.after, 0, 0);
    float *multiplier = random_floats(s->out_channels, 0.0001f, 0.001f);
    float *offset = random_floats(s->out_channels, 0, 128);
    check(shrike_conv2d_q_pack(context, &p, (const int8_t *)weights, weight_count, NULL, 0, packed, packed_size));
    p.src = src;
    p.dst = dst;
    p.weights = packed;
    p.multiplier = multiplier;
    p.offset = offset;
    p.table = table;
    p.residual = s->residual ? residual : NULL;
    static double times[MAX_RUNS];
    int runs = 0;
    for (double begin = seconds(context); runs < 5 || (runs < MAX_RUNS && seconds(context) - begin < budget);) {
        double start = seconds(context);
        check(shrike_conv2d_q(context, &p));
        times[runs++] = seconds(context) - start;
    }
    qsort(times, (size_t)runs, sizeof *times, compare_times);
    result r = {times[runs / 2], times[runs / 4], times[runs * 3 / 4], 0, shrike_conv2d_q_kernel(context, &p)};
    r.gmac = 1e-9 * (double)out * out * (double)weight_count;
    void *all[] = {weights, src, dst, residual, packed, table, p.workspace, multiplier, offset};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        free(all[i]);
    }
    return r;
}

static int kind_of(const shape *s) {
    return s->kernel == 1 ? 0 : s->kernel == 3 && s->stride == 1 ? 1 : s->kernel == 3 ? 2 : 3;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr,
                "usage: %s SHAPES [best|avxvnni|avx2|portable [THREADS [MILLISECONDS [WEIGHT_BITS [CODE_BITS "
                "[KERNEL]]]]]]\n",
                argv[0]);
        return 2;
    }
    FILE *file = fopen(argv[1], "r");
    if (!file) {
        perror(argv[1]);
        return 1;
    }
    shrike_context *context = bench_context(argc > 2 ? argv[2] : "best", argc > 3 ? atoi(argv[3]) : 1);
    double budget = (argc > 4 ? atof(argv[4]) : 100) / 1000;
    widths w = {argc > 5 ? atoi(argv[5]) : 8, argc > 6 ? atoi(argv[6]) : 8, argc > 7 ? atoi(argv[7]) : 0};
    static const char *const names[KINDS] = {"1x1", "3x3 stride 1", "3x3 stride 2", "other"};
    double time[KINDS] = {0}, gmac[KINDS] = {0}, total = 0, total_gmac = 0;
    char line[256];
    printf("w%da%d\n%-44s %9s %9s %9s %7s\n", w.weight_bits, w.src_bits, "layer", "ms", "quartile", "quartile",
           "GMAC/s");
    while (fgets(line, sizeof line, file)) {
        shape s;
        if (sscanf(line, "%d %d %d %d %d %d %d %d %d", &s.channels, &s.out_channels, &s.size, &s.kernel, &s.stride,
                   &s.pad, &s.silu, &s.residual, &s.count) != 9) {
            continue;
        }
        result r = measure(context, &s, &w, budget);
        char name[64];
        snprintf(name, sizeof name, "%dx%d/%d %d -> %d at %d%s%s, %d times", s.kernel, s.kernel, s.stride, s.channels,
                 s.out_channels, s.size, s.silu ? " table" : "", s.residual ? " add" : "", s.count);
        printf("%-44s %9.4f %9.4f %9.4f %7.1f  %s\n", name, 1e3 * r.median, 1e3 * r.low, 1e3 * r.high,
               r.gmac / r.median, r.kernel);
        time[kind_of(&s)] += s.count * r.median;
        gmac[kind_of(&s)] += s.count * r.gmac;
        total += s.count * r.median;
        total_gmac += s.count * r.gmac;
    }
    for (int k = 0; k < KINDS; k++) {
        printf("%-44s %9.3f %27.1f\n", names[k], 1e3 * time[k], time[k] > 0 ? gmac[k] / time[k] : 0);
    }
    printf("%-44s %9.3f %27.1f\n", "all", 1e3 * total, total > 0 ? total_gmac / total : 0);
    fclose(file);
    shrike_context_destroy(context);
    return 0;
}
