/*
 * Loops over several strided views of one shape. A view_loop is brought into a simpler form first: dimensions of size 1
 * go, dimensions are ordered by the destination's strides, and neighbours that lie together in every operand merge.
 */
#ifndef SHRIKE_VIEW_H
#define SHRIKE_VIEW_H

#include "shrike.h"

enum { VIEW_OPERANDS = 3 };

typedef struct view_loop {
    int32_t rank, operands;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t strides[VIEW_OPERANDS][SHRIKE_MAX_RANK]; /* operand 0 is the destination */
} view_loop;

/* Adds an operand: the first one is the destination. */
void view_loop_add(view_loop *loop, int32_t rank, const int64_t *dims, const int64_t *strides);

/* Simplifies the loop; afterwards 1 <= rank, the innermost dimension has the destination's smallest stride. */
void view_loop_simplify(view_loop *loop);

/*
 * Brings the longest dimension innermost if the one that is there has fewer than `least` steps: for loops whose start
 * costs more than strided access, such as the two columns x and y of a detector's rows.
 */
void view_loop_lengthen(view_loop *loop, int64_t least);

/* Takes dimension d out of the loop, which may leave rank 0. */
void view_loop_remove(view_loop *loop, int32_t d);

/* Product of the first `rank` sizes. */
int64_t view_loop_count(const view_loop *loop, int32_t rank);

/* Sets offsets[operand] to where step `index` of the loop over the first `rank` dimensions lies. */
void view_loop_offsets(const view_loop *loop, int32_t rank, int64_t index, int64_t *offsets);

#endif
