/*
 * The choice of a kernel for a quantised convolution, and the reference, which takes every size.
 */
#ifndef SHRIKE_CONV2D_Q_KERNELS_H
#define SHRIKE_CONV2D_Q_KERNELS_H

#include "quantized/conv2d_q_kernel.h"

typedef struct conv2d_q_choice {
    const conv2d_q_kernel *kernel; /* null: none takes the sizes */
    int32_t row; /* of the table */
} conv2d_q_choice;

/* The best kernel of those that the context's CPU features and the params' choice allow; params are of sound sizes. */
conv2d_q_choice conv2d_q_choose(const shrike_context *context, const shrike_conv2d_q_params *params);

extern const conv2d_q_kernel conv2d_q_reference_kernel;

#endif
