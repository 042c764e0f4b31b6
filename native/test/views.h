/*
 * Random strided views for tests: dimensions in any order of memory, gaps, broadcasting.
 */
#ifndef SHRIKE_TEST_VIEWS_H
#define SHRIKE_TEST_VIEWS_H

#include "test/test.h"

typedef struct view {
    int64_t strides[SHRIKE_MAX_RANK];
    buffer memory;
} view;

static inline int64_t count_of(int32_t rank, const int64_t *dims) {
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) {
        count *= dims[i];
    }
    return count;
}

/* A random rank and sizes of about `most` elements altogether. */
static inline int32_t random_dims(int64_t *dims, int64_t most) {
    int32_t rank = (int32_t)pick(0, SHRIKE_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) {
        int64_t room = most / count_of(i, dims);
        int64_t size = pick(0, 2) ? pick(1, 9) : pick(1, 300);
        dims[i] = size < room ? size : room > 1 ? room : 1;
    }
    return rank;
}

/* Strides for dims: densely in order, or permuted with gaps; with broadcast, some 0. */
static inline view random_view(int32_t rank, const int64_t *dims, int broadcast, float low, float high) {
    view v = {{0}, {0}};
    int32_t order[SHRIKE_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) {
        order[i] = i;
    }
    int shuffled = pick(0, 1) == 0;
    for (int32_t i = rank - 1; shuffled && i > 0; i--) {
        int32_t j = (int32_t)pick(0, i), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    int64_t distance = pick(0, 3) ? 1 : pick(2, 3);
    int64_t reach = 0;
    for (int32_t i = rank - 1; i >= 0; i--) {
        int32_t d = order[i];
        if (broadcast && pick(0, 3) == 0) {
            continue;
        }
        v.strides[d] = distance;
        reach += (dims[d] - 1) * distance;
        distance = distance * dims[d] + (pick(0, 4) ? 0 : pick(1, 5));
    }
    v.memory = allocate_random(reach + 1, low, high);
    return v;
}

static inline int64_t offset_of(int32_t rank, const int64_t *dims, const int64_t *strides, int64_t index) {
    int64_t offset = 0;
    for (int32_t d = rank - 1; d >= 0; d--) {
        offset += index % dims[d] * strides[d];
        index /= dims[d];
    }
    return offset;
}

static inline void describe_view(const char *what, int kind, int32_t rank, const int64_t *dims, const view *v) {
    int at = snprintf(test_case, sizeof test_case, "%s kind %d shape", what, kind);
    for (int32_t i = 0; i < rank; i++) {
        at += snprintf(test_case + at, sizeof test_case - (size_t)at, " %lld(%lld)", (long long)dims[i],
                       (long long)v->strides[i]);
    }
}

/*
 * Compares every element of a result view with what `expected` says for its index, and that nothing else changed.
 * `before` is the memory as it was.
 */
static inline void check_view(int32_t rank, const int64_t *dims, const int64_t *strides, const buffer *before,
                              const buffer *result, const double *expected, double absolute, double relative,
                              const char *name) {
    buffer rest = duplicate(*result);
    for (int64_t i = 0; i < count_of(rank, dims); i++) {
        int64_t at = offset_of(rank, dims, strides, i);
        if (!close_enough(expected[i], result->data[at], absolute, relative)) {
            fail("%s: element %lld is %.9g, expected %.9g", name, (long long)i, result->data[at], expected[i]);
        }
        rest.data[at] = before->data[at];
    }
    expect_same_bits(before, &rest, "what lies between the elements");
    release(rest);
}

#endif
