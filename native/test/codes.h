/*
 * Buffers of one-byte codes that end at a guard page, for the tests of quantised operations.
 */
#ifndef SHRIKE_TEST_CODES_H
#define SHRIKE_TEST_CODES_H

#include "test/views.h"

typedef struct codes {
    uint8_t *data;
    int64_t count;
    buffer memory;
} codes;

/* `count` codes, the last one right before an inaccessible page. */
static inline codes allocate_codes(int64_t count) {
    buffer memory = allocate((count + 3) / 4);
    return (codes){(uint8_t *)(memory.data + memory.count) - count, count, memory};
}

static inline codes random_codes(int64_t count, int64_t low, int64_t high) {
    codes c = allocate_codes(count);
    for (int64_t i = 0; i < count; i++) {
        c.data[i] = (uint8_t)pick(low, high);
    }
    return c;
}

static inline codes duplicate_codes(codes from) {
    codes c = allocate_codes(from.count);
    memcpy(c.data, from.data, (size_t)from.count);
    return c;
}

static inline void release_codes(codes c) {
    release(c.memory);
}

static inline void expect_same_codes(const codes *expected, const codes *actual, const char *what) {
    for (int64_t i = 0; i < expected->count; i++) {
        if (expected->data[i] != actual->data[i]) {
            fail("%s: byte %lld is %d, expected %d", what, (long long)i, actual->data[i], expected->data[i]);
        }
    }
}

/* Codes with the extent of a random view; its floats are not used. */
static inline codes random_code_view(int32_t rank, const int64_t *dims, int broadcast, int64_t *strides) {
    view v = random_view(rank, dims, broadcast, 0, 1);
    memcpy(strides, v.strides, sizeof v.strides);
    codes c = random_codes(v.memory.count, 0, 255);
    release(v.memory);
    return c;
}

/* clamp(rint(value), low, high), NaN giving low, through the C library. */
static inline uint8_t nearest_code(float value, int32_t low, int32_t high) {
    float rounded = rintf(value);
    return (uint8_t)(rounded >= (float)high ? (float)high : rounded > (float)low ? rounded : (float)low);
}

/* Strides of an image that is, half of the time, a slice of a wider one. */
static inline void lay_out_image(int64_t height, int64_t width, int64_t channels, int64_t *strides) {
    strides[2] = channels + (pick(0, 1) ? pick(1, 40) : 0);
    strides[1] = width * strides[2] + (pick(0, 3) ? 0 : pick(1, 20));
    strides[0] = height * strides[1] + (pick(0, 3) ? 0 : pick(1, 20));
}

static inline int64_t image_extent(int64_t batch, int64_t height, int64_t width, int64_t channels,
                                   const int64_t *strides) {
    return (batch - 1) * strides[0] + (height - 1) * strides[1] + (width - 1) * strides[2] + channels;
}

#endif
