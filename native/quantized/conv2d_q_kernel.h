/*
 * A kernel of the quantised convolution: what conv2d_q chooses among, and what each way to convolve offers.
 */
#ifndef SHRIKE_CONV2D_Q_KERNEL_H
#define SHRIKE_CONV2D_Q_KERNEL_H

#include "core/context.h"

/*
 * Weights are packed behind a header that the kernel does not see: `packed_size` and the data of `pack` and `run` leave
 * it out. Those are 64-byte aligned, and zeros before `pack`. All functions get params of sound sizes; `supports` and
 * `packed_size` read what shrike_conv2d_q_packed_size may read.
 */
typedef struct conv2d_q_kernel {
    const char *name;
    uint64_t features; /* that it needs */
    int32_t kind; /* enum shrike_qkernel */
    int (*supports)(const shrike_conv2d_q_params *params);
    int64_t (*packed_size)(const shrike_conv2d_q_params *params); /* -1 where it would overflow */
    /* weight_zero may be null; codes and zeros are checked already */
    void (*pack)(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero, uint8_t *packed);
    int64_t (*workspace)(const shrike_context *context, const shrike_conv2d_q_params *params); /* null: none */
    void (*run)(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed);
} conv2d_q_kernel;

#endif
