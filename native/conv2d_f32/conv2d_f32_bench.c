/*
 * conv2d_f32_bench SHAPES [TIER [THREADS [MILLISECONDS]]]: for each line of a shapes file (see bench/shapes) the
 * median, the quartiles and the rate in GMAC/s, and at the end the time of the whole network and rates by kind of
 * layer.
 */
#include "bench/bench.h"

enum { MAX_RUNS = 2000, KINDS = 4 };

typedef struct shape {
    int channels, out_channels, size, kernel, stride, pad, silu, residual, count;
} shape;

typedef struct result {
    double median, low, high, gmac;
    const char *kernel;
} result;

static result measure(shrike_context *context, const shape *s, double budget) {
    int out = (s->size + 2 * s->pad - s->kernel) / s->stride + 1;
    int64_t in_count = (int64_t)s->size * s->size * s->channels, out_count = (int64_t)out * out * s->out_channels;
    shrike_conv2d_f32_params p = {.src_batch_stride = in_count,
                                  .src_row_stride = (int64_t)s->size * s->channels,
                                  .src_pixel_stride = s->channels,
                                  .dst_batch_stride = out_count,
                                  .dst_row_stride = (int64_t)out * s->out_channels,
                                  .dst_pixel_stride = s->out_channels,
                                  .residual_batch_stride = out_count,
                                  .residual_row_stride = (int64_t)out * s->out_channels,
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
                                  .activation = s->silu ? SHRIKE_ACTIVATION_SILU : SHRIKE_ACTIVATION_NONE};
    float *src = random_floats(in_count, -1, 1), *dst = random_floats(out_count, -1, 1);
    const int64_t taps = (int64_t)s->out_channels * s->channels * s->kernel * s->kernel;
    float *weights = random_floats(taps, -0.1f, 0.1f);
    float *packed = random_floats(shrike_conv2d_f32_packed_size(&p), 0, 0);
    p.weights_bounds = bounds_of(shrike_conv2d_f32_packed_size(&p) * 4);
    float *bias = random_floats(s->out_channels, -1, 1), *residual = random_floats(out_count, -1, 1);
    if (shrike_conv2d_f32_pack(&p, weights, taps * 4, packed, p.weights_bounds.after)) {
        fprintf(stderr, "the weights cannot be packed\n");
        exit(1);
    }
    p.src_bounds = bounds_of(in_count * 4);
    p.dst_bounds = p.residual_bounds = bounds_of(out_count * 4);
    p.bias_bounds = bounds_of(s->out_channels * INT64_C(4));
    p.src = src;
    p.dst = dst;
    p.weights = packed;
    p.bias = bias;
    p.residual = s->residual ? residual : NULL;
    static double times[MAX_RUNS];
    int runs = 0;
    for (double begin = seconds(context); runs < 5 || (runs < MAX_RUNS && seconds(context) - begin < budget);) {
        double start = seconds(context);
        int32_t status = shrike_conv2d_f32(context, &p);
        times[runs++] = seconds(context) - start;
        if (status) {
            fprintf(stderr, "conv2d_f32: %s\n", shrike_status_text(status));
            exit(1);
        }
    }
    qsort(times, (size_t)runs, sizeof *times, compare_times);
    result r = {times[runs / 2], times[runs / 4], times[runs * 3 / 4], 0, shrike_conv2d_f32_kernel(context, &p)};
    r.gmac = 1e-9 * (double)out * out * s->out_channels * s->channels * s->kernel * s->kernel;
    free(src);
    free(dst);
    free(weights);
    free(packed);
    free(bias);
    free(residual);
    return r;
}

static int kind_of(const shape *s) {
    return s->kernel == 1 ? 0 : s->kernel == 3 && s->stride == 1 ? 1 : s->kernel == 3 ? 2 : 3;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s SHAPES [best|avxvnni|avx2|portable [THREADS [MILLISECONDS]]]\n", argv[0]);
        return 2;
    }
    FILE *file = fopen(argv[1], "r");
    if (!file) {
        perror(argv[1]);
        return 1;
    }
    shrike_context *context = bench_context(argc > 2 ? argv[2] : "best", argc > 3 ? atoi(argv[3]) : 1);
    double budget = (argc > 4 ? atof(argv[4]) : 100) / 1000;
    static const char *const names[KINDS] = {"1x1", "3x3 stride 1", "3x3 stride 2", "other"};
    double time[KINDS] = {0}, gmac[KINDS] = {0}, total = 0, total_gmac = 0;
    char line[256];
    printf("%-44s %9s %9s %9s %7s\n", "layer", "ms", "quartile", "quartile", "GMAC/s");
    while (fgets(line, sizeof line, file)) {
        shape s;
        if (sscanf(line, "%d %d %d %d %d %d %d %d %d", &s.channels, &s.out_channels, &s.size, &s.kernel, &s.stride,
                   &s.pad, &s.silu, &s.residual, &s.count) != 9) {
            continue;
        }
        result r = measure(context, &s, budget);
        char name[64];
        snprintf(name, sizeof name, "%dx%d/%d %d -> %d at %d%s%s, %d times", s.kernel, s.kernel, s.stride, s.channels,
                 s.out_channels, s.size, s.silu ? " silu" : "", s.residual ? " add" : "", s.count);
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
