/*
 * Convolution with AVX-512F: 28 of 32 registers hold sums of 14 pixels x 32 channels.
 */
#include "core/vec_x86_avx512.h"

#define MR 14
#define NP 2

#include "conv2d_f32_igemm.h"

#include "conv2d_f32_depthwise.h"
