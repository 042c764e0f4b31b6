/*
 * The activations behind sums of codes against the true functions in double, over all of float32: what the vector forms
 * are held to is right itself.
 */
#include "activation.h"

#include "test/test.h"

enum { STEP = 997 }; /* prime: every exponent and all kinds of fractions come up, millions of numbers in all */

static double exact(int32_t kind, double x) {
    switch (kind) {
    case SHRIKE_ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case SHRIKE_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    default:
        return tanh(x);
    }
}

static void check(int32_t kind, const char *name) {
    double worst = 0;
    int64_t count = 0;
    for (int64_t bits = 0; bits <= UINT32_MAX; bits += STEP) {
        float x = activation_float((uint32_t)bits);
        if (isnan(x)) {
            continue;
        }
        double expected = exact(kind, x), got = activation_of(kind, x, 0, 0);
        expected = isnan(expected) ? 0 : expected; /* SiLU of minus infinity */
        if (isinf(expected) && got == expected) {
            continue;
        }
        double error = fabs(got - expected) / fmax(1, fabs(expected));
        if (!(error <= 3e-7)) {
            describe("%s of %.9g: %.9g, not %.9g", name, (double)x, got, expected);
            fail("too far from the function");
        }
        worst = fmax(worst, error);
        count++;
    }
    printf("%s: %lld floats, largest error %.2g\n", name, (long long)count, worst);
}

int main(void) {
    start_tests(20261128);
    check(SHRIKE_ACTIVATION_SILU, "SiLU");
    check(SHRIKE_ACTIVATION_SIGMOID, "sigmoid");
    check(SHRIKE_ACTIVATION_TANH, "tanh");
    for (int32_t kind = SHRIKE_ACTIVATION_SILU; kind <= SHRIKE_ACTIVATION_SIGMOID; kind++) {
        if (isnan(activation_of(kind, NAN, 0.1f, 0)) && kind != SHRIKE_ACTIVATION_LEAKY_RELU) {
            fail("NaN is to give what the lower bound gives");
        }
    }
    return 0;
}
