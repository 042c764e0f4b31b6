/*
 * What the tests share: seeded random numbers, buffers that end at a guard page, contexts for every tier, comparisons.
 *
 * SHRIKE_TEST_SEED=N replays a run. A failure prints the seed and the case, then ends the program with status 1.
 */
#ifndef SHRIKE_TEST_H
#define SHRIKE_TEST_H

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/array.h"
#include "shrike.h"

static uint64_t test_seed;
static uint64_t test_state;
static char test_case[512];

__attribute__((format(printf, 1, 2), noreturn)) static inline void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "FAILED: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n  case: %s\n  replay with SHRIKE_TEST_SEED=%llu\n", test_case, (unsigned long long)test_seed);
    va_end(arguments);
    exit(1);
}

__attribute__((format(printf, 1, 2))) static inline void describe(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(test_case, sizeof test_case, format, arguments);
    va_end(arguments);
}

static inline void start_tests(uint64_t seed) {
    const char *replay = getenv("SHRIKE_TEST_SEED");
    test_seed = replay ? strtoull(replay, NULL, 10) : seed;
    test_state = test_seed * 0x9e3779b97f4a7c15u + 1;
    printf("seed %llu\n", (unsigned long long)test_seed);
}

/* splitmix64 */
static inline uint64_t random_bits(void) {
    uint64_t z = test_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* low..high, both included */
static inline int64_t pick(int64_t low, int64_t high) {
    return low + (int64_t)(random_bits() % (uint64_t)(high - low + 1));
}

static inline float random_float(float low, float high) {
    return low + (high - low) * (float)(random_bits() >> 40) / 16777216.0f;
}

/* Floats whose last one ends exactly where an inaccessible page begins. */
typedef struct buffer {
    float *data;
    int64_t count;
    void *map;
    size_t map_size;
} buffer;

static inline buffer allocate(int64_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = ((size_t)count * sizeof(float) + page - 1) / page * page;
    void *map = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect((char *)map + size, page, PROT_NONE)) {
        fail("no memory for %lld floats", (long long)count);
    }
    return (buffer){(float *)((char *)map + size) - count, count, map, size + page};
}

static inline buffer allocate_random(int64_t count, float low, float high) {
    buffer b = allocate(count);
    for (int64_t i = 0; i < count; i++) {
        b.data[i] = random_float(low, high);
    }
    return b;
}

static inline buffer duplicate(buffer from) {
    buffer b = allocate(from.count);
    memcpy(b.data, from.data, (size_t)from.count * sizeof(float));
    return b;
}

/* The bounds of a whole buffer, or of codes, as its pointer sees them. */
#define WHOLE(memory) ((shrike_bounds){0, (memory).count * (int64_t)sizeof *(memory).data})

/* Points a field of params at a whole buffer. */
#define POINT(p, field, memory) ((p).field = (memory).data, (p).field##_bounds = WHOLE(memory))

/* The bounds of an array, for fields of params that point to its first element. */
#define WHOLE_ARRAY(array) ((shrike_bounds){0, (int64_t)sizeof(array)})

static inline void release(buffer b) {
    munmap(b.map, b.map_size);
}

/* Every tier of this machine, best first, each with one and with three threads. */
typedef struct tier {
    const char *name;
    int32_t threads;
    shrike_context *context;
} tier;

enum { MAX_TIERS = 8 };

static inline int create_tiers(tier *tiers) {
    static const struct {
        const char *name;
        uint64_t mask, wanted;
    } masks[] = {
        {"best", UINT64_MAX, 0},
        {"avxvnni", ~SHRIKE_CPU_AVX512F, SHRIKE_CPU_AVXVNNI},
        {"avx2", ~(SHRIKE_CPU_AVX512F | SHRIKE_CPU_AVXVNNI), SHRIKE_CPU_AVX512F | SHRIKE_CPU_AVXVNNI},
        {"portable", 0, SHRIKE_CPU_AVX2 | SHRIKE_CPU_NEON},
    };
    int count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        if (masks[i].wanted && !(shrike_cpu_features() & masks[i].wanted)) {
            continue;
        }
        for (int32_t threads = 1; threads <= 3; threads += 2) {
            tiers[count] = (tier){masks[i].name, threads, NULL};
            if (shrike_context_create(threads, masks[i].mask, &tiers[count].context)) {
                fail("no context for tier %s", masks[i].name);
            }
            count++;
        }
    }
    return count;
}

static inline void destroy_tiers(tier *tiers, int count) {
    for (int i = 0; i < count; i++) {
        shrike_context_destroy(tiers[i].context);
    }
}

static inline void expect_status(int32_t wanted, int32_t status, const char *what) {
    if (status != wanted) {
        fail("%s: status %d (%s), expected %d", what, status, shrike_status_text(status), wanted);
    }
}

/* Both NaN, equal, or within absolute + relative * |expected|. */
static inline int close_enough(double expected, float actual, double absolute, double relative) {
    if (isnan(expected) || isnan(actual)) {
        return isnan(expected) && isnan(actual);
    }
    return expected == actual || fabs(actual - expected) <= absolute + relative * fabs(expected);
}

static inline void expect_same_bits(const buffer *expected, const buffer *actual, const char *what) {
    for (int64_t i = 0; i < expected->count; i++) {
        if (memcmp(&expected->data[i], &actual->data[i], sizeof(float))) {
            fail("%s: element %lld is %.9g, expected exactly %.9g", what, (long long)i, actual->data[i],
                 expected->data[i]);
        }
    }
}

#endif
