/*
 * The bundled form of weights (see conv2d_q_igemm.h): each vector of a step comes once, in one part or two that add up
 * to it, vectors of zeros not at all, and in no bundle the products of a lane can leave int16, whatever the codes are.
 */
#include "conv2d_q_igemm.h"

#include "test/codes.h"

enum { PROBLEMS = 300, MOST_CODE = 255, CHANNELS = CONV2D_Q_PANEL / 2 };

/* Weights that are small but for some; in some vectors all zero, as pruning leaves them. */
static codes make_weights(int64_t count) {
    codes weights = random_codes(count, 0, 0);
    const int64_t spread = pick(5, 50), zeros = pick(0, 1) * pick(1, 40);
    for (int64_t i = 0; i < count; i++) {
        int64_t weight = pick(-spread, spread) + pick(-spread, spread) / 2;
        weight = pick(0, 30) ? weight : pick(-128, 127);
        weight = i / 50 % 64 < zeros ? 0 : weight;
        weights.data[i] = (uint8_t)(weight < -128 ? -128 : weight > 127 ? 127 : weight);
    }
    return weights;
}

static shrike_conv2d_q_params make_params(void) {
    shrike_conv2d_q_params p = {.groups = 1, .batch = 1, .src_bits = 8, .weight_bits = 8};
    p.groups = pick(0, 5) ? 1 : (int32_t)pick(2, 3);
    p.channels = p.groups * (int32_t)pick(1, 70);
    p.out_channels = p.groups * (int32_t)pick(1, 50);
    p.kernel_height = (int32_t)pick(1, 4);
    p.kernel_width = (int32_t)pick(1, 4);
    p.src_zero = (int32_t)pick(0, 255);
    return p;
}

typedef struct lane_sums {
    int32_t positive[2 * CHANNELS], negative[2 * CHANNELS];
} lane_sums;

static void add_lanes(lane_sums *s, const int8_t *weights) {
    for (int i = 0; i < CONV2D_Q_VECTOR_BYTES; i++) {
        s->positive[i / 2] += weights[i] > 0 ? weights[i] : 0;
        s->negative[i / 2] += weights[i] < 0 ? weights[i] : 0;
    }
}

static void check_lanes(const lane_sums *s) {
    for (int lane = 0; lane < 2 * CHANNELS; lane++) {
        if (MOST_CODE * s->positive[lane] > INT16_MAX || MOST_CODE * s->negative[lane] < INT16_MIN) {
            fail("a lane adds up to %d and %d", s->positive[lane], s->negative[lane]);
        }
    }
}

/* Adds half a panel's vectors to `steps`, [step][32], and counts them in `times`. */
static void check_half(const shrike_conv2d_q_params *p, const conv2d_q_bundles *b, int16_t *steps, int32_t *times) {
    const int64_t steps_a_unit = conv2d_q_steps(p) / conv2d_q_units(p);
    int64_t at = 0;
    for (int size = CONV2D_Q_BUNDLE; size > 0; size--) {
        for (int32_t bundle = 0; bundle < b->counts[size - 1]; bundle++) {
            lane_sums lanes = {{0}, {0}};
            for (int i = 0; i < size; i++, at++) {
                const int64_t step = b->codes[at] / CONV2D_Q_STEP;
                const int8_t *weights = b->weights + at * CONV2D_Q_VECTOR_BYTES;
                if (at >= conv2d_q_bundles_room(p) || b->codes[at] % CONV2D_Q_STEP || step >= conv2d_q_steps(p) ||
                    b->units[at] != step / steps_a_unit) {
                    fail("vector %lld lies at code %d of unit %d", (long long)at, b->codes[at], b->units[at]);
                }
                add_lanes(&lanes, weights);
                times[step]++;
                for (int j = 0; j < CONV2D_Q_VECTOR_BYTES; j++) {
                    steps[step * CONV2D_Q_VECTOR_BYTES + j] += weights[j];
                }
            }
            check_lanes(&lanes);
        }
    }
}

/* The vectors of the bundled form against those of the plain one. */
static void compare(const shrike_conv2d_q_params *p, const uint8_t *plain, const uint8_t *bundled) {
    const conv2d_q_bundles_layout layout = conv2d_q_bundles_layout_of(p);
    const int64_t panels = p->groups * conv2d_q_panels(p), bytes = conv2d_q_panel_bytes(p), steps = conv2d_q_steps(p);
    const int64_t before = conv2d_q_igemm_packed_size(p) - panels * bytes;
    for (int64_t i = 0; i < 2 * panels; i++) {
        const conv2d_q_bundles b =
            conv2d_q_bundles_of(&layout, (const int8_t *)bundled + before + i / 2 * layout.panel, (int)(i % 2));
        int16_t *sums = calloc((size_t)steps, CONV2D_Q_VECTOR_BYTES * sizeof *sums);
        int32_t *times = calloc((size_t)steps, sizeof *times);
        check_half(p, &b, sums, times);
        for (int64_t step = 0; step < steps; step++) {
            const int8_t *weights = (const int8_t *)plain + before + i / 2 * bytes + step * CONV2D_Q_STEP_BYTES +
                                    i % 2 * CONV2D_Q_VECTOR_BYTES;
            int any = 0, sums_of_pairs_fit = 1;
            for (int j = 0; j < CONV2D_Q_VECTOR_BYTES; j++) {
                any |= weights[j];
                if (sums[step * CONV2D_Q_VECTOR_BYTES + j] != weights[j]) {
                    fail("weight %d of step %lld is %d in the list, not %d", j, (long long)step,
                         sums[step * CONV2D_Q_VECTOR_BYTES + j], weights[j]);
                }
                const int a = weights[j & ~1], c = weights[j | 1];
                sums_of_pairs_fit &=
                    (a > 0 ? a : 0) + (c > 0 ? c : 0) <= 128 && (a < 0 ? a : 0) + (c < 0 ? c : 0) >= -128;
            }
            if (times[step] != (any ? 2 - sums_of_pairs_fit : 0)) {
                fail("step %lld comes %d times", (long long)step, times[step]);
            }
        }
        free(sums);
        free(times);
    }
}

int main(void) {
    start_tests(20261130);
    int64_t bundled = 0, plain = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        const shrike_conv2d_q_params p = make_params();
        codes weights = make_weights((int64_t)p.out_channels * conv2d_q_depth(&p));
        codes packed = random_codes(conv2d_q_bundles_packed_size(&p), 0, 0);
        codes other = random_codes(conv2d_q_igemm_packed_size(&p), 0, 0);
        conv2d_q_bundles_pack(&p, (const int8_t *)weights.data, NULL, packed.data);
        conv2d_q_igemm_pack_unsigned(&p, (const int8_t *)weights.data, NULL, other.data);
        const conv2d_q_head *head = (const conv2d_q_head *)packed.data;
        if (head->bundled) {
            bundled++;
            compare(&p, other.data, packed.data);
        } else {
            plain++;
        }
        release_codes(weights);
        release_codes(packed);
        release_codes(other);
    }
    if (bundled < PROBLEMS / 3) {
        fail("only %lld of %d weights came in bundles", (long long)bundled, PROBLEMS);
    }
    printf("%lld in bundles, %lld not: ok\n", (long long)bundled, (long long)plain);
    return 0;
}
