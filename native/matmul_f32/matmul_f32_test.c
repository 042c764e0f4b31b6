/*
 * Products of random strided matrices, around the edges of the 32 x 64 x 128 blocks, against double.
 */
#include "test/views.h"

static int64_t random_size(void) {
    static const int64_t edges[] = {1, 2, 3, 5, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200};
    return edges[pick(0, 14)];
}

static void check_matmul(tier *tiers, int count) {
    shrike_matmul_f32_params p = {.alpha = random_float(-1, 1), .beta = random_float(-1, 1)};
    p.batch_rank = (int32_t)pick(0, 2);
    int64_t batch[2] = {pick(1, 3), pick(1, 3)};
    memcpy(p.batch_dims, batch, sizeof batch);
    p.m = random_size();
    p.n = random_size();
    p.k = random_size();
    int32_t r = p.batch_rank, rank = r + 2;
    int64_t a_dims[4], b_dims[4], dims[4];
    for (int32_t d = 0; d < r; d++) {
        a_dims[d] = b_dims[d] = dims[d] = batch[d];
    }
    a_dims[r] = dims[r] = p.m;
    a_dims[r + 1] = b_dims[r] = p.k;
    b_dims[r + 1] = dims[r + 1] = p.n;
    view a = random_view(rank, a_dims, 1, -1, 1), b = random_view(rank, b_dims, 1, -1, 1);
    view bias = random_view(rank, dims, 1, -1, 1), dst = random_view(rank, dims, 0, -9, 9);
    describe("matmul %lld x %lld x %lld", (long long)p.m, (long long)p.n, (long long)p.k);
    for (int32_t d = 0; d < r; d++) {
        p.a_batch_strides[d] = a.strides[d];
        p.b_batch_strides[d] = b.strides[d];
        p.bias_batch_strides[d] = bias.strides[d];
        p.dst_batch_strides[d] = dst.strides[d];
    }
    p.a_row_stride = a.strides[r];
    p.a_column_stride = a.strides[r + 1];
    p.b_row_stride = b.strides[r];
    p.b_column_stride = b.strides[r + 1];
    p.bias_row_stride = bias.strides[r];
    p.bias_column_stride = bias.strides[r + 1];
    p.dst_row_stride = dst.strides[r];
    p.dst_column_stride = dst.strides[r + 1];
    POINT(p, a, a.memory);
    POINT(p, b, b.memory);
    p.bias = pick(0, 1) ? bias.memory.data : NULL;
    p.bias_bounds = WHOLE(bias.memory);
    int64_t total = count_of(rank, dims);
    double *expected = malloc((size_t)total * sizeof *expected);
    for (int64_t i = 0; i < total; i++) {
        int64_t row = i / p.n, column = i % p.n, which = row / p.m;
        int64_t a_row = offset_of(rank, a_dims, a.strides, row * p.k);
        int64_t b_column = offset_of(rank, b_dims, b.strides, which * p.k * p.n + column);
        double sum = 0;
        for (int64_t k = 0; k < p.k; k++) {
            sum += (double)a.memory.data[a_row + k * p.a_column_stride] * b.memory.data[b_column + k * p.b_row_stride];
        }
        expected[i] = p.alpha * sum;
        if (p.bias) {
            expected[i] += (double)p.beta * bias.memory.data[offset_of(rank, dims, bias.strides, i)];
        }
    }
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_matmul_f32(tiers[t].context, &p), tiers[t].name);
        check_view(rank, dims, dst.strides, &dst.memory, &result, expected, 1e-6 * (double)p.k, 1e-6, tiers[t].name);
        release(result);
    }
    free(expected);
    release(a.memory);
    release(b.memory);
    release(bias.memory);
    release(dst.memory);
}

int main(void) {
    start_tests(20260106);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    for (int i = 0; i < 100; i++) {
        check_matmul(tiers, count);
    }
    shrike_matmul_f32_params p = {.m = 1, .n = 1, .k = 1};
    describe("bad arguments");
    expect_status(SHRIKE_EINVAL, shrike_matmul_f32(tiers[0].context, &p), "null matrices");
    expect_status(SHRIKE_EINVAL, shrike_matmul_f32(tiers[0].context, NULL), "null params");
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
