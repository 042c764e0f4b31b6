/*
 * Simplification of loops over views, and where their steps lie.
 */
#include "view.h"

#include <string.h>

void view_loop_add(view_loop *loop, int32_t rank, const int64_t *dims, const int64_t *strides) {
    loop->rank = rank;
    memcpy(loop->dims, dims, (size_t)rank * sizeof *dims);
    memcpy(loop->strides[loop->operands++], strides, (size_t)rank * sizeof *strides);
}

static int64_t magnitude(int64_t value) {
    return value < 0 ? -value : value;
}

static void swap_dimensions(view_loop *loop, int32_t i, int32_t j) {
    int64_t size = loop->dims[i];
    loop->dims[i] = loop->dims[j];
    loop->dims[j] = size;
    for (int32_t o = 0; o < loop->operands; o++) {
        int64_t stride = loop->strides[o][i];
        loop->strides[o][i] = loop->strides[o][j];
        loop->strides[o][j] = stride;
    }
}

void view_loop_remove(view_loop *loop, int32_t d) {
    for (int32_t i = d; i + 1 < loop->rank; i++) {
        swap_dimensions(loop, i, i + 1);
    }
    loop->rank--;
}

/* Whether dimension d + 1 continues dimension d in every operand. */
static int lie_together(const view_loop *loop, int32_t d) {
    for (int32_t o = 0; o < loop->operands; o++) {
        if (loop->strides[o][d] != loop->strides[o][d + 1] * loop->dims[d + 1]) {
            return 0;
        }
    }
    return 1;
}

void view_loop_simplify(view_loop *loop) {
    for (int32_t d = loop->rank - 1; d >= 0; d--) {
        if (loop->dims[d] == 1) {
            view_loop_remove(loop, d);
        }
    }
    for (int32_t i = 1; i < loop->rank; i++) {
        for (int32_t j = i; j > 0 && magnitude(loop->strides[0][j - 1]) < magnitude(loop->strides[0][j]); j--) {
            swap_dimensions(loop, j - 1, j);
        }
    }
    for (int32_t d = loop->rank - 2; d >= 0; d--) {
        if (lie_together(loop, d)) {
            loop->dims[d + 1] *= loop->dims[d];
            view_loop_remove(loop, d);
        }
    }
    if (loop->rank == 0) {
        loop->rank = 1;
        loop->dims[0] = 1;
        for (int32_t o = 0; o < loop->operands; o++) {
            loop->strides[o][0] = 1;
        }
    }
}

void view_loop_lengthen(view_loop *loop, int64_t least) {
    int32_t inner = loop->rank - 1, longest = inner;
    for (int32_t d = 0; d < inner; d++) {
        if (loop->dims[d] > loop->dims[longest]) {
            longest = d;
        }
    }
    if (loop->dims[inner] < least) {
        swap_dimensions(loop, inner, longest);
    }
}

int64_t view_loop_count(const view_loop *loop, int32_t rank) {
    int64_t count = 1;
    for (int32_t d = 0; d < rank; d++) {
        count *= loop->dims[d];
    }
    return count;
}

void view_loop_offsets(const view_loop *loop, int32_t rank, int64_t index, int64_t *offsets) {
    memset(offsets, 0, (size_t)loop->operands * sizeof *offsets);
    for (int32_t d = rank - 1; d >= 0; d--) {
        int64_t at = index % loop->dims[d];
        index /= loop->dims[d];
        for (int32_t o = 0; o < loop->operands; o++) {
            offsets[o] += at * loop->strides[o][d];
        }
    }
}
