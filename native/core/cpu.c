/*
 * Detection of CPU features, and the texts of the library.
 */
#include "cpu.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#ifndef SHRIKE_VERSION
#error "the build defines SHRIKE_VERSION"
#endif

uint32_t shrike_abi_version(void) {
    return SHRIKE_ABI_VERSION;
}

const char *shrike_version(void) {
    return SHRIKE_VERSION;
}

const char *shrike_status_text(int32_t status) {
    switch (status) {
    case SHRIKE_OK:
        return "ok";
    case SHRIKE_EINVAL:
        return "invalid argument";
    case SHRIKE_EUNSUPPORTED:
        return "no kernel for these arguments";
    case SHRIKE_ENOMEM:
        return "out of memory";
    case SHRIKE_ETHREAD:
        return "the system refused a worker thread";
    case SHRIKE_EBUSY:
        return "the context is in use by another thread";
    default:
        return "unknown status";
    }
}

/* The compiler's run-time checks also ask whether the operating system saves the wide registers. */
uint64_t shrike_cpu_features(void) {
    uint64_t features = 0;
#if defined(__x86_64__)
#define DETECT(name, bit) features |= __builtin_cpu_supports(name) ? (bit) : 0
    __builtin_cpu_init();
    DETECT("sse4.2", SHRIKE_CPU_SSE4_2);
    DETECT("popcnt", SHRIKE_CPU_POPCNT);
    DETECT("avx", SHRIKE_CPU_AVX);
    DETECT("avx2", SHRIKE_CPU_AVX2);
    DETECT("fma", SHRIKE_CPU_FMA);
    DETECT("avx512f", SHRIKE_CPU_AVX512F);
    DETECT("avx512bw", SHRIKE_CPU_AVX512BW);
    DETECT("avx512dq", SHRIKE_CPU_AVX512DQ);
    DETECT("avx512vl", SHRIKE_CPU_AVX512VL);
    DETECT("avx512vnni", SHRIKE_CPU_AVX512VNNI);
    DETECT("avx512vpopcntdq", SHRIKE_CPU_AVX512VPOPCNTDQ);
    DETECT("avx512vbmi", SHRIKE_CPU_AVX512VBMI);
    DETECT("avxvnni", SHRIKE_CPU_AVXVNNI);
#elif defined(__aarch64__)
#define DETECT(capabilities, flag, bit) features |= (capabilities) & (flag) ? (bit) : 0
    unsigned long first = getauxval(AT_HWCAP);
    unsigned long second = getauxval(AT_HWCAP2);
    DETECT(first, HWCAP_ASIMD, SHRIKE_CPU_NEON);
    DETECT(first, HWCAP_ASIMDDP, SHRIKE_CPU_DOTPROD);
    DETECT(first, HWCAP_ASIMDHP, SHRIKE_CPU_FP16);
    DETECT(first, HWCAP_SVE, SHRIKE_CPU_SVE);
    DETECT(second, HWCAP2_I8MM, SHRIKE_CPU_I8MM);
#endif
    return features;
}
