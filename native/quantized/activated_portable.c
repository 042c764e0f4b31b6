/*
 * Epilogues with an activation, in the compiler's vectors; a fused product is the C library's.
 */
#include "activation.h"
#include "core/vec_portable.h"

typedef uint32_t vu __attribute__((vector_size(16)));

static inline vf vf_fused(vf a, vf b, vf c) {
    return (vf){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])};
}
static inline vf vf_fused_from(vf a, vf b, vf c) {
    return vf_fused(-a, b, c);
}
static inline vf vf_plus_bits(vf a, vf b) {
    return (vf)((vu)a + (vu)b);
}
static inline vf vf_minus_bits(vf a, vf b) {
    return (vf)((vu)a - (vu)b);
}
static inline vf vf_exponent(vf a) {
    return (vf)((vu)a << 23);
}
static inline vf vf_of_sums(const int32_t *p) {
    vm v;
    memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, vf);
}
static inline vf vf_of_sums_first(const int32_t *p, int64_t n) {
    vm v = {0};
    memcpy(&v, p, (size_t)n * sizeof *p);
    return __builtin_convertvector(v, vf);
}
static inline vf vf_of_codes(const uint8_t *p) {
    return (vf){p[0], p[1], p[2], p[3]};
}
static inline vf vf_of_codes_first(const uint8_t *p, int64_t n) {
    uint8_t codes[VL] = {0};
    memcpy(codes, p, (size_t)n);
    return vf_of_codes(codes);
}
static inline void vf_store_codes(uint8_t *p, vf v) {
    vm integers = (vm)(v + vf_set1(ACTIVATION_ROUND));
    for (int i = 0; i < VL; i++) {
        p[i] = (uint8_t)integers[i];
    }
}
static inline void vf_store_codes_first(uint8_t *p, vf v, int64_t n) {
    uint8_t codes[VL];
    vf_store_codes(codes, v);
    memcpy(p, codes, (size_t)n);
}
static inline void vf_store_four_codes(uint8_t *p, const vf *v) {
    for (int q = 0; q < 4; q++) {
        vf_store_codes(p + q * VL, v[q]);
    }
}

#include "activated_kernel.h"
