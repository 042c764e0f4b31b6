/*
 * Floats to codes with AVX2.
 */
#include "quantize_u8.h"

QUANTIZE_U8_SPAN(x86_avx2)
