/*
 * Epilogues of every tier on tiles of any size, more pixels and columns than the kernels ask for among them, against
 * the same arithmetic one number at a time.
 */
#include "epilogue.h"

#include "test/results.h"

enum { ROUNDS = 1500, MOST_PIXELS = 40, MOST_COUNT = 150 };

typedef struct problem {
    shrike_conv2d_q_params p;
    conv2d_q_tile tile;
    buffer multiplier, offset, sums, memory; /* `memory`: the destination, codes or floats */
    codes codes, residual;
    int64_t dst[MOST_PIXELS], from[MOST_PIXELS];
} problem;

/* Each pixel at a place of its own, in no order. */
static void lay_out_pixels(int64_t *places, int64_t pixels, int64_t stride) {
    for (int64_t i = 0; i < pixels; i++) {
        places[i] = i * stride;
    }
    for (int64_t i = pixels - 1; i > 0; i--) {
        int64_t other = pick(0, i), place = places[i];
        places[i] = places[other];
        places[other] = place;
    }
}

static void make_problem(problem *q) {
    shrike_conv2d_q_params *p = &q->p;
    conv2d_q_tile *t = &q->tile;
    *p = (shrike_conv2d_q_params){.low = pick(0, 3) ? 0 : (int32_t)pick(0, 40)};
    *t = (conv2d_q_tile){.pixels = pick(1, pick(0, 3) ? 14 : MOST_PIXELS), .first = pick(0, 3) ? 0 : pick(1, 70)};
    t->count = pick(0, 1) ? 16 * pick(1, MOST_COUNT / 16) : pick(1, MOST_COUNT);
    t->sums_stride = t->count + (pick(0, 1) ? 0 : pick(1, 20));
    const int64_t channels = t->first + t->count, stride = channels + pick(0, 9);
    p->high = pick(0, 3) ? 255 : (int32_t)pick(p->low, 254);
    p->out_channels = (int32_t)channels;
    p->output = pick(0, 3) ? SHRIKE_QOUT_CODES : SHRIKE_QOUT_REAL;
    p->activation = pick(0, 2) ? SHRIKE_ACTIVATION_SILU : (enum shrike_activation)pick(0, SHRIKE_ACTIVATION_COUNT - 1);
    p->alpha = random_float(-0.3f, 0.5f);
    p->beta = p->alpha + random_float(0, 2);
    p->code_multiplier = random_float(1, 60);
    p->code_offset = (float)pick(0, 60);
    p->residual_a = random_float(0.1f, 1.5f);
    p->residual_b = random_float(-1.5f, 1.5f);
    p->residual_c = random_float(-60, 60);
    p->residual_high = 255;
    q->multiplier = allocate_random(channels, 1e-4f, pick(0, 4) ? 0.02f : 3);
    q->offset = allocate_random(channels, -3, 3);
    p->multiplier = q->multiplier.data;
    p->offset = q->offset.data;
    q->sums = allocate((t->pixels - 1) * t->sums_stride + t->count);
    for (int64_t i = 0; i < q->sums.count; i++) {
        ((int32_t *)q->sums.data)[i] = (int32_t)pick(-4000, 4000) * (pick(0, 99) ? 1 : 500000);
    }
    t->sums = (int32_t *)q->sums.data;
    const int64_t extent = (t->pixels - 1) * stride + channels;
    const int reals = p->output == SHRIKE_QOUT_REAL;
    q->memory = allocate_random(reals ? extent : 1, -2, 2);
    q->codes = random_codes(extent, 0, 255);
    q->residual = random_codes(extent, 0, 255);
    lay_out_pixels(q->dst, t->pixels, stride);
    lay_out_pixels(q->from, t->pixels, stride);
    t->dst = q->dst;
    /* None, another tensor, or what is written; of codes only. */
    const int64_t residual = reals ? 0 : pick(0, 2);
    p->residual = residual == 1 ? q->residual.data : residual ? q->codes.data : NULL;
    t->residual = residual == 2 ? q->dst : q->from;
    p->residual_first = residual && pick(0, 1);
    p->dst = reals ? (void *)q->memory.data : q->codes.data;
    describe("activation %d, %lld pixels, %lld columns from %lld, codes %d to %d%s%s", p->activation,
             (long long)t->pixels, (long long)t->count, (long long)t->first, p->low, p->high,
             reals           ? ", floats"
             : residual == 2 ? ", residual in place"
             : residual == 1 ? ", residual"
                             : "",
             p->residual_first ? " first" : "");
}

static void calculate(const problem *q, codes *codes, buffer *reals) {
    const shrike_conv2d_q_params *p = &q->p;
    const conv2d_q_tile *t = &q->tile;
    for (int64_t i = 0; i < t->pixels; i++) {
        for (int64_t c = 0; c < t->count; c++) {
            const int64_t channel = t->first + c;
            const int32_t sum = t->sums[i * t->sums_stride + c];
            if (p->output == SHRIKE_QOUT_REAL) {
                reals->data[t->dst[i] + channel] = real_result(p, 1, sum, channel);
            } else {
                const uint8_t *residual = p->residual ? (const uint8_t *)p->residual + t->residual[i] + channel : NULL;
                codes->data[t->dst[i] + channel] = code_result(p, sum, channel, residual);
            }
        }
    }
}

int main(void) {
    start_tests(20261130);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers);
    for (int round = 0; round < ROUNDS; round++) {
        problem q;
        make_problem(&q);
        codes expected = duplicate_codes(q.codes), before = duplicate_codes(q.codes);
        buffer expected_reals = duplicate(q.memory), reals_before = duplicate(q.memory);
        calculate(&q, &expected, &expected_reals);
        for (int i = 0; i < count; i++) {
            memcpy(q.codes.data, before.data, (size_t)before.count);
            memcpy(q.memory.data, reals_before.data, (size_t)reals_before.count * sizeof(float));
            conv2d_q_epilogue_of(tiers[i].context, &q.p)(&q.p, &q.tile);
            expect_same_codes(&expected, &q.codes, tiers[i].name);
            expect_same_bits(&expected_reals, &q.memory, tiers[i].name);
        }
        release_codes(expected);
        release_codes(before);
        release_codes(q.codes);
        release_codes(q.residual);
        release(expected_reals);
        release(reals_before);
        release(q.multiplier);
        release(q.offset);
        release(q.sums);
        release(q.memory);
    }
    destroy_tiers(tiers, count);
    return 0;
}
