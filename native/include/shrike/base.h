/*
 * What every operation shares: statuses, CPU features, bounds of buffers.
 */
#ifndef SHRIKE_API_BASE_H
#define SHRIKE_API_BASE_H

#include <stdint.h>

#ifdef __cplusplus
#define SHRIKE_API extern "C" __attribute__((visibility("default")))
#else
#define SHRIKE_API __attribute__((visibility("default")))
#endif

/* Grows with every change that an existing caller could notice. */
#define SHRIKE_ABI_VERSION 7u

enum shrike_status {
    SHRIKE_OK = 0,
    SHRIKE_EINVAL = 1, /* an argument is null, out of range or contradicts another */
    SHRIKE_EUNSUPPORTED = 2, /* sound arguments, but no kernel for them */
    SHRIKE_ENOMEM = 3, /* out of memory while creating a context */
    SHRIKE_ETHREAD = 4, /* the system refused a worker thread */
    SHRIKE_EBUSY = 5 /* the context is running an operation for another thread */
};

/* Bits of shrike_cpu_features(). */
#define SHRIKE_CPU_SSE4_2 (UINT64_C(1) << 0)
#define SHRIKE_CPU_POPCNT (UINT64_C(1) << 1)
#define SHRIKE_CPU_AVX (UINT64_C(1) << 2)
#define SHRIKE_CPU_AVX2 (UINT64_C(1) << 3)
#define SHRIKE_CPU_FMA (UINT64_C(1) << 4)
#define SHRIKE_CPU_AVX512F (UINT64_C(1) << 6)
#define SHRIKE_CPU_AVX512BW (UINT64_C(1) << 7)
#define SHRIKE_CPU_AVX512DQ (UINT64_C(1) << 8)
#define SHRIKE_CPU_AVX512VL (UINT64_C(1) << 9)
#define SHRIKE_CPU_AVX512VNNI (UINT64_C(1) << 10)
#define SHRIKE_CPU_AVX512VPOPCNTDQ (UINT64_C(1) << 11)
#define SHRIKE_CPU_AVX512VBMI (UINT64_C(1) << 12)
#define SHRIKE_CPU_AVXVNNI (UINT64_C(1) << 13)
#define SHRIKE_CPU_NEON (UINT64_C(1) << 32)
#define SHRIKE_CPU_DOTPROD (UINT64_C(1) << 33)
#define SHRIKE_CPU_FP16 (UINT64_C(1) << 34)
#define SHRIKE_CPU_I8MM (UINT64_C(1) << 35)
#define SHRIKE_CPU_SVE (UINT64_C(1) << 36)

/* The version this library was built with; differs from SHRIKE_ABI_VERSION when header and library do not match. */
SHRIKE_API uint32_t shrike_abi_version(void);

/* What the CPU and the operating system offer. */
SHRIKE_API uint64_t shrike_cpu_features(void);

/* The product version, for people. */
SHRIKE_API const char *shrike_version(void);

/* A short English text for a status; never null. */
SHRIKE_API const char *shrike_status_text(int32_t status);

/*
 * Bytes of the caller's buffer in front of what a pointer points to, and from there on: an operation touches no others.
 * Every pointer of a params struct has its bounds beside it; those of a null pointer are not read. A view, its strides
 * and sizes, a table or packed weights that go beyond them are SHRIKE_EINVAL.
 */
typedef struct shrike_bounds {
    int64_t before, after;
} shrike_bounds;

/* Sizes of images, kernels, strides, pads and dilations are at most this. */
#define SHRIKE_MAX_SIZE (1 << 24)

#endif
