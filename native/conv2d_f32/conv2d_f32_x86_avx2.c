/*
 * Convolution with AVX2 and FMA: 12 of 16 registers hold sums of 6 pixels x 16 channels.
 */
#include "core/vec_x86_avx2.h"

#define MR 6
#define NP 1

#include "conv2d_f32_igemm.h"

#include "conv2d_f32_depthwise.h"
