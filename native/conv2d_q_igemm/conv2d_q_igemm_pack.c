/*
 * Packing of weights for the int8 kernels.
 */
#include "conv2d_q_igemm.h"

#include <string.h>

/* Depthwise layers have one input channel a group: a panel would be empty but for one column. */
int conv2d_q_igemm_supports(const shrike_conv2d_q_params *p) {
    return conv2d_q_group_out(p) > 1 || conv2d_q_group_in(p) > 1;
}

static int64_t columns(const shrike_conv2d_q_params *p) {
    return p->groups * conv2d_q_panels(p) * CONV2D_Q_PANEL;
}

int64_t conv2d_q_igemm_packed_size(const shrike_conv2d_q_params *p) {
    return (int64_t)sizeof(conv2d_q_head) + 3 * (int64_t)sizeof(int32_t) * columns(p) +
           (conv2d_q_halves(p) ? CONV2D_Q_STEP * columns(p) : 0) +
           p->groups * conv2d_q_panels(p) * conv2d_q_panel_bytes(p);
}

/* The column of an output channel, counted over all panels. */
static int64_t column_of(const shrike_conv2d_q_params *p, int64_t oc) {
    int64_t group_out = conv2d_q_group_out(p);
    return oc / group_out * conv2d_q_panels(p) * CONV2D_Q_PANEL + oc % group_out;
}

/* What the place of a weight depends on, worked out once: the divisions would take longer than all the rest. */
typedef struct places {
    int64_t group_in, kernel_width, unit, steps;
    int taps;
} places;

static places places_of(const shrike_conv2d_q_params *p) {
    return (places){conv2d_q_group_in(p), p->kernel_width, conv2d_q_round_up(conv2d_q_unit_bytes(p), CONV2D_Q_UNIT),
                    conv2d_q_steps(p), conv2d_q_units_are_taps(p)};
}

/* Where a weight of a column lies, in bytes from the first panel as if it were not halved. */
static int64_t place_of(const places *at, int64_t column, int64_t ic, int64_t ky, int64_t kx) {
    int64_t value = at->taps ? (ky * at->kernel_width + kx) * at->unit + ic : ky * at->unit + kx * at->group_in + ic;
    int64_t step = column / CONV2D_Q_PANEL * at->steps + value / CONV2D_Q_STEP;
    return step * CONV2D_Q_STEP_BYTES + column % CONV2D_Q_PANEL * CONV2D_Q_STEP + value % CONV2D_Q_STEP;
}

static void put_half(uint8_t *weights, int64_t place, int32_t half) {
    int64_t step = place / CONV2D_Q_STEP_BYTES;
    uint8_t *pair = weights + step / 2 * CONV2D_Q_STEP_BYTES + place % CONV2D_Q_STEP_BYTES;
    *pair = (uint8_t)(step % 2 ? (*pair & 0x0f) | half << 4 : (*pair & 0xf0) | half);
}

/* Fills a column of halves, also between and behind its weights. */
static void fill_column(const places *at, int64_t column, int32_t half, uint8_t *weights) {
    const int64_t first = column / CONV2D_Q_PANEL * at->steps;
    for (int64_t step = first; step < first + at->steps; step++) {
        for (int64_t i = 0; i < CONV2D_Q_STEP; i++) {
            put_half(weights, step * CONV2D_Q_STEP_BYTES + column % CONV2D_Q_PANEL * CONV2D_Q_STEP + i, half);
        }
    }
}

/* Whether two weights of -128 meet in one lane: with two codes of -128 their products pass int16. */
static int lowest_meet(const shrike_conv2d_q_params *p, const uint8_t *weights) {
    const int64_t pairs = p->groups * conv2d_q_panels(p) * conv2d_q_steps(p) / 2;
    for (int64_t pair = 0; pair < pairs; pair++, weights += 2 * CONV2D_Q_STEP_BYTES) {
        for (int i = 0; i < CONV2D_Q_STEP_BYTES; i++) {
            if (weights[i] == 0x80 && weights[i + CONV2D_Q_STEP_BYTES] == 0x80) {
                return 1;
            }
        }
    }
    return 0;
}

typedef struct span {
    int32_t low, high;
} span;

static span span_of(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero) {
    span s = {0, 0}; /* filled-up places hold 0 */
    const int64_t depth = conv2d_q_depth(p);
    for (int64_t i = 0; i < depth * p->out_channels; i++) {
        int32_t weight = oihw[i] - (weight_zero ? weight_zero[i / depth] : 0);
        s.low = weight < s.low ? weight : s.low;
        s.high = weight > s.high ? weight : s.high;
    }
    return s;
}

/* The least code of halves, -8 or 0; in `fold`, whether zero points of weights are codes as well. */
static int32_t lowest_half(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero, int *fold) {
    const span codes = span_of(p, oihw, NULL);
    span all = codes;
    for (int64_t oc = 0; weight_zero && oc < p->out_channels; oc++) {
        all.low = weight_zero[oc] < all.low ? weight_zero[oc] : all.low;
        all.high = weight_zero[oc] > all.high ? weight_zero[oc] : all.high;
    }
    const int32_t low = all.low < 0 ? -8 : 0;
    *fold = all.low >= low && all.high <= low + 15;
    return *fold || codes.low < 0 ? low : 0;
}

/*
 * acc = sum (w - wz) (x - xz) = sum w (x - shift) + shift sum w - xz (sum w - depth wz) - wz sum x. Where all w - wz
 * fit, they take the place of w and wz is 0; halves keep w, and count from the lowest code less wz.
 */
static void pack(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero, int32_t shift,
                 uint8_t *packed) {
    conv2d_q_head *head = (conv2d_q_head *)packed;
    uint32_t *start = (uint32_t *)(head + 1);
    int32_t *zeros = (int32_t *)start + columns(p);
    const int halves = conv2d_q_halves(p);
    uint32_t *shares = (uint32_t *)zeros + columns(p);
    int8_t *bases = (int8_t *)(shares + columns(p));
    uint8_t *weights = (uint8_t *)bases + (halves ? CONV2D_Q_STEP * columns(p) : 0);
    const places at = places_of(p);
    span s = span_of(p, oihw, weight_zero);
    int fold = s.low >= -128 && s.high <= 127;
    const int32_t lowest = halves ? lowest_half(p, oihw, weight_zero, &fold) : 0;
    if (!fold) {
        head->weight_zeros = weight_zero != NULL;
        s = span_of(p, oihw, NULL);
    }
    int32_t most = -s.low > s.high ? -s.low : s.high, codes = (1 << p->src_bits) - 1;
    int32_t pair = 2 * codes * most, run = pair > 0 ? INT16_MAX / pair : INT16_MAX;
    head->run = run;
    if (halves) { /* zero, in halves, for channels that there are not */
        memset(bases, lowest, (size_t)(CONV2D_Q_STEP * columns(p)));
        memset(weights, -lowest * 0x11, (size_t)(p->groups * conv2d_q_panels(p) * conv2d_q_panel_bytes(p)));
    }
    for (int64_t oc = 0; oc < p->out_channels; oc++) {
        const int32_t zero = weight_zero ? weight_zero[oc] : 0, taken = fold ? zero : 0, left = zero - taken;
        const int64_t column = column_of(p, oc);
        if (halves) {
            memset(bases + CONV2D_Q_STEP * column, lowest - taken, CONV2D_Q_STEP);
            fill_column(&at, column, taken - lowest, weights);
        }
        uint32_t sum = 0;
        for (int64_t ic = 0; ic < at.group_in; ic++) {
            for (int64_t ky = 0; ky < p->kernel_height; ky++) {
                for (int64_t kx = 0; kx < p->kernel_width; kx++) {
                    const int64_t place = place_of(&at, column, ic, ky, kx);
                    if (halves) {
                        put_half(weights, place, *oihw - lowest);
                    } else {
                        weights[place] = (uint8_t)(*oihw - taken);
                    }
                    sum += (uint32_t)(*oihw++ - taken);
                }
            }
        }
        zeros[column] = left;
        shares[column] = sum - (uint32_t)left * (uint32_t)conv2d_q_depth(p);
        start[column] = (uint32_t)shift * sum - (uint32_t)p->src_zero * shares[column];
    }
    if (shift) {
        head->run = halves || s.low > -128 || !lowest_meet(p, weights);
    }
}

void conv2d_q_igemm_pack_unsigned(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero,
                                  uint8_t *packed) {
    pack(p, oihw, weight_zero, 0, packed);
}

void conv2d_q_igemm_pack_signed(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero,
                                uint8_t *packed) {
    pack(p, oihw, weight_zero, 128, packed);
}

void conv2d_q_unpack_halves(const uint8_t *halves, const int8_t *bases, int64_t panels, int64_t steps,
                            int8_t *weights) {
    for (int64_t panel = 0; panel < panels; panel++, bases += CONV2D_Q_STEP_BYTES) {
        int8_t base[CONV2D_Q_STEP_BYTES];
        memcpy(base, bases, sizeof base);
        for (int64_t pair = 0; pair < steps / 2; pair++) {
            for (int i = 0; i < CONV2D_Q_STEP_BYTES; i++) {
                weights[i] = (int8_t)((halves[i] & 15) + base[i]);
                weights[CONV2D_Q_STEP_BYTES + i] = (int8_t)((halves[i] >> 4) + base[i]);
            }
            halves += CONV2D_Q_STEP_BYTES;
            weights += 2 * CONV2D_Q_STEP_BYTES;
        }
    }
}
