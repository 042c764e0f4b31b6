/*
 * acl_calls_bench KIND CALLS CHANNELS OUT_CHANNELS SIZE KERNEL STRIDE PAD: as conv2d_calls_bench, by ARM Compute
 * Library.
 *
 * KIND: acl-f32 as it chooses, acl-gemm-f32 as a product of matrices, both with SiLU; acl-int8 for codes, whose result
 * are codes before any activation, since ARM Compute Library has none of the kind for them in the convolution.
 */
#include "bench/bench.h"
#include "bench/marks.h"
#include "shrike_acl.h"

enum { ARGUMENTS = 8 };

static void *allocate(int64_t bytes, int seed) {
    uint8_t *memory = NULL;
    if (bytes < 1 || posix_memalign((void **)&memory, 64, (size_t)bytes)) {
        fprintf(stderr, "no memory for %lld bytes\n", (long long)bytes);
        exit(1);
    }
    uint32_t state = (uint32_t)seed;
    for (int64_t i = 0; i < bytes; i++) {
        state = state * 1664525u + 1013904223u;
        memory[i] = seed ? (uint8_t)(state >> 24) : 0;
    }
    return memory;
}

int main(int argc, char **argv) {
    int calls = argc > ARGUMENTS ? atoi(argv[2]) : 0;
    if (argc != ARGUMENTS + 1 || calls < 1) {
        fprintf(stderr, "usage: %s acl-f32|acl-gemm-f32|acl-int8 CALLS CHANNELS OUT_CHANNELS SIZE KERNEL STRIDE PAD\n",
                argv[0]);
        return 2;
    }
    int codes = !strcmp(argv[1], "acl-int8"), gemm = !strcmp(argv[1], "acl-gemm-f32");
    if (!codes && !gemm && strcmp(argv[1], "acl-f32")) {
        fprintf(stderr, "%s is none of acl-f32, acl-gemm-f32, acl-int8\n", argv[1]);
        return 2;
    }
    int channels = atoi(argv[3]), out_channels = atoi(argv[4]), size = atoi(argv[5]), kernel = atoi(argv[6]);
    int stride = atoi(argv[7]), pad = atoi(argv[8]), out = (size + 2 * pad - kernel) / stride + 1;
    int64_t pixels = (int64_t)size * size * channels, results = (int64_t)out * out * out_channels;
    int64_t taps = (int64_t)channels * out_channels * kernel * kernel;
    shrike_acl_conv2d_params p = {.src_batch_stride = pixels,
                                  .src_row_stride = (int64_t)size * channels,
                                  .src_pixel_stride = channels,
                                  .dst_batch_stride = results,
                                  .dst_row_stride = (int64_t)out * out_channels,
                                  .dst_pixel_stride = out_channels,
                                  .batch = 1,
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
                                  .type = codes ? SHRIKE_ACL_U8 : SHRIKE_ACL_F32,
                                  .method = gemm ? SHRIKE_ACL_GEMM : SHRIKE_ACL_BEST,
                                  .activation = codes ? SHRIKE_ACTIVATION_NONE : SHRIKE_ACTIVATION_SILU,
                                  .src_scale = 0.02f,
                                  .dst_scale = 0.05f,
                                  .src_zero = 7,
                                  .dst_zero = 11,
                                  .threads = 1};
    p.src = codes ? allocate(pixels, 1) : random_floats(pixels, 0, 1);
    p.dst = allocate(results * (codes ? 1 : 4), 0);
    p.weights = codes ? allocate(taps, 2) : random_floats(taps, -0.1f, 0.1f);
    p.weight_scale = random_floats(out_channels, 0.001f, 0.002f);
    p.bias = codes ? allocate(4 * (int64_t)out_channels, 0) : random_floats(out_channels, -1, 1);
    shrike_acl_conv2d *convolution = NULL;
    int32_t status = shrike_acl_conv2d_create(&p, &convolution);
    /* The first call prepares weights and scratch; the last one is counted. */
    for (int i = 1; !status && i < calls; i++) {
        status = shrike_acl_conv2d_run(convolution);
    }
    if (!status) {
        MARK(MARK_BEGIN);
        status = shrike_acl_conv2d_run(convolution);
        MARK(MARK_END);
    }
    if (status) {
        fprintf(stderr, "convolution: status %d, %s\n", status, shrike_acl_message());
        return 1;
    }
    printf("acl_%s\n", shrike_acl_conv2d_kernel(convolution));
    shrike_acl_conv2d_destroy(convolution);
    return 0;
}
