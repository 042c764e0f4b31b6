/*
 * 64 codes at a time: two permutes of 128 entries (VBMI) and the choice by the top bit of each code.
 */
#include <immintrin.h>

#include "lut_u8.h"

void lut_u8_x86_avx512vnni(const uint8_t *table, const uint8_t *src, uint8_t *dst, int64_t count) {
    const __m512i a = _mm512_loadu_si512(table), b = _mm512_loadu_si512(table + 64);
    const __m512i c = _mm512_loadu_si512(table + 128), d = _mm512_loadu_si512(table + 192);
    for (int64_t i = 0; i < count; i += 64) {
        const __mmask64 mask = count - i >= 64 ? UINT64_MAX : (UINT64_C(1) << (count - i)) - 1;
        __m512i codes = _mm512_maskz_loadu_epi8(mask, src + i);
        __m512i lower = _mm512_permutex2var_epi8(a, codes, b);
        __m512i upper = _mm512_permutex2var_epi8(c, codes, d);
        _mm512_mask_storeu_epi8(dst + i, mask, _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), lower, upper));
    }
}
