/*
 * Rows of a simplified view_loop, shared out to the threads: an operation hands over a body for one row, which is the
 * innermost dimension, cut into pieces so that one long row serves many threads as well.
 */
#ifndef SHRIKE_VIEW_ROWS_H
#define SHRIKE_VIEW_ROWS_H

#include "context.h"
#include "view.h"

enum { VIEW_PIECE = 16384 };

/* Handles count elements; at[operand] is the offset of the first one, strides[operand] the distance of neighbours. */
typedef void view_row_body(const void *argument, int64_t count, const int64_t *at, const int64_t *strides);

typedef struct view_rows {
    const view_loop *loop;
    view_row_body *body;
    const void *argument;
    int64_t pieces; /* of a row */
} view_rows;

static void view_rows_run(const void *argument, int64_t begin, int64_t end) {
    const view_rows *rows = argument;
    const view_loop *loop = rows->loop;
    int32_t inner = loop->rank - 1;
    int64_t strides[VIEW_OPERANDS] = {0}, at[VIEW_OPERANDS] = {0};
    for (int32_t o = 0; o < loop->operands; o++) {
        strides[o] = loop->strides[o][inner];
    }
    for (int64_t index = begin; index < end; index++) {
        int64_t first = index % rows->pieces * VIEW_PIECE;
        int64_t left = loop->dims[inner] - first;
        view_loop_offsets(loop, inner, index / rows->pieces, at);
        for (int32_t o = 0; o < loop->operands; o++) {
            at[o] += first * strides[o];
        }
        rows->body(rows->argument, left < VIEW_PIECE ? left : VIEW_PIECE, at, strides);
    }
}

/* Runs body over all of loop, simplified here, on an entered context. */
static inline void view_rows_parallel(shrike_context *context, view_loop *loop, view_row_body *body,
                                      const void *argument) {
    view_loop_simplify(loop);
    int64_t length = loop->dims[loop->rank - 1];
    view_rows rows = {loop, body, argument, (length + VIEW_PIECE - 1) / VIEW_PIECE};
    shrike_parallel(context, view_rows_run, &rows, view_loop_count(loop, loop->rank - 1) * rows.pieces,
                    shrike_grain(length < VIEW_PIECE ? length : VIEW_PIECE, VIEW_PIECE));
}

#endif
