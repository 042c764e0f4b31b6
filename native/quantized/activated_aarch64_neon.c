/*
 * Epilogues with an activation for plain armv8-a.
 */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define VL 4
#define TIER(name) name##_aarch64_neon

typedef float32x4_t vf;
typedef uint32x4_t vm;

static inline vf vf_load(const float *p) {
    return vld1q_f32(p);
}
static inline vf vf_load_first(const float *p, int64_t n) {
    float v[VL] = {0};
    memcpy(v, p, (size_t)n * sizeof *p);
    return vld1q_f32(v);
}
static inline void vf_store(float *p, vf v) {
    vst1q_f32(p, v);
}
static inline void vf_store_first(float *p, vf v, int64_t n) {
    memcpy(p, &v, (size_t)n * sizeof *p);
}
static inline vf vf_set1(float x) {
    return vdupq_n_f32(x);
}
/* FMAXNM and FMINNM take the number beside a NaN: here the second operand always is one. */
static inline vf vf_max(vf a, vf b) {
    return vmaxnmq_f32(a, b);
}
static inline vf vf_min(vf a, vf b) {
    return vminnmq_f32(a, b);
}
static inline vm vm_less(vf a, vf b) {
    return vcltq_f32(a, b);
}
static inline vf vf_select(vm m, vf yes, vf no) {
    return vbslq_f32(m, yes, no);
}
static inline vf vf_fused(vf a, vf b, vf c) {
    return vfmaq_f32(c, a, b);
}
static inline vf vf_fused_from(vf a, vf b, vf c) {
    return vfmsq_f32(c, a, b);
}
static inline vf vf_plus_bits(vf a, vf b) {
    return vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)));
}
static inline vf vf_minus_bits(vf a, vf b) {
    return vreinterpretq_f32_u32(vsubq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)));
}
static inline vf vf_exponent(vf a) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a), 23));
}
static inline vf vf_of_sums(const int32_t *p) {
    return vcvtq_f32_s32(vld1q_s32(p));
}
static inline vf vf_of_sums_first(const int32_t *p, int64_t n) {
    int32_t v[VL] = {0};
    memcpy(v, p, (size_t)n * sizeof *p);
    return vf_of_sums(v);
}
static inline vf vf_of_codes_first(const uint8_t *p, int64_t n) {
    uint8_t codes[8] = {0};
    memcpy(codes, p, (size_t)n);
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vld1_u8(codes)))));
}
static inline vf vf_of_codes(const uint8_t *p) {
    return vf_of_codes_first(p, VL);
}
static inline int16x4_t words_of(vf v) {
    return vmovn_s32(vcvtnq_s32_f32(v));
}
static inline void vf_store_codes_first(uint8_t *p, vf v, int64_t n) {
    uint8_t codes[8];
    int16x4_t words = words_of(v);
    vst1_u8(codes, vqmovun_s16(vcombine_s16(words, words)));
    memcpy(p, codes, (size_t)n);
}
static inline void vf_store_four_codes(uint8_t *p, const vf *v) {
    int16x8_t first = vcombine_s16(words_of(v[0]), words_of(v[1]));
    int16x8_t second = vcombine_s16(words_of(v[2]), words_of(v[3]));
    vst1q_u8(p, vcombine_u8(vqmovun_s16(first), vqmovun_s16(second)));
}

#include "activated_kernel.h"
