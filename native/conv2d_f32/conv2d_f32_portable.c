/*
 * Convolution in the compiler's vectors. aarch64 (32 registers): 24 of them hold sums of 6 pixels x 16 channels; other
 * machines are assumed to have 16, 8 of which hold sums of 2 x 16.
 */
#include "core/vec_portable.h"

#if defined(__aarch64__)
#define MR 6
#else
#define MR 2
#endif
#define NP 1

#include "conv2d_f32_igemm.h"

#include "conv2d_f32_depthwise.h"
