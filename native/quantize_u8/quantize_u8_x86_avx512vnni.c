/*
 * Floats to codes with AVX-512.
 */
#include "quantize_u8.h"

QUANTIZE_U8_SPAN(x86_avx512vnni)
