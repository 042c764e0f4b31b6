/*
 * Epilogues with an activation, in AVX-512 registers.
 */
#include "core/vec_x86_avx512.h"

#undef TIER
#define TIER(name) name##_x86_avx512vnni

static inline vf vf_fused(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}
static inline vf vf_fused_from(vf a, vf b, vf c) {
    return _mm512_fnmadd_ps(a, b, c);
}
static inline vf vf_plus_bits(vf a, vf b) {
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
static inline vf vf_minus_bits(vf a, vf b) {
    return _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
static inline vf vf_exponent(vf a) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23));
}
static inline vf vf_of_sums(const int32_t *p) {
    return _mm512_cvtepi32_ps(_mm512_loadu_si512(p));
}
static inline __mmask16 lanes_below(int64_t n) {
    return (__mmask16)((1u << n) - 1);
}
static inline vf vf_of_sums_first(const int32_t *p, int64_t n) {
    return _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(lanes_below(n), p));
}
static inline vf vf_of_codes(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
static inline vf vf_of_codes_first(const uint8_t *p, int64_t n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes_below(n), p)));
}
static inline void vf_store_codes_first(uint8_t *p, vf v, int64_t n) {
    _mm_mask_storeu_epi8(p, lanes_below(n), _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(v)));
}
static inline void vf_store_four_codes(uint8_t *p, const vf *v) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i first = _mm512_packus_epi32(_mm512_cvtps_epi32(v[0]), _mm512_cvtps_epi32(v[1]));
    __m512i second = _mm512_packus_epi32(_mm512_cvtps_epi32(v[2]), _mm512_cvtps_epi32(v[3]));
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second)));
}

#include "activated_kernel.h"
