/*
 * The loops of spans.h with AVX-512F.
 */
#include "core/vec_x86_avx512.h"

#define TIER_FEATURES SHRIKE_TIER_AVX512

#include "spans_kernel.h"
