/*
 * Packing for kernels whose multiply adds pairs of products in int16 with saturation: weights that could saturate there
 * are split in two, and the panel gets one more step for the second parts (see conv2d_q_pack.h).
 *
 *     255 (w0 + w1) <= 32767 where w0 + w1 <= 128 of the positive ones, and >= -32768 where the negative ones add up to
 *     -128 at least. w >> 1 and w - (w >> 1) are -64..64, so pairs of them are always within that.
 */
#include <string.h>

#include "conv2d_q_pack.h"

enum { MOST = 128, PAIRS = CONV2D_Q_STEP / 2 };

static int may_split(const shrike_conv2d_q_params *p) {
    return p->src_bits == 8 && !conv2d_q_halves(p);
}

int64_t conv2d_q_split_packed_size(const shrike_conv2d_q_params *p) {
    int64_t plain = conv2d_q_igemm_packed_size(p), panels = p->groups * conv2d_q_panels(p);
    return may_split(p) ? plain + panels * (conv2d_q_split_panel_bytes(p) - conv2d_q_panel_bytes(p)) : plain;
}

/* A panel's unit of plain weights: [step][16][4]. Pair i is the first or the second two of step i / 2. */
typedef struct unit {
    const int8_t *weights;
    int64_t pairs;
} unit;

static const int8_t *pair_at(const unit *u, int64_t pair, int column) {
    return u->weights + pair / PAIRS * CONV2D_Q_STEP_BYTES + column * CONV2D_Q_STEP + pair % PAIRS * 2;
}

/* Whether a column's pair could saturate. */
static int saturates(const unit *u, int64_t pair) {
    for (int c = 0; c < CONV2D_Q_PANEL; c++) {
        const int8_t *w = pair_at(u, pair, c);
        int32_t positive = (w[0] > 0 ? w[0] : 0) + (w[1] > 0 ? w[1] : 0);
        int32_t negative = (w[0] < 0 ? w[0] : 0) + (w[1] < 0 ? w[1] : 0);
        if (positive > MOST || negative < -MOST) {
            return 1;
        }
    }
    return 0;
}

/* The entries of a panel so far; null pointers only count them, as if none were left out. */
typedef struct entries {
    int32_t *offsets;
    int8_t *weights;
    int64_t count;
} entries;

static void add_entry(entries *to, int64_t offset, const int8_t *weights) {
    if (to->offsets) {
        to->offsets[to->count] = (int32_t)offset;
        memcpy(to->weights + to->count * CONV2D_Q_STEP_BYTES, weights, CONV2D_Q_STEP_BYTES);
    }
    to->count++;
}

/*
 * The second parts of pairs that could saturate, two pairs side by side an entry, wherever they lie in steps. They come
 * first, so that a panel may be written over plain weights that lie at its end: no step is written over before it is
 * read.
 */
static void add_second_parts(const unit *u, int64_t at, entries *to) {
    for (int64_t pair = 0; pair < u->pairs;) {
        if (!saturates(u, pair)) {
            pair++;
            continue;
        }
        const int64_t first = pair < u->pairs - PAIRS ? pair : u->pairs - PAIRS;
        int8_t second[CONV2D_Q_STEP_BYTES] = {0};
        for (; pair < first + PAIRS; pair++) {
            for (int c = 0; saturates(u, pair) && c < CONV2D_Q_PANEL; c++) {
                const int8_t *w = pair_at(u, pair, c);
                int8_t *part = second + c * CONV2D_Q_STEP + (pair - first) * 2;
                part[0] = (int8_t)(w[0] - (w[0] >> 1));
                part[1] = (int8_t)(w[1] - (w[1] >> 1));
            }
        }
        add_entry(to, at + first * 2, second);
    }
}

/* Steps without any weight, such as fill a unit up, are left out. */
static void add_first_parts(const unit *u, int64_t at, entries *to) {
    static const int8_t nothing[CONV2D_Q_STEP_BYTES];
    for (int64_t step = 0; step < u->pairs / PAIRS; step++) {
        int8_t weights[CONV2D_Q_STEP_BYTES];
        memcpy(weights, u->weights + step * CONV2D_Q_STEP_BYTES, sizeof weights);
        for (int64_t pair = 0; pair < PAIRS; pair++) {
            for (int c = 0; saturates(u, step * PAIRS + pair) && c < CONV2D_Q_PANEL; c++) {
                int8_t *w = weights + c * CONV2D_Q_STEP + pair * 2;
                w[0] = (int8_t)(w[0] >> 1);
                w[1] = (int8_t)(w[1] >> 1);
            }
        }
        if (!to->offsets || memcmp(weights, nothing, sizeof weights) != 0) {
            add_entry(to, at + step * CONV2D_Q_STEP, weights);
        }
    }
}

/* Writes a panel, or counts its entries only if there is no `to`. */
static int64_t split_panel(const shrike_conv2d_q_params *p, const int8_t *plain, uint8_t *to) {
    const int64_t units = conv2d_q_units(p), pairs = conv2d_q_steps(p) / units * PAIRS;
    const int64_t a_row = conv2d_q_units_are_taps(p) ? p->kernel_width : 1;
    int32_t *ends = (int32_t *)to;
    entries all = {0};
    if (to) {
        all.offsets = ends + units;
        all.weights = (int8_t *)to + conv2d_q_split_index_bytes(p);
    }
    for (int64_t i = 0; i < units; i++) {
        const unit u = {plain + i * pairs / PAIRS * CONV2D_Q_STEP_BYTES, pairs};
        const int64_t at = i % a_row * pairs * 2;
        add_second_parts(&u, at, &all);
        add_first_parts(&u, at, &all);
        if (to) {
            ends[i] = (int32_t)all.count;
        }
    }
    return all.count;
}

void conv2d_q_split_pack(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero,
                         uint8_t *packed) {
    conv2d_q_igemm_pack_unsigned(p, oihw, weight_zero, packed);
    conv2d_q_head *head = (conv2d_q_head *)packed;
    if (head->run > 0 || !may_split(p)) {
        return;
    }
    const int64_t panels = p->groups * conv2d_q_panels(p), bytes = conv2d_q_panel_bytes(p);
    const int64_t split_bytes = conv2d_q_split_panel_bytes(p);
    uint8_t *weights = packed + conv2d_q_igemm_packed_size(p) - panels * bytes;
    for (int64_t i = 0; i < panels; i++) {
        if (split_panel(p, (int8_t *)weights + i * bytes, NULL) > conv2d_q_split_room(p)) {
            return;
        }
    }
    uint8_t *plain = weights + panels * (split_bytes - bytes);
    memmove(plain, weights, (size_t)(panels * bytes));
    for (int64_t i = 0; i < panels; i++) {
        split_panel(p, (int8_t *)plain + i * bytes, weights + i * split_bytes);
    }
    head->split = 1;
}
