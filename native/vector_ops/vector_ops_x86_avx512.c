/*
 * The loops of vector_ops.h with AVX-512F.
 */
#include "core/vec_x86_avx512.h"

#define TIER_FEATURES SHRIKE_TIER_AVX512

#include "vector_ops_kernel.h"
