/*
 * The loops of vector_ops.h with AVX2 and FMA.
 */
#include "core/vec_x86_avx2.h"

#define TIER_FEATURES SHRIKE_TIER_AVX2

#include "vector_ops_kernel.h"
