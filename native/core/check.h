/*
 * Argument checks that operations share. All of them answer 1 for a sound argument and never overflow.
 */
#ifndef SHRIKE_CHECK_H
#define SHRIKE_CHECK_H

#include <stdint.h>

#include "shrike.h"

/* No tensor reaches farther than this many elements from its base, so index sums cannot overflow int64. */
#define SHRIKE_MAX_REACH (INT64_C(1) << 48)

/* Whether the elements 0, stride, .. (size - 1) * stride, added to *reach, stay within SHRIKE_MAX_REACH. */
static inline int shrike_check_reach(int64_t size, int64_t stride, int64_t *reach) {
    int64_t distance;
    if (stride == INT64_MIN || __builtin_mul_overflow(size - 1, stride < 0 ? -stride : stride, &distance)) {
        return 0;
    }
    return distance <= SHRIKE_MAX_REACH && (*reach += distance) <= SHRIKE_MAX_REACH;
}

/* An image of positive sizes whose pixels do not overlap: strides are at least what the sizes take. */
static inline int shrike_check_image(const void *base, int32_t batch, int32_t height, int32_t width, int32_t channels,
                                     int64_t batch_stride, int64_t row_stride, int64_t pixel_stride) {
    if (!base || batch < 1 || height < 1 || width < 1 || channels < 1) {
        return 0;
    }
    int64_t reach = channels;
    return pixel_stride >= channels && row_stride >= 0 && batch_stride >= 0 &&
           (height == 1 || row_stride >= channels) && shrike_check_reach(width, pixel_stride, &reach) &&
           shrike_check_reach(height, row_stride, &reach) && shrike_check_reach(batch, batch_stride, &reach);
}

/* A view of rank 0..SHRIKE_MAX_RANK with positive sizes. */
static inline int shrike_check_dims(int32_t rank, const int64_t *dims) {
    if (rank < 0 || rank > SHRIKE_MAX_RANK) {
        return 0;
    }
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 1 || __builtin_mul_overflow(count, dims[i], &count) || count > SHRIKE_MAX_REACH) {
            return 0;
        }
    }
    return 1;
}

static inline int shrike_check_view(const void *base, int32_t rank, const int64_t *dims, const int64_t *strides) {
    int64_t reach = 0;
    for (int32_t i = 0; i < rank; i++) {
        if (!shrike_check_reach(dims[i], strides[i], &reach)) {
            return 0;
        }
    }
    return base != 0;
}

/* A view to be written: as above, and no two elements along one dimension coincide. */
static inline int shrike_check_destination(const void *base, int32_t rank, const int64_t *dims,
                                           const int64_t *strides) {
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] > 1 && strides[i] == 0) {
            return 0;
        }
    }
    return shrike_check_view(base, rank, dims, strides);
}

#endif
