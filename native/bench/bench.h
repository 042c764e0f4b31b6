/*
 * What the benchmarks share: the clock, a median, and a context from the command line.
 */
#ifndef SHRIKE_BENCH_H
#define SHRIKE_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/array.h"
#include "shrike.h"

/* With one thread its CPU time, which other programs on the machine disturb less; with more the time of the clock. */
static inline double seconds(const shrike_context *context) {
    struct timespec now;
    clock_gettime(shrike_context_threads(context) == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Bounds of a buffer of so many bytes. */
static inline shrike_bounds bounds_of(int64_t bytes) {
    return (shrike_bounds){0, bytes};
}

static inline int compare_times(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline float *random_floats(int64_t count, float low, float high) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, (size_t)count * sizeof(float))) {
        fprintf(stderr, "no memory for %lld floats\n", (long long)count);
        exit(1);
    }
    float *data = memory;
    uint32_t state = 12345;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = low + (high - low) * (float)(state >> 8) / 16777216.0f;
    }
    return data;
}

/* The tier named best, avxvnni, avx2 or portable. */
static inline shrike_context *bench_context(const char *tier, int threads) {
    uint64_t mask = !strcmp(tier, "best")       ? UINT64_MAX
                    : !strcmp(tier, "avxvnni")  ? ~SHRIKE_CPU_AVX512F
                    : !strcmp(tier, "avx2")     ? ~(SHRIKE_CPU_AVX512F | SHRIKE_CPU_AVXVNNI)
                    : !strcmp(tier, "portable") ? 0
                                                : 1;
    shrike_context *context = NULL;
    int32_t status = mask == 1 ? SHRIKE_EINVAL : shrike_context_create(threads, mask, &context);
    if (status) {
        fprintf(stderr, "tier %s, %d threads: %s\n", tier, threads, shrike_status_text(status));
        exit(2);
    }
    return context;
}

#endif
