/*
 * The loops of spans.h with AVX2 and FMA.
 */
#include "core/vec_x86_avx2.h"

#define TIER_FEATURES SHRIKE_TIER_AVX2

#include "spans_kernel.h"
