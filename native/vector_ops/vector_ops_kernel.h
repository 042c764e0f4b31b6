/*
 * The loops of vector_ops.h, written once for all tiers; include after a vec_*.h. The rare functions that have no
 * vector form here (log, erf, expm1, pow, fmod and the like) call libm for each element.
 */
#include <math.h>

#include "core/cpu.h"
#include "core/vec_math.h"
#include "vector_ops.h"

/* for each vector x of src: dst = expression; the last lanes are loaded and stored under a mask */
#define EACH(expression)                                                                                               \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (; i + VL <= n; i += VL) {                                                                                 \
            const vf x = vf_load(src + i);                                                                             \
            vf_store(dst + i, expression);                                                                             \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            const vf x = vf_load_first(src + i, n - i);                                                                \
            vf_store_first(dst + i, expression, n - i);                                                                \
        }                                                                                                              \
        return;                                                                                                        \
    } while (0)

#define EACH_SCALAR(expression)                                                                                        \
    do {                                                                                                               \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const float x = src[i];                                                                                    \
            dst[i] = expression;                                                                                       \
        }                                                                                                              \
        return;                                                                                                        \
    } while (0)

static inline vf as_number(vm mask) {
    return vf_select(mask, vf_set1(1), vf_set1(0));
}

/* NaN is neither below nor above 0 and stays itself. */
static inline vf sign_of(vf x) {
    vf y = vf_select(vm_less(x, vf_set1(0)), vf_set1(-1), x);
    return vf_select(vm_less(vf_set1(0), x), vf_set1(1), y);
}

/*
 * With e = exp(x) the tangent of log(1 + e) is (e^2 + 2e) / (e^2 + 2e + 2), of which nothing cancels; from 20 on it is
 * 1 to float32, and e^2 must not overflow.
 */
static inline vf mish(vf x) {
    const vf e = vf_exp(vf_min(x, vf_set1(20)));
    const vf n = e * (e + vf_set1(2));
    return vf_select(vm_less(vf_set1(20), x), x, x * (n / (n + vf_set1(2))));
}

static void span_unary(int32_t kind, float alpha, float beta, int64_t n, const float *src, float *dst) {
    const vf a = vf_set1(alpha), b = vf_set1(beta), zero = vf_set1(0), one = vf_set1(1);
    switch ((enum shrike_unary)kind) {
    case SHRIKE_UNARY_SIGMOID:
        EACH(vf_sigmoid(x));
    case SHRIKE_UNARY_SILU:
        EACH(vf_silu(x));
    case SHRIKE_UNARY_RELU:
        EACH(vf_relu(x));
    case SHRIKE_UNARY_LEAKY_RELU:
        EACH(vf_leaky_relu(x, a));
    case SHRIKE_UNARY_HARD_SIGMOID:
        EACH(vf_hard_sigmoid(x, a, b));
    case SHRIKE_UNARY_HARD_SWISH:
        EACH(vf_hard_swish(x));
    case SHRIKE_UNARY_TANH:
        EACH(vf_tanh(x));
    case SHRIKE_UNARY_EXP:
        EACH(vf_exp(x));
    case SHRIKE_UNARY_LOG:
        EACH_SCALAR(logf(x));
    case SHRIKE_UNARY_SQRT:
        EACH(vf_sqrt(x));
    case SHRIKE_UNARY_NEG:
        EACH(-x);
    case SHRIKE_UNARY_ABS:
        EACH(vf_abs(x));
    case SHRIKE_UNARY_FLOOR:
        EACH(vf_floor(x));
    case SHRIKE_UNARY_CEIL:
        EACH(vf_ceil(x));
    case SHRIKE_UNARY_ROUND:
        EACH(vf_round(x));
    case SHRIKE_UNARY_RECIPROCAL:
        EACH(one / x);
    case SHRIKE_UNARY_SIGN:
        EACH(sign_of(x));
    case SHRIKE_UNARY_NOT:
        EACH(as_number(vm_equal(x, zero)));
    case SHRIKE_UNARY_ERF:
        EACH_SCALAR(erff(x));
    case SHRIKE_UNARY_SOFTPLUS:
        EACH_SCALAR(x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x)));
    case SHRIKE_UNARY_MISH:
        EACH(mish(x));
    case SHRIKE_UNARY_ELU:
        EACH_SCALAR(x > 0 ? x : alpha * expm1f(x));
    case SHRIKE_UNARY_SELU:
        EACH_SCALAR(beta * (x > 0 ? x : alpha * expm1f(x)));
    case SHRIKE_UNARY_CELU:
        EACH_SCALAR(x > 0 ? x : alpha * expm1f(x / alpha));
    case SHRIKE_UNARY_GELU:
        EACH_SCALAR(0.5f * x * erfcf(x * -0.70710678f));
    case SHRIKE_UNARY_GELU_TANH:
        EACH_SCALAR(x / (1 + expf(x * (-1.5957691f - 0.071354816f * x * x))));
    case SHRIKE_UNARY_SOFTSIGN:
        EACH(x / (one + vf_abs(x)));
    case SHRIKE_UNARY_THRESHOLDED_RELU:
        EACH(vf_select(vm_less(a, x), x, zero));
    case SHRIKE_UNARY_SIN:
        EACH_SCALAR(sinf(x));
    case SHRIKE_UNARY_COS:
        EACH_SCALAR(cosf(x));
    case SHRIKE_UNARY_ATAN:
        EACH_SCALAR(atanf(x));
    case SHRIKE_UNARY_CLIP:
        EACH(vf_clip(x, a, b));
    case SHRIKE_UNARY_COUNT:
        return;
    }
}

#define EACH_PAIR(expression)                                                                                          \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (; i + VL <= n; i += VL) {                                                                                 \
            const vf x = vf_load(a + i), y = vf_load(b + i);                                                           \
            vf_store(dst + i, expression);                                                                             \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            const vf x = vf_load_first(a + i, n - i), y = vf_load_first(b + i, n - i);                                 \
            vf_store_first(dst + i, expression, n - i);                                                                \
        }                                                                                                              \
        return;                                                                                                        \
    } while (0)

#define EACH_PAIR_SCALAR(expression)                                                                                   \
    do {                                                                                                               \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const float x = a[i], y = b[i];                                                                            \
            dst[i] = expression;                                                                                       \
        }                                                                                                              \
        return;                                                                                                        \
    } while (0)

/* NaN in either operand gives NaN, as NumPy's and ONNX Runtime's minimum and maximum do. */
static inline vf nan_or(vf x, vf y, vf result) {
    return vf_select(vm_and(vm_equal(x, x), vm_equal(y, y)), result, x + y);
}

static inline vm is_true(vf x) {
    return vm_not(vm_equal(x, vf_set1(0)));
}

static void span_binary(int32_t kind, int64_t n, const float *a, const float *b, float *dst) {
    switch ((enum shrike_binary)kind) {
    case SHRIKE_BINARY_ADD:
        EACH_PAIR(x + y);
    case SHRIKE_BINARY_SUB:
        EACH_PAIR(x - y);
    case SHRIKE_BINARY_MUL:
        EACH_PAIR((x) * (y));
    case SHRIKE_BINARY_DIV:
        EACH_PAIR(x / y);
    case SHRIKE_BINARY_POW:
        EACH_PAIR_SCALAR(y == 2 ? x * x : powf(x, y));
    case SHRIKE_BINARY_MIN:
        EACH_PAIR(nan_or(x, y, vf_min(x, y)));
    case SHRIKE_BINARY_MAX:
        EACH_PAIR(nan_or(x, y, vf_max(x, y)));
    case SHRIKE_BINARY_MOD:
        EACH_PAIR_SCALAR(fmodf(x, y));
    case SHRIKE_BINARY_EQUAL:
        EACH_PAIR(as_number(vm_equal(x, y)));
    case SHRIKE_BINARY_GREATER:
        EACH_PAIR(as_number(vm_less(y, x)));
    case SHRIKE_BINARY_GREATER_OR_EQUAL:
        EACH_PAIR(as_number(vm_less_equal(y, x)));
    case SHRIKE_BINARY_LESS:
        EACH_PAIR(as_number(vm_less(x, y)));
    case SHRIKE_BINARY_LESS_OR_EQUAL:
        EACH_PAIR(as_number(vm_less_equal(x, y)));
    case SHRIKE_BINARY_AND:
        EACH_PAIR(as_number(vm_and(is_true(x), is_true(y))));
    case SHRIKE_BINARY_OR:
        EACH_PAIR(as_number(vm_or(is_true(x), is_true(y))));
    case SHRIKE_BINARY_XOR:
        EACH_PAIR_SCALAR((x != 0) != (y != 0) ? 1.0f : 0.0f);
    case SHRIKE_BINARY_PRELU:
        EACH_PAIR(vf_select(vm_less(x, vf_set1(0)), (x) * (y), x));
    case SHRIKE_BINARY_COUNT:
        return;
    }
}

/* vf_max(tap, sum) keeps sum when the tap is NaN. */
static void span_maximum(int64_t n, const float *const *taps, int64_t count, int extend, float *dst) {
    const vf lowest = vf_set1(-__FLT_MAX__);
    int64_t i = 0;
    for (; i + VL <= n; i += VL) {
        vf sum = extend ? vf_load(dst + i) : lowest;
        for (int64_t t = 0; t < count; t++) {
            sum = vf_max(vf_load(taps[t] + i), sum);
        }
        vf_store(dst + i, sum);
    }
    if (i < n) {
        vf sum = extend ? vf_load_first(dst + i, n - i) : lowest;
        for (int64_t t = 0; t < count; t++) {
            sum = vf_max(vf_load_first(taps[t] + i, n - i), sum);
        }
        vf_store_first(dst + i, sum, n - i);
    }
}

static void span_weighted_sum(int64_t n, const float *const *taps, const float *weights, int64_t count, int extend,
                              float *dst) {
    int64_t i = 0;
    for (; i + VL <= n; i += VL) {
        vf sum = extend ? vf_load(dst + i) : vf_set1(0);
        for (int64_t t = 0; t < count; t++) {
            sum = vf_fma(vf_load(taps[t] + i), vf_set1(weights[t]), sum);
        }
        vf_store(dst + i, sum);
    }
    if (i < n) {
        vf sum = extend ? vf_load_first(dst + i, n - i) : vf_set1(0);
        for (int64_t t = 0; t < count; t++) {
            sum = vf_fma(vf_load_first(taps[t] + i, n - i), vf_set1(weights[t]), sum);
        }
        vf_store_first(dst + i, sum, n - i);
    }
}

static void span_range(int64_t n, const float *src, float *low_high) {
    enum { CHAINS = 4 };
    vf low[CHAINS], high[CHAINS];
    for (int c = 0; c < CHAINS; c++) {
        low[c] = vf_set1(low_high[0]);
        high[c] = vf_set1(low_high[1]);
    }
    const vf infinity = vf_set1(__builtin_inff());
    int64_t i = 0;
    for (; i + CHAINS * VL <= n; i += CHAINS * VL) {
#pragma GCC unroll 4
        for (int c = 0; c < CHAINS; c++) {
            const vf x = vf_load(src + i + c * VL);
            const vm finite = vm_less(vf_abs(x), infinity);
            low[c] = vf_min(vf_select(finite, x, low[c]), low[c]);
            high[c] = vf_max(vf_select(finite, x, high[c]), high[c]);
        }
    }
    float lanes[2][CHAINS * VL];
    for (int c = 0; c < CHAINS; c++) {
        vf_store(lanes[0] + c * VL, low[c]);
        vf_store(lanes[1] + c * VL, high[c]);
    }
    for (int c = 0; c < CHAINS * VL; c++) {
        low_high[0] = lanes[0][c] < low_high[0] ? lanes[0][c] : low_high[0];
        low_high[1] = lanes[1][c] > low_high[1] ? lanes[1][c] : low_high[1];
    }
    for (; i < n; i++) {
        const int finite = fabsf(src[i]) < __builtin_inff();
        low_high[0] = finite && src[i] < low_high[0] ? src[i] : low_high[0];
        low_high[1] = finite && src[i] > low_high[1] ? src[i] : low_high[1];
    }
}

/* A tile of 4 rows x TILE_VECTORS vectors in registers. */
enum { TILE_ROWS = 4, TILE_VECTORS = VL == 16 ? 4 : 2 };

static void span_multiply_block(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b,
                                float *sums) {
    for (int64_t i = 0; i < rows; i += TILE_ROWS) {
        for (int64_t j = 0; j < columns; j += TILE_VECTORS * VL) {
            vf acc[TILE_ROWS][TILE_VECTORS];
            float *tile = sums + i * VECTOR_OPS_BLOCK_COLUMNS + j;
#pragma GCC unroll 16
            for (int r = 0; r < TILE_ROWS; r++) {
#pragma GCC unroll 16
                for (int v = 0; v < TILE_VECTORS; v++) {
                    acc[r][v] = vf_load(tile + r * VECTOR_OPS_BLOCK_COLUMNS + v * VL);
                }
            }
            for (int64_t k = 0; k < depth; k++) {
#pragma GCC unroll 16
                for (int v = 0; v < TILE_VECTORS; v++) {
                    vf y = vf_load(b + k * VECTOR_OPS_BLOCK_COLUMNS + j + v * VL);
#pragma GCC unroll 16
                    for (int r = 0; r < TILE_ROWS; r++) {
                        acc[r][v] = vf_fma(vf_set1(a[(i + r) * VECTOR_OPS_BLOCK_DEPTH + k]), y, acc[r][v]);
                    }
                }
            }
#pragma GCC unroll 16
            for (int r = 0; r < TILE_ROWS; r++) {
#pragma GCC unroll 16
                for (int v = 0; v < TILE_VECTORS; v++) {
                    vf_store(tile + r * VECTOR_OPS_BLOCK_COLUMNS + v * VL, acc[r][v]);
                }
            }
        }
    }
}

const shrike_vector_ops TIER(shrike_vector_ops) = {
    TIER_FEATURES, span_unary, span_binary, span_maximum, span_weighted_sum, span_range, span_multiply_block,
};
