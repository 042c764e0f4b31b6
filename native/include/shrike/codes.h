/*
 * Quantised tensors: unsigned codes of 1..8 bits, one a byte; real = scale * (code - zero).
 *
 * Rounding is half to even and every operation of a formula below rounds to float32 by itself: no fused multiply-add.
 * clamp(v, low, high) takes NaN as low.
 */
#ifndef SHRIKE_API_CODES_H
#define SHRIKE_API_CODES_H

#include "base.h"

/* What codes of 8 bits mean: scale * (code - zero). */
typedef struct shrike_code_range {
    float scale; /* above 0, finite */
    int32_t zero; /* within 0..255 */
} shrike_code_range;

#endif
