/*
 * Packing for kernels whose multiply adds pairs of products in int16 with saturation: weights that could saturate there
 * are kept in two parts (see conv2d_q_igemm.h).
 *
 *     255 (w0 + w1) <= 32767 where w0 + w1 <= 128 of the positive ones, and >= -32768 where the negative ones add up to
 *     -128 at least. w >> 1 and w - (w >> 1) are -64..64, so pairs of them are always within that.
 */
#include <string.h>

#include "conv2d_q_igemm.h"

enum { MOST = 128, PAIRS = CONV2D_Q_STEP / 2, HALF_CHANNELS = CONV2D_Q_PANEL / 2 };

static int may_split(const shrike_conv2d_q_params *p) {
    return p->src_bits == 8 && !conv2d_q_halves(p);
}

int64_t conv2d_q_split_packed_size(const shrike_conv2d_q_params *p) {
    int64_t plain = conv2d_q_igemm_packed_size(p), panels = p->groups * conv2d_q_panels(p);
    return may_split(p) ? plain + panels * (conv2d_q_split_of(p).panel - conv2d_q_panel_bytes(p)) : plain;
}

/* A unit's plain weights of half a panel. Pair i is the first or the second two values of step i / 2. */
typedef struct unit {
    int8_t *weights;
    int64_t pairs;
} unit;

static int8_t *pair_at(const unit *u, int64_t pair, int channel) {
    return u->weights + pair / PAIRS * CONV2D_Q_STEP_BYTES + channel * CONV2D_Q_STEP + pair % PAIRS * 2;
}

/* Whether a channel's pair could saturate. */
static int saturates(const unit *u, int64_t pair) {
    for (int c = 0; c < HALF_CHANNELS; c++) {
        const int8_t *w = pair_at(u, pair, c);
        int32_t positive = (w[0] > 0 ? w[0] : 0) + (w[1] > 0 ? w[1] : 0);
        int32_t negative = (w[0] < 0 ? w[0] : 0) + (w[1] < 0 ? w[1] : 0);
        if (positive > MOST || negative < -MOST) {
            return 1;
        }
    }
    return 0;
}

/* Moves the second part of a pair away from its weights. */
static void take_second_part(const unit *u, int64_t pair, int8_t *to) {
    for (int c = 0; c < HALF_CHANNELS; c++, to += CONV2D_Q_STEP) {
        int8_t *w = pair_at(u, pair, c);
        for (int i = 0; i < 2; i++) {
            to[i] = (int8_t)(w[i] - (w[i] >> 1));
            w[i] = (int8_t)(w[i] >> 1);
        }
    }
}

/*
 * Splits half a panel and returns the number of its second parts, or counts them only if there are no `parts`. Each
 * takes two pairs side by side, wherever they lie in steps.
 */
static int64_t split_half(const shrike_conv2d_q_params *p, int8_t *half, conv2d_q_part *parts, int8_t *weights) {
    const int64_t units = conv2d_q_units(p), pairs = conv2d_q_steps(p) / units * PAIRS;
    const int64_t a_row = conv2d_q_units_are_taps(p) ? p->kernel_width : 1;
    int64_t count = 0;
    for (int64_t i = 0; i < units; i++) {
        const unit u = {half + i * pairs / PAIRS * CONV2D_Q_STEP_BYTES, pairs};
        for (int64_t pair = 0; pair < pairs;) {
            if (!saturates(&u, pair)) {
                pair++;
                continue;
            }
            const int64_t first = pair < pairs - PAIRS ? pair : pairs - PAIRS;
            if (parts) {
                parts[count] = (conv2d_q_part){{(int32_t)i, (int32_t)(i / a_row)},
                                               {(int32_t)(2 * first), (int32_t)(2 * (i % a_row * pairs + first))}};
            }
            for (; pair < first + PAIRS; pair++) {
                if (parts && saturates(&u, pair)) {
                    take_second_part(&u, pair, weights + count * CONV2D_Q_PART_BYTES + 2 * (pair - first));
                }
            }
            count++;
        }
    }
    return count;
}

void conv2d_q_split_pack(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero,
                         uint8_t *packed) {
    conv2d_q_igemm_pack_unsigned(p, oihw, weight_zero, packed);
    conv2d_q_head *head = (conv2d_q_head *)packed;
    if (head->run > 0 || !may_split(p)) {
        return;
    }
    const int64_t panels = p->groups * conv2d_q_panels(p), bytes = conv2d_q_panel_bytes(p);
    const conv2d_q_split layout = conv2d_q_split_of(p);
    uint8_t *weights = packed + conv2d_q_igemm_packed_size(p) - panels * bytes;
    for (int64_t i = 0; i < 2 * panels; i++) {
        int8_t *half = (int8_t *)weights + i / 2 * bytes + i % 2 * CONV2D_Q_PART_BYTES;
        if (split_half(p, half, NULL, NULL) > conv2d_q_split_room(p)) {
            return;
        }
    }
    for (int64_t i = panels - 1; i >= 0; i--) {
        uint8_t *panel = weights + i * layout.panel;
        memmove(panel, weights + i * bytes, (size_t)bytes);
        memset(panel + bytes, 0, (size_t)(layout.panel - bytes));
        for (int h = 0; h < 2; h++) {
            conv2d_q_parts parts = conv2d_q_split_parts(&layout, (int8_t *)panel, h);
            *parts.count = split_half(p, (int8_t *)panel + h * CONV2D_Q_PART_BYTES, parts.places, parts.weights);
        }
    }
    head->split = 1;
}
