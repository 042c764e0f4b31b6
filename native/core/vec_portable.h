/*
 * Vectors of 4 floats in the compiler's own vector extension: NEON on aarch64, SSE2 on x86_64, plain code elsewhere.
 *
 * The three vec_*.h offer the same names: VL floats a vector `vf`; masks are vectors `vm`, all bits set where true. A
 * kernel file includes one of them and then its operation's *_kernel.h, which is written once for all tiers.
 * vf_max(a, b) is a > b ? a : b and vf_min(a, b) is a < b ? a : b, NaN included: the second operand wins.
 */
#ifndef SHRIKE_VEC_H
#define SHRIKE_VEC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __aarch64__
#include <arm_neon.h>
#endif

#define VL 4
#define TIER(name) name##_portable

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vm __attribute__((vector_size(16)));

static inline vf vf_load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline void vf_store(float *p, vf v) {
    memcpy(p, &v, sizeof v);
}
/* The first n (1..VL) floats; nothing is read beyond them, the other lanes are 0. */
static inline vf vf_load_first(const float *p, int64_t n) {
    vf v = {0};
    memcpy(&v, p, (size_t)n * sizeof(float));
    return v;
}
static inline void vf_store_first(float *p, vf v, int64_t n) {
    memcpy(p, &v, (size_t)n * sizeof(float));
}
static inline vf vf_set1(float x) {
    return (vf){x, x, x, x};
}
static inline vf vf_select(vm m, vf yes, vf no) {
    return (vf)((m & (vm)yes) | (~m & (vm)no));
}
static inline vf vf_fma(vf a, vf b, vf c) {
    return a * b + c;
}
static inline vf vf_max(vf a, vf b) {
    return vf_select(a > b, a, b);
}
static inline vf vf_min(vf a, vf b) {
    return vf_select(a < b, a, b);
}
static inline vf vf_sqrt(vf a) {
    return (vf){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
}
static inline vf vf_abs(vf a) {
    return (vf)((vm)a & 0x7fffffff);
}
static inline vf vf_copysign(vf magnitude, vf sign) {
    return (vf)(((vm)magnitude & 0x7fffffff) | ((vm)sign & (int32_t)0x80000000));
}
#ifdef __aarch64__
/* Half to even; each an instruction here, of which the compiler's vector extension knows nothing. */
static inline vf vf_round(vf a) {
    return (vf)vrndnq_f32((float32x4_t)a);
}
static inline vf vf_floor(vf a) {
    return (vf)vrndmq_f32((float32x4_t)a);
}
static inline vf vf_ceil(vf a) {
    return (vf)vrndpq_f32((float32x4_t)a);
}
#else
/* Half to even. Adding and taking away 2^23 rounds any |a| < 2^23; larger floats are integers already. */
static inline vf vf_round(vf a) {
    const vf magic = vf_set1(8388608.0f);
    vf magnitude = vf_abs(a);
    vf shifted = magnitude + magic;
    __asm__("" : "+m"(shifted)); /* keeps the compiler from simplifying (x + c) - c */
    return vf_select(magnitude < magic, vf_copysign(shifted - magic, a), a);
}
static inline vf vf_floor(vf a) {
    vf rounded = vf_round(a);
    return vf_copysign(rounded - vf_select(rounded > a, vf_set1(1), vf_set1(0)), a);
}
static inline vf vf_ceil(vf a) {
    vf rounded = vf_round(a);
    return vf_copysign(rounded + vf_select(rounded < a, vf_set1(1), vf_set1(0)), a);
}
#endif
/* 2^n for integral n in -126..127. */
static inline vf vf_exp2i(vf n) {
    return (vf)((__builtin_convertvector(n, vm) + 127) << 23);
}
static inline vm vm_less(vf a, vf b) {
    return a < b;
}
static inline vm vm_less_equal(vf a, vf b) {
    return a <= b;
}
static inline vm vm_equal(vf a, vf b) {
    return a == b;
}
static inline vm vm_and(vm a, vm b) {
    return a & b;
}
static inline vm vm_or(vm a, vm b) {
    return a | b;
}
static inline vm vm_not(vm a) {
    return ~a;
}

#endif
