/*
 * Epilogues with an activation, in AVX2 and FMA registers.
 */
#include <string.h>

#include "core/vec_x86_avx2.h"

static inline vf vf_fused(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}
static inline vf vf_fused_from(vf a, vf b, vf c) {
    return _mm256_fnmadd_ps(a, b, c);
}
static inline vf vf_plus_bits(vf a, vf b) {
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
static inline vf vf_minus_bits(vf a, vf b) {
    return _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
static inline vf vf_exponent(vf a) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23));
}
static inline vf vf_of_sums(const int32_t *p) {
    return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)p));
}
static inline vf vf_of_sums_first(const int32_t *p, int64_t n) {
    return _mm256_cvtepi32_ps(_mm256_maskload_epi32(p, vf_first_lanes(n)));
}
static inline vf vf_of_codes(const uint8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
static inline vf vf_of_codes_first(const uint8_t *p, int64_t n) {
    uint8_t codes[VL] = {0};
    memcpy(codes, p, (size_t)n);
    return vf_of_codes(codes);
}
static inline __m128i bytes_of(vf v) {
    __m256i integers = _mm256_cvtps_epi32(v);
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
    return _mm_packus_epi16(words, words);
}
static inline void vf_store_codes(uint8_t *p, vf v) {
    _mm_storel_epi64((__m128i *)p, bytes_of(v));
}
static inline void vf_store_codes_first(uint8_t *p, vf v, int64_t n) {
    uint8_t codes[VL];
    vf_store_codes(codes, v);
    memcpy(p, codes, (size_t)n);
}
static inline void vf_store_four_codes(uint8_t *p, const vf *v) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i first = _mm256_packus_epi32(_mm256_cvtps_epi32(v[0]), _mm256_cvtps_epi32(v[1]));
    __m256i second = _mm256_packus_epi32(_mm256_cvtps_epi32(v[2]), _mm256_cvtps_epi32(v[3]));
    __m256i bytes = _mm256_packus_epi16(first, second);
    _mm256_storeu_si256((__m256i *)p, _mm256_permutevar8x32_epi32(bytes, order));
}

#include "activated_kernel.h"
