/*
 * Matrix product of strided views. A task is a block of 32 x 64 results; along k it copies blocks of both matrices to
 * where they lie together and multiplies those. Every result is one chain of multiply-adds along k.
 */
#include <stddef.h>
#include <string.h>

#include "core/check.h"
#include "core/view.h"
#include "vector_ops/vector_ops.h"

enum { ROWS = VECTOR_OPS_BLOCK_ROWS, COLUMNS = VECTOR_OPS_BLOCK_COLUMNS, DEPTH = VECTOR_OPS_BLOCK_DEPTH };

typedef struct matmul {
    const shrike_matmul_f32_params *p;
    const shrike_vector_ops *vector_ops;
    int64_t row_blocks, column_blocks;
} matmul;

typedef struct offsets {
    int64_t a, b, bias, dst;
} offsets;

static offsets batch_offsets(const shrike_matmul_f32_params *p, int64_t batch) {
    offsets at = {0};
    for (int32_t d = p->batch_rank - 1; d >= 0; d--) {
        int64_t i = batch % p->batch_dims[d];
        batch /= p->batch_dims[d];
        at.a += i * p->a_batch_strides[d];
        at.b += i * p->b_batch_strides[d];
        at.bias += i * p->bias_batch_strides[d];
        at.dst += i * p->dst_batch_strides[d];
    }
    return at;
}

/* to[i * width + j] = from[i * row_stride + j * column_stride] */
static void gather(float *to, int64_t width, const float *from, int64_t rows, int64_t columns, int64_t row_stride,
                   int64_t column_stride) {
    for (int64_t i = 0; i < rows; i++) {
        const float *row = from + i * row_stride;
        if (column_stride == 1) {
            memcpy(to + i * width, row, (size_t)columns * sizeof *to);
            continue;
        }
        for (int64_t j = 0; j < columns; j++) {
            to[i * width + j] = row[j * column_stride];
        }
    }
}

static void write_block(const shrike_matmul_f32_params *p, const float *sums, const float *bias, float *dst,
                        int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            float value = p->alpha * sums[i * COLUMNS + j];
            if (bias) {
                value += p->beta * bias[i * p->bias_row_stride + j * p->bias_column_stride];
            }
            dst[i * p->dst_row_stride + j * p->dst_column_stride] = value;
        }
    }
}

static void run_blocks(const void *argument, int64_t begin, int64_t end) {
    const matmul *m = argument;
    const shrike_matmul_f32_params *p = m->p;
    float a[ROWS * DEPTH], b[DEPTH * COLUMNS], sums[ROWS * COLUMNS];
    /* Rows and columns that fill up a tile are computed and thrown away: they must be numbers. */
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    for (int64_t block = begin; block < end; block++) {
        int64_t j = block % m->column_blocks * COLUMNS;
        int64_t i = block / m->column_blocks % m->row_blocks * ROWS;
        offsets at = batch_offsets(p, block / m->column_blocks / m->row_blocks);
        int64_t rows = p->m - i < ROWS ? p->m - i : ROWS;
        int64_t columns = p->n - j < COLUMNS ? p->n - j : COLUMNS;
        memset(sums, 0, sizeof sums);
        for (int64_t k = 0; k < p->k; k += DEPTH) {
            int64_t depth = p->k - k < DEPTH ? p->k - k : DEPTH;
            gather(a, DEPTH, p->a + at.a + i * p->a_row_stride + k * p->a_column_stride, rows, depth, p->a_row_stride,
                   p->a_column_stride);
            gather(b, COLUMNS, p->b + at.b + k * p->b_row_stride + j * p->b_column_stride, depth, columns,
                   p->b_row_stride, p->b_column_stride);
            m->vector_ops->multiply_block(rows, columns, depth, a, b, sums);
        }
        const float *bias = p->bias ? p->bias + at.bias + i * p->bias_row_stride + j * p->bias_column_stride : NULL;
        write_block(p, sums, bias, p->dst + at.dst + i * p->dst_row_stride + j * p->dst_column_stride, rows, columns);
    }
}

static int sound_view(const float *base, shrike_bounds bounds, const shrike_matmul_f32_params *p,
                      const int64_t *batch_strides, int64_t rows, int64_t row_stride, int64_t columns,
                      int64_t column_stride, int destination) {
    int64_t dims[SHRIKE_MAX_BATCH_RANK + 2], strides[SHRIKE_MAX_BATCH_RANK + 2];
    memcpy(dims, p->batch_dims, (size_t)p->batch_rank * sizeof *dims);
    memcpy(strides, batch_strides, (size_t)p->batch_rank * sizeof *strides);
    dims[p->batch_rank] = rows;
    strides[p->batch_rank] = row_stride;
    dims[p->batch_rank + 1] = columns;
    strides[p->batch_rank + 1] = column_stride;
    const int32_t rank = p->batch_rank + 2;
    const int64_t bytes = (int64_t)sizeof *base;
    return shrike_check_dims(rank, dims) &&
           (destination ? shrike_check_destination(base, bounds, bytes, rank, dims, strides)
                        : shrike_check_view(base, bounds, bytes, rank, dims, strides));
}

static int validate(const shrike_matmul_f32_params *p) {
    return p->batch_rank >= 0 && p->batch_rank <= SHRIKE_MAX_BATCH_RANK && p->reserved == 0 &&
           sound_view(p->a, p->a_bounds, p, p->a_batch_strides, p->m, p->a_row_stride, p->k, p->a_column_stride, 0) &&
           sound_view(p->b, p->b_bounds, p, p->b_batch_strides, p->k, p->b_row_stride, p->n, p->b_column_stride, 0) &&
           sound_view(p->dst, p->dst_bounds, p, p->dst_batch_strides, p->m, p->dst_row_stride, p->n,
                      p->dst_column_stride, 1) &&
           (!p->bias || sound_view(p->bias, p->bias_bounds, p, p->bias_batch_strides, p->m, p->bias_row_stride, p->n,
                                   p->bias_column_stride, 0));
}

int32_t shrike_matmul_f32(shrike_context *context, const shrike_matmul_f32_params *p) {
    if (!p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    matmul m = {.p = p, .vector_ops = shrike_vector_ops_of(context)};
    m.row_blocks = (p->m + ROWS - 1) / ROWS;
    m.column_blocks = (p->n + COLUMNS - 1) / COLUMNS;
    int64_t batch = 1;
    for (int32_t d = 0; d < p->batch_rank; d++) {
        batch *= p->batch_dims[d];
    }
    shrike_parallel(context, run_blocks, &m, batch * m.row_blocks * m.column_blocks, 1);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
