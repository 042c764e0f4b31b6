/*
 * Runs in glibc231-check.sh against libshrike.so on an old system: worker threads, a convolution of floats on one and
 * on three threads, one of codes by the best kernel and by the reference, fmodf, and functions of libm.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shrike.h"

enum { SIZE = 13, IN = 19, OUT = 21, KERNEL = 3, TAPS = IN * OUT * KERNEL * KERNEL };

static int failed;

static void expect(int holds, const char *what) {
    printf("%s: %s\n", what, holds ? "ok" : "FAILED");
    failed |= !holds;
}

static void *aligned(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, bytes + 64)) {
        exit(1);
    }
    memset(memory, 0, bytes);
    return memory;
}

#define SIZES                                                                                                          \
    .src_batch_stride = SIZE * SIZE * IN, .src_row_stride = SIZE * IN, .src_pixel_stride = IN,                         \
    .dst_batch_stride = SIZE * SIZE * OUT, .dst_row_stride = SIZE * OUT, .dst_pixel_stride = OUT, .batch = 1,          \
    .height = SIZE, .width = SIZE, .channels = IN, .out_height = SIZE, .out_width = SIZE, .out_channels = OUT,         \
    .groups = 1, .kernel_height = KERNEL, .kernel_width = KERNEL, .stride_height = 1, .stride_width = 1, .pad_top = 1, \
    .pad_left = 1, .dilation_height = 1, .dilation_width = 1

static void convolve_reals(shrike_context *one, shrike_context *three) {
    float src[SIZE * SIZE * IN], weights[TAPS], a[SIZE * SIZE * OUT], b[SIZE * SIZE * OUT];
    shrike_conv2d_f32_params p = {SIZES,
                                  .src = src,
                                  .dst = a,
                                  .src_bounds = {0, sizeof src},
                                  .dst_bounds = {0, sizeof a},
                                  .activation = SHRIKE_ACTIVATION_SILU};
    for (int i = 0; i < SIZE * SIZE * IN; i++) {
        src[i] = (float)(i * 37 % 101) / 101;
    }
    for (int i = 0; i < TAPS; i++) {
        weights[i] = (float)(i * 53 % 97) / 97 - 0.5f;
    }
    p.weights_bounds.after = shrike_conv2d_f32_packed_size(&p) * (int64_t)sizeof(float);
    float *packed = aligned((size_t)p.weights_bounds.after);
    p.weights = packed;
    expect(shrike_conv2d_f32_pack(&p, weights, sizeof weights, packed, p.weights_bounds.after) == SHRIKE_OK,
           "pack floats");
    expect(shrike_conv2d_f32(one, &p) == SHRIKE_OK, "convolve floats on one thread");
    p.dst = b;
    expect(shrike_conv2d_f32(three, &p) == SHRIKE_OK, "convolve floats on three threads");
    expect(!memcmp(a, b, sizeof a), "the same bits");
    double sum = 0;
    for (int tap = 0; tap < KERNEL * KERNEL; tap++) {
        for (int c = 0; c < IN; c++) {
            sum += (double)weights[c * KERNEL * KERNEL + tap] *
                   src[((5 + tap / KERNEL) * SIZE + 5 + tap % KERNEL) * IN + c];
        }
    }
    expect(fabs(a[(6 * SIZE + 6) * OUT] - sum / (1 + exp(-sum))) < 1e-4, "a sum");
    free(packed);
}

static void convolve_codes(shrike_context *context) {
    uint8_t src[SIZE * SIZE * IN], result[2][SIZE * SIZE * OUT];
    int8_t weights[TAPS];
    float multiplier[OUT], offset[OUT];
    for (int i = 0; i < SIZE * SIZE * IN; i++) {
        src[i] = (uint8_t)(i * 37);
    }
    for (int i = 0; i < TAPS; i++) {
        weights[i] = (int8_t)(i * 53 % 255 - 127);
    }
    for (int i = 0; i < OUT; i++) {
        multiplier[i] = 0.0005f + 0.00001f * (float)i;
        offset[i] = 100;
    }
    for (int i = 0; i < 2; i++) {
        shrike_conv2d_q_params p = {SIZES,
                                    .src = src,
                                    .dst = result[i],
                                    .multiplier = multiplier,
                                    .offset = offset,
                                    .src_bounds = {0, sizeof src},
                                    .dst_bounds = {0, sizeof result[i]},
                                    .multiplier_bounds = {0, sizeof multiplier},
                                    .offset_bounds = {0, sizeof offset},
                                    .src_zero = 3,
                                    .src_bits = 8,
                                    .weight_bits = 8,
                                    .high = 255,
                                    .kernel = i ? SHRIKE_QKERNEL_REFERENCE : SHRIKE_QKERNEL_BEST};
        p.weights_bounds.after = shrike_conv2d_q_packed_size(context, &p);
        void *packed = aligned((size_t)p.weights_bounds.after);
        p.weights = packed;
        p.workspace_bounds.after = shrike_conv2d_q_workspace(context, &p);
        p.workspace = p.workspace_bounds.after > 0 ? aligned((size_t)p.workspace_bounds.after) : NULL;
        expect(shrike_conv2d_q_pack(context, &p, weights, sizeof weights, NULL, 0, packed, p.weights_bounds.after) ==
                   SHRIKE_OK,
               "pack codes");
        expect(shrike_conv2d_q(context, &p) == SHRIKE_OK, shrike_conv2d_q_kernel(context, &p));
        free(packed);
        free(p.workspace);
    }
    expect(!memcmp(result[0], result[1], sizeof result[0]), "the same codes as the reference");
}

static void call_libm(shrike_context *context) {
    float a[4] = {7.5f, -7.5f, 1, 3}, b[4] = {2, 2, 3, 3}, remainder[4], root[4];
    shrike_binary_f32_params mod = {.a = a,
                                    .b = b,
                                    .dst = remainder,
                                    .a_bounds = {0, sizeof a},
                                    .b_bounds = {0, sizeof b},
                                    .dst_bounds = {0, sizeof remainder},
                                    .dims = {4},
                                    .a_strides = {1},
                                    .b_strides = {1},
                                    .dst_strides = {1},
                                    .rank = 1,
                                    .kind = SHRIKE_BINARY_MOD};
    expect(shrike_binary_f32(context, &mod) == SHRIKE_OK && remainder[0] == 1.5f && remainder[1] == -1.5f &&
               remainder[2] == 1 && remainder[3] == 0,
           "fmodf");
    shrike_unary_f32_params erf = {.src = a,
                                   .dst = root,
                                   .src_bounds = {0, sizeof a},
                                   .dst_bounds = {0, sizeof root},
                                   .dims = {4},
                                   .src_strides = {1},
                                   .dst_strides = {1},
                                   .rank = 1,
                                   .kind = SHRIKE_UNARY_ERF};
    expect(shrike_unary_f32(context, &erf) == SHRIKE_OK && fabsf(root[2] - 0.8427008f) < 1e-5f, "erff");
}

int main(void) {
    shrike_context *one = NULL, *three = NULL;
    expect(shrike_abi_version() == SHRIKE_ABI_VERSION, "ABI version");
    expect(shrike_context_create(1, UINT64_MAX, &one) == SHRIKE_OK, "a context");
    expect(shrike_context_create(3, UINT64_MAX, &three) == SHRIKE_OK, "a context of three threads");
    if (!failed) {
        convolve_reals(one, three);
        convolve_codes(three);
        call_libm(one);
    }
    shrike_context_destroy(one);
    shrike_context_destroy(three);
    return failed;
}
