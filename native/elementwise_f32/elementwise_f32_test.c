/*
 * Functions of one and two numbers against libm in double, on random views and on special values.
 */
#include <float.h>

#include "test/views.h"

static double unary(int32_t kind, double x, double alpha, double beta) {
    switch (kind) {
    case SHRIKE_UNARY_SIGMOID:
        return 1 / (1 + exp(-x));
    case SHRIKE_UNARY_SILU:
        return x / (1 + exp(-x));
    case SHRIKE_UNARY_RELU:
        return isnan(x) ? x : fmax(0, x);
    case SHRIKE_UNARY_LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case SHRIKE_UNARY_HARD_SIGMOID:
        return isnan(x) ? x : fmax(0, fmin(1, alpha * x + beta));
    case SHRIKE_UNARY_HARD_SWISH:
        return isnan(x) ? x : x * fmax(0, fmin(1, x / 6 + 0.5));
    case SHRIKE_UNARY_TANH:
        return tanh(x);
    case SHRIKE_UNARY_EXP:
        return exp(x);
    case SHRIKE_UNARY_LOG:
        return log(x);
    case SHRIKE_UNARY_SQRT:
        return sqrt(x);
    case SHRIKE_UNARY_NEG:
        return -x;
    case SHRIKE_UNARY_ABS:
        return fabs(x);
    case SHRIKE_UNARY_FLOOR:
        return floor(x);
    case SHRIKE_UNARY_CEIL:
        return ceil(x);
    case SHRIKE_UNARY_ROUND:
        return nearbyint(x);
    case SHRIKE_UNARY_RECIPROCAL:
        return 1 / x;
    case SHRIKE_UNARY_SIGN:
        return x > 0 ? 1 : x < 0 ? -1 : x;
    case SHRIKE_UNARY_NOT:
        return x == 0;
    case SHRIKE_UNARY_ERF:
        return erf(x);
    case SHRIKE_UNARY_SOFTPLUS:
        return isnan(x) ? x : fmax(x, 0) + log1p(exp(-fabs(x)));
    case SHRIKE_UNARY_MISH:
        return isnan(x) ? x : x * tanh(fmax(x, 0) + log1p(exp(-fabs(x))));
    case SHRIKE_UNARY_ELU:
        return x > 0 ? x : alpha * expm1(x);
    case SHRIKE_UNARY_SELU:
        return beta * (x > 0 ? x : alpha * expm1(x));
    case SHRIKE_UNARY_CELU:
        return x > 0 ? x : alpha * expm1(x / alpha);
    case SHRIKE_UNARY_GELU:
        return x / 2 * erfc(-x / sqrt(2));
    case SHRIKE_UNARY_GELU_TANH:
        return x / 2 * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case SHRIKE_UNARY_SOFTSIGN:
        return x / (1 + fabs(x));
    case SHRIKE_UNARY_THRESHOLDED_RELU:
        return x > alpha ? x : 0;
    case SHRIKE_UNARY_SIN:
        return sin(x);
    case SHRIKE_UNARY_COS:
        return cos(x);
    case SHRIKE_UNARY_ATAN:
        return atan(x);
    default:
        return isnan(x) ? x : fmax(alpha, fmin(beta, x));
    }
}

static double binary(int32_t kind, double x, double y) {
    switch (kind) {
    case SHRIKE_BINARY_ADD:
        return x + y;
    case SHRIKE_BINARY_SUB:
        return x - y;
    case SHRIKE_BINARY_MUL:
        return x * y;
    case SHRIKE_BINARY_DIV:
        return x / y;
    case SHRIKE_BINARY_POW:
        return pow(x, y);
    case SHRIKE_BINARY_MIN:
        return isnan(x) || isnan(y) ? NAN : fmin(x, y);
    case SHRIKE_BINARY_MAX:
        return isnan(x) || isnan(y) ? NAN : fmax(x, y);
    case SHRIKE_BINARY_MOD:
        return fmod(x, y);
    case SHRIKE_BINARY_EQUAL:
        return x == y;
    case SHRIKE_BINARY_GREATER:
        return x > y;
    case SHRIKE_BINARY_GREATER_OR_EQUAL:
        return x >= y;
    case SHRIKE_BINARY_LESS:
        return x < y;
    case SHRIKE_BINARY_LESS_OR_EQUAL:
        return x <= y;
    case SHRIKE_BINARY_AND:
        return x != 0 && y != 0;
    case SHRIKE_BINARY_OR:
        return x != 0 || y != 0;
    case SHRIKE_BINARY_XOR:
        return (x != 0) != (y != 0);
    default:
        return x < 0 ? x * y : x;
    }
}

static const float special[] = {0.0f,     -0.0f,     1,   -1,    0.5f,  -0.5f, 1.5f,       2.5f,   -2.5f, 3,
                                INFINITY, -INFINITY, NAN, 1e-8f, 1e8f,  -1e8f, 8388607.5f, 0.625f, 87.5f, 88.5f,
                                -87.3f,   -80,       20,  -20,   1e-3f, 0.3f,  16777216,   -0.7f};
enum { SPECIALS = ARRAY_SIZE(special) };

static void sprinkle(buffer b) {
    for (int64_t i = 0; i < b.count; i++) {
        if (pick(0, 3) == 0) {
            b.data[i] = special[pick(0, SPECIALS - 1)];
        }
    }
}

/*
 * x / 6 + 1 / 2 cancels near -3: its error is that of a number about 1/2, times x. Far below 0 a rounding of what goes
 * into erfc and exp counts manifold, but for results that are next to nothing.
 */
static double absolute_error(int32_t kind) {
    if (kind == SHRIKE_UNARY_GELU || kind == SHRIKE_UNARY_GELU_TANH) {
        /* The argument of erfc or tanh is a float: half a unit of it, 2^-24 z, changes x/2 erfc(z) by at most 2e-8. */
        return 5e-8;
    }
    return kind == SHRIKE_UNARY_HARD_SWISH || kind == SHRIKE_UNARY_HARD_SIGMOID ? 2e-6 : 1e-37;
}

/* Whether the library is held to infinity's limit here: its sigmoid and SiLU stop at e^87.3, documented as a clamp. */
static int skips(int32_t kind, float x) {
    return (kind == SHRIKE_UNARY_SILU || kind == SHRIKE_UNARY_SIGMOID) && x < -87;
}

static void check_unary(tier *tiers, int count, int32_t kind) {
    int64_t dims[SHRIKE_MAX_RANK];
    shrike_unary_f32_params p = {.kind = kind, .alpha = -0.25f, .beta = 0.75f};
    p.rank = random_dims(dims, 6000);
    view src = random_view(p.rank, dims, 1, -12, 12), dst = random_view(p.rank, dims, 0, -9, 9);
    sprinkle(src.memory);
    for (int64_t i = 0; i < src.memory.count; i++) {
        src.memory.data[i] = skips(kind, src.memory.data[i]) ? 1 : src.memory.data[i];
    }
    describe_view("unary", kind, p.rank, dims, &dst);
    int64_t total = count_of(p.rank, dims);
    double *expected = malloc((size_t)total * sizeof *expected);
    for (int64_t i = 0; i < total; i++) {
        expected[i] = (float)unary(kind, src.memory.data[offset_of(p.rank, dims, src.strides, i)], p.alpha, p.beta);
    }
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.src_strides, src.strides, sizeof src.strides);
    memcpy(p.dst_strides, dst.strides, sizeof dst.strides);
    POINT(p, src, src.memory);
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_unary_f32(tiers[t].context, &p), tiers[t].name);
        check_view(p.rank, dims, dst.strides, &dst.memory, &result, expected, absolute_error(kind), 6e-7,
                   tiers[t].name);
        release(result);
    }
    free(expected);
    release(src.memory);
    release(dst.memory);
}

static void check_binary(tier *tiers, int count, int32_t kind) {
    int64_t dims[SHRIKE_MAX_RANK];
    shrike_binary_f32_params p = {.kind = kind};
    p.rank = random_dims(dims, 6000);
    view a = random_view(p.rank, dims, 1, -4, 4), b = random_view(p.rank, dims, 1, -4, 4);
    view dst = random_view(p.rank, dims, 0, -9, 9);
    sprinkle(a.memory);
    sprinkle(b.memory);
    describe_view("binary", kind, p.rank, dims, &dst);
    int64_t total = count_of(p.rank, dims);
    double *expected = malloc((size_t)total * sizeof *expected);
    for (int64_t i = 0; i < total; i++) {
        expected[i] = (float)binary(kind, a.memory.data[offset_of(p.rank, dims, a.strides, i)],
                                    b.memory.data[offset_of(p.rank, dims, b.strides, i)]);
    }
    memcpy(p.dims, dims, sizeof dims);
    memcpy(p.a_strides, a.strides, sizeof a.strides);
    memcpy(p.b_strides, b.strides, sizeof b.strides);
    memcpy(p.dst_strides, dst.strides, sizeof dst.strides);
    POINT(p, a, a.memory);
    POINT(p, b, b.memory);
    for (int t = 0; t < count; t++) {
        buffer result = duplicate(dst.memory);
        POINT(p, dst, result);
        expect_status(SHRIKE_OK, shrike_binary_f32(tiers[t].context, &p), tiers[t].name);
        check_view(p.rank, dims, dst.strides, &dst.memory, &result, expected, 1e-37, 6e-7, tiers[t].name);
        release(result);
    }
    free(expected);
    release(a.memory);
    release(b.memory);
    release(dst.memory);
}

/* exp, and what is made of it, over the whole range of floats in small steps. */
static void check_accuracy(tier *tiers, int count, int32_t kind, float low, float high, double bound) {
    enum { STEPS = 200000 };
    buffer src = allocate(STEPS), dst = allocate(STEPS);
    for (int64_t i = 0; i < STEPS; i++) {
        src.data[i] = low + (high - low) * (float)i / STEPS;
    }
    shrike_unary_f32_params p = {.src = src.data,
                                 .dst = dst.data,
                                 .src_bounds = WHOLE(src),
                                 .dst_bounds = WHOLE(dst),
                                 .dims = {STEPS},
                                 .src_strides = {1},
                                 .dst_strides = {1},
                                 .rank = 1,
                                 .kind = kind};
    for (int t = 0; t < count; t++) {
        double worst = 0;
        expect_status(SHRIKE_OK, shrike_unary_f32(tiers[t].context, &p), tiers[t].name);
        for (int64_t i = 0; i < STEPS; i++) {
            double exact = unary(kind, src.data[i], 0, 0);
            double error = exact == 0 ? fabs(dst.data[i]) : fabs(dst.data[i] - exact) / fabs(exact);
            worst = error > worst ? error : worst;
        }
        describe("accuracy of unary kind %d, tier %s", kind, tiers[t].name);
        if (!(worst <= bound)) {
            fail("relative error %.3g above %.3g", worst, bound);
        }
        if (t == 0) {
            printf("unary kind %d on %g..%g: relative error %.2g\n", kind, low, high, worst);
        }
    }
    release(src);
    release(dst);
}

static void check_bad_arguments(shrike_context *context) {
    float x[4] = {0};
    describe("bad arguments");
    shrike_unary_f32_params good = {
        .src = x, .dst = x, .dims = {2, 2}, .src_strides = {2, 1}, .dst_strides = {2, 1}, .rank = 2};
    good.src_bounds = good.dst_bounds = WHOLE_ARRAY(x);
    expect_status(SHRIKE_OK, shrike_unary_f32(context, &good), "the good call");
    expect_status(SHRIKE_EINVAL, shrike_unary_f32(NULL, &good), "null context");
    expect_status(SHRIKE_EINVAL, shrike_unary_f32(context, NULL), "null params");
    expect_status(SHRIKE_EINVAL, shrike_binary_f32(context, NULL), "null params");
#define REFUSE(change)                                                                                                 \
    do {                                                                                                               \
        shrike_unary_f32_params bad = good;                                                                            \
        bad.change;                                                                                                    \
        expect_status(SHRIKE_EINVAL, shrike_unary_f32(context, &bad), #change);                                        \
    } while (0)
    REFUSE(src = NULL);
    REFUSE(dst = NULL);
    REFUSE(rank = -1);
    REFUSE(rank = 7);
    REFUSE(dims[0] = 0);
    REFUSE(dims[0] = 3);
    REFUSE(src_strides[0] = 3);
    REFUSE(src_strides[1] = -1);
    REFUSE(dst_bounds.after = 15);
    REFUSE(src_bounds.after = -1);
    REFUSE(src = (const float *)((const char *)x + 2));
    REFUSE(dims[0] = INT64_MAX);
    REFUSE(dims[1] = -5);
    REFUSE(src_strides[0] = INT64_MIN);
    REFUSE(dst_strides[1] = INT64_MAX);
    REFUSE(dst_strides[0] = 0);
    REFUSE(kind = -1);
    REFUSE(kind = SHRIKE_UNARY_COUNT);
}

int main(void) {
    start_tests(20260102);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    check_bad_arguments(tiers[0].context);
    for (int round = 0; round < 20; round++) {
        for (int32_t kind = 0; kind < SHRIKE_UNARY_COUNT; kind++) {
            check_unary(tiers, count, kind);
        }
        for (int32_t kind = 0; kind < SHRIKE_BINARY_COUNT; kind++) {
            check_binary(tiers, count, kind);
        }
    }
    check_accuracy(tiers, count, SHRIKE_UNARY_EXP, -87.3f, 88.7f, 3e-7);
    check_accuracy(tiers, count, SHRIKE_UNARY_SIGMOID, -87, 87, 4e-7);
    check_accuracy(tiers, count, SHRIKE_UNARY_SILU, -87, 87, 4e-7);
    check_accuracy(tiers, count, SHRIKE_UNARY_TANH, -12, 12, 4e-7);
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
