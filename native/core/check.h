/*
 * Argument checks that operations share. All of them answer 1 for a sound argument and never overflow. The macros take
 * a field of params with what stands beside it: `src` with src_bounds and src_strides, or src_batch_stride and so on.
 */
#ifndef SHRIKE_CHECK_H
#define SHRIKE_CHECK_H

#include <stdint.h>

#include "shrike.h"

/* No tensor reaches farther than this many elements from its base, so index sums cannot overflow int64. */
#define SHRIKE_MAX_REACH (INT64_C(1) << 48)

/* Whether the elements first..last of `size` bytes each, 0 among them, belong to the buffer; base may not be null. */
static inline int shrike_check_bounds(const void *base, shrike_bounds bounds, int64_t size, int64_t first,
                                      int64_t last) {
    return base && bounds.before >= 0 && bounds.after >= 0 && -first <= bounds.before / size &&
           last < bounds.after / size && (uintptr_t)base % (size < 4 ? 1 : 4) == 0;
}

/* Whether a buffer of `bytes` bytes holds at least `wanted`, and is aligned to `alignment`. */
static inline int shrike_check_buffer(const void *base, int64_t bytes, int64_t wanted, uintptr_t alignment) {
    return base && wanted >= 0 && bytes >= wanted && (uintptr_t)base % alignment == 0;
}

/* A field that points to `count` elements of its type which lie together. */
#define SHRIKE_CHECK_ELEMENTS(p, field, count)                                                                         \
    shrike_check_bounds((p)->field, (p)->field##_bounds, (int64_t)sizeof *(p)->field, 0, (int64_t)(count)-1)

/* Adds the distance of the elements 0, stride, .. (size - 1) * stride to *reach, which stays below MAX_REACH. */
static inline int shrike_check_reach(int64_t size, int64_t stride, int64_t *reach) {
    int64_t distance;
    if (stride == INT64_MIN || __builtin_mul_overflow(size - 1, stride < 0 ? -stride : stride, &distance)) {
        return 0;
    }
    return distance <= SHRIKE_MAX_REACH && (*reach += distance) <= SHRIKE_MAX_REACH;
}

static inline int shrike_check_size(int32_t size) {
    return size >= 1 && size <= SHRIKE_MAX_SIZE;
}

typedef struct shrike_image_check {
    const void *base;
    shrike_bounds bounds;
    int64_t element_bytes;
    int32_t batch, height, width, channels;
    int64_t batch_stride, row_stride, pixel_stride;
} shrike_image_check;

/* An image of positive sizes, whose pixels do not overlap in a row, within its buffer. */
static inline int shrike_check_image(const shrike_image_check *i) {
    int64_t reach = (int64_t)i->channels - 1;
    return shrike_check_size(i->batch) && shrike_check_size(i->height) && shrike_check_size(i->width) &&
           shrike_check_size(i->channels) && i->pixel_stride >= i->channels && i->row_stride >= 0 &&
           i->batch_stride >= 0 && (i->height == 1 || i->row_stride >= i->channels) &&
           shrike_check_reach(i->width, i->pixel_stride, &reach) &&
           shrike_check_reach(i->height, i->row_stride, &reach) &&
           shrike_check_reach(i->batch, i->batch_stride, &reach) &&
           shrike_check_bounds(i->base, i->bounds, i->element_bytes, 0, reach);
}

#define SHRIKE_CHECK_IMAGE_OF(p, field, bytes, height, width, channels)                                                \
    shrike_check_image(&(shrike_image_check){(p)->field, (p)->field##_bounds, bytes, (p)->batch, height, width,        \
                                             channels, (p)->field##_batch_stride, (p)->field##_row_stride,             \
                                             (p)->field##_pixel_stride})
#define SHRIKE_CHECK_IMAGE(p, field, height, width, channels)                                                          \
    SHRIKE_CHECK_IMAGE_OF(p, field, (int64_t)sizeof *(p)->field, height, width, channels)

/* An image to be written: as above, and the pixels of two images do not coincide. */
#define SHRIKE_CHECK_TARGET_OF(p, field, bytes, height, width, channels)                                               \
    (((p)->batch == 1 || (p)->field##_batch_stride >= (channels)) &&                                                   \
     SHRIKE_CHECK_IMAGE_OF(p, field, bytes, height, width, channels))
#define SHRIKE_CHECK_TARGET(p, field, height, width, channels)                                                         \
    SHRIKE_CHECK_TARGET_OF(p, field, (int64_t)sizeof *(p)->field, height, width, channels)

typedef struct shrike_window_check {
    int32_t kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
    int32_t pad_top, pad_left;
} shrike_window_check;

/* A window whose sizes are within SHRIKE_MAX_SIZE; so products of two and sums of some stay far within int64. */
static inline int shrike_check_window(const shrike_window_check *w) {
    return shrike_check_size(w->kernel_height) && shrike_check_size(w->kernel_width) &&
           shrike_check_size(w->stride_height) && shrike_check_size(w->stride_width) &&
           shrike_check_size(w->dilation_height) && shrike_check_size(w->dilation_width) && w->pad_top >= 0 &&
           w->pad_top <= SHRIKE_MAX_SIZE && w->pad_left >= 0 && w->pad_left <= SHRIKE_MAX_SIZE;
}

#define SHRIKE_CHECK_WINDOW(p)                                                                                         \
    shrike_check_window(&(shrike_window_check){(p)->kernel_height, (p)->kernel_width, (p)->stride_height,              \
                                               (p)->stride_width, (p)->dilation_height, (p)->dilation_width,           \
                                               (p)->pad_top, (p)->pad_left})

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

/* Whether all elements of a view of sound dims belong to its buffer. */
static inline int shrike_check_view(const void *base, shrike_bounds bounds, int64_t element_bytes, int32_t rank,
                                    const int64_t *dims, const int64_t *strides) {
    int64_t before = 0, after = 0;
    for (int32_t i = 0; i < rank; i++) {
        if (!shrike_check_reach(dims[i], strides[i], strides[i] < 0 ? &before : &after)) {
            return 0;
        }
    }
    return shrike_check_bounds(base, bounds, element_bytes, -before, after);
}

/* A view to be written: as above, and no two elements along one dimension coincide. */
static inline int shrike_check_destination(const void *base, shrike_bounds bounds, int64_t element_bytes, int32_t rank,
                                           const int64_t *dims, const int64_t *strides) {
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] > 1 && strides[i] == 0) {
            return 0;
        }
    }
    return shrike_check_view(base, bounds, element_bytes, rank, dims, strides);
}

/* Views of the shape (p)->dims, which must have been checked. */
#define SHRIKE_CHECK_VIEW(p, field)                                                                                    \
    shrike_check_view((p)->field, (p)->field##_bounds, (int64_t)sizeof *(p)->field, (p)->rank, (p)->dims,              \
                      (p)->field##_strides)
#define SHRIKE_CHECK_DESTINATION(p, field)                                                                             \
    shrike_check_destination((p)->field, (p)->field##_bounds, (int64_t)sizeof *(p)->field, (p)->rank, (p)->dims,       \
                             (p)->field##_strides)

#endif
