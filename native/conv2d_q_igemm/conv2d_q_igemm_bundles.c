/*
 * Packing for kernels that add products of 8-bit codes and weights in int16: vectors of weights, of 4 codes and 8
 * channels, in bundles whose sums fit there, so that they are widened to int32 once a bundle (see conv2d_q_igemm.h).
 *
 * A lane of 16 bits takes two codes of a channel from each vector. Codes are at most 255, so its sum fits where the
 * positive weights that meet in it add up to 128 at most, and the negative ones to -128 at least: 255 * 128 = 32640.
 *
 *     1. A vector in which a lane passes that alone is kept in two parts: w = (w >> 1) + (w - (w >> 1)), each at most
 *        64, in pairs that need it; the second part is 0 elsewhere.
 *     2. Bundles are bins with 32 sizes, the positive and the negative weights of 16 lanes: first-fit decreasing by the
 *        sum of squares (Johnson 1973, for bins of one size), with at most 4 vectors a bin.
 *
 * int32 sums do not depend on their order, so the results are those of any other order.
 */
#include <stdlib.h>
#include <string.h>

#include "conv2d_q_igemm.h"

enum { MOST = 128, LANES = 16, SIZES = 2 * LANES, HALF_CHANNELS = CONV2D_Q_PANEL / 2 };

/* A vector that waits for its bundle. */
typedef struct item {
    uint8_t sizes[SIZES]; /* positive, then negative weights of each lane */
    int8_t weights[CONV2D_Q_VECTOR_BYTES];
    int32_t codes, unit, squares;
    int32_t next; /* in its bundle, or -1 */
} item;

typedef struct bin {
    uint8_t room[SIZES];
    int32_t first, last, count;
} bin;

/* Memory of the packing: a panel in the plain form, then the items of half a panel, keys to sort them by, and the bins.
 */
typedef struct work {
    int8_t *plain;
    item *items;
    int64_t *keys; /* of items by size */
    bin *bins;
    int32_t *open;
} work;

static int64_t work_bytes(const shrike_conv2d_q_params *p) {
    const int64_t room = conv2d_q_bundles_room(p),
                  item_bytes = sizeof(item) + sizeof(int64_t) + sizeof(bin) + sizeof(int32_t);
    return conv2d_q_round_up(conv2d_q_panel_bytes(p) + room * item_bytes, 64);
}

static work work_at(const shrike_conv2d_q_params *p, uint8_t *memory) {
    const int64_t room = conv2d_q_bundles_room(p);
    item *items = (item *)(memory + conv2d_q_panel_bytes(p));
    int64_t *keys = (int64_t *)(items + room);
    bin *bins = (bin *)(keys + room);
    return (work){(int8_t *)memory, items, keys, bins, (int32_t *)(bins + room)};
}

int64_t conv2d_q_bundles_packed_size(const shrike_conv2d_q_params *p) {
    const int64_t plain = conv2d_q_igemm_packed_size(p), panels = p->groups * conv2d_q_panels(p);
    return !conv2d_q_may_bundle(p)
               ? plain
               : plain + panels * (conv2d_q_bundles_layout_of(p).panel - conv2d_q_panel_bytes(p)) + work_bytes(p);
}

/* The positive and negative weights of each lane of a vector. Returns whether one of them passes MOST. */
static int measure(const int8_t *weights, int32_t *sizes) {
    int over = 0;
    for (int lane = 0; lane < LANES; lane++) {
        const int32_t a = weights[2 * lane], b = weights[2 * lane + 1];
        sizes[lane] = (a > 0 ? a : 0) + (b > 0 ? b : 0);
        sizes[LANES + lane] = (a < 0 ? -a : 0) + (b < 0 ? -b : 0);
        over |= sizes[lane] > MOST || sizes[LANES + lane] > MOST;
    }
    return over;
}

static int is_zero(const int8_t *weights) {
    static const int8_t zeros[CONV2D_Q_VECTOR_BYTES];
    return memcmp(weights, zeros, sizeof zeros) == 0;
}

/* A half's vectors of a step in the plain form. */
static const int8_t *vector_at(const int8_t *plain, int64_t step, int half) {
    return plain + step * CONV2D_Q_STEP_BYTES + half * CONV2D_Q_VECTOR_BYTES;
}

/* Vectors that half a panel comes to. */
static int64_t count_items(const shrike_conv2d_q_params *p, const int8_t *plain, int half) {
    int64_t count = 0;
    for (int64_t step = 0; step < conv2d_q_steps(p); step++) {
        const int8_t *weights = vector_at(plain, step, half);
        int32_t sizes[SIZES];
        count += is_zero(weights) ? 0 : 1 + measure(weights, sizes);
    }
    return count;
}

static void finish_item(item *to) {
    int32_t sizes[SIZES];
    measure(to->weights, sizes);
    to->squares = 0;
    for (int i = 0; i < SIZES; i++) {
        to->sizes[i] = (uint8_t)sizes[i];
        to->squares += sizes[i] * sizes[i];
    }
}

/* Takes the second part of each pair that passes MOST away from `first`; the rest of `second` is 0. */
static void divide(const int32_t *sizes, int8_t *first, int8_t *second) {
    memset(second, 0, CONV2D_Q_VECTOR_BYTES);
    for (int lane = 0; lane < LANES; lane++) {
        for (int i = 2 * lane; i < 2 * lane + 2 && (sizes[lane] > MOST || sizes[LANES + lane] > MOST); i++) {
            second[i] = (int8_t)(first[i] - (first[i] >> 1));
            first[i] = (int8_t)(first[i] >> 1);
        }
    }
}

static int64_t make_items(const shrike_conv2d_q_params *p, const work *w, int half) {
    const int64_t steps_a_unit = conv2d_q_steps(p) / conv2d_q_units(p);
    int64_t count = 0;
    for (int64_t step = 0; step < conv2d_q_steps(p); step++) {
        const int8_t *weights = vector_at(w->plain, step, half);
        if (is_zero(weights)) {
            continue;
        }
        int32_t sizes[SIZES];
        const int over = measure(weights, sizes);
        item *first = &w->items[count++];
        memcpy(first->weights, weights, sizeof first->weights);
        first->codes = (int32_t)(step * CONV2D_Q_STEP);
        first->unit = (int32_t)(step / steps_a_unit);
        if (over) {
            item *second = &w->items[count++];
            *second = *first;
            divide(sizes, first->weights, second->weights);
            finish_item(second);
        }
        finish_item(first);
    }
    return count;
}

static int descending(const void *a, const void *b) {
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left < right) - (left > right);
}

/* Items, largest first and else as they lie: no two keys are equal, whose order qsort would not promise. */
static void sort_items(const work *w, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        w->keys[i] = ((int64_t)w->items[i].squares << 32) + (INT32_MAX - i);
    }
    qsort(w->keys, (size_t)count, sizeof *w->keys, descending);
}

static int32_t item_of(int64_t key) {
    return (int32_t)(INT32_MAX - (key & UINT32_MAX));
}

static int fits(const uint8_t *sizes, const uint8_t *room) {
    uint8_t over = 0;
    for (int i = 0; i < SIZES; i++) {
        over |= sizes[i] > room[i];
    }
    return !over;
}

static void put(const work *w, int32_t index, bin *into) {
    item *added = &w->items[index];
    added->next = -1;
    if (into->count++ == 0) {
        memset(into->room, MOST, sizeof into->room);
        into->first = index;
    } else {
        w->items[into->last].next = index;
    }
    into->last = index;
    for (int i = 0; i < SIZES; i++) {
        into->room[i] = (uint8_t)(into->room[i] - added->sizes[i]);
    }
}

/* First-fit decreasing. Returns the number of bins. */
static int64_t fill_bins(const work *w, int64_t count) {
    int64_t bins = 0, open = 0;
    sort_items(w, count);
    for (int64_t i = 0; i < count; i++) {
        const int32_t index = item_of(w->keys[i]);
        int64_t at = 0;
        while (at < open && !fits(w->items[index].sizes, w->bins[w->open[at]].room)) {
            at++;
        }
        if (at == open) {
            w->bins[bins].count = 0;
            w->open[open++] = (int32_t)bins++;
        }
        bin *into = &w->bins[w->open[at]];
        put(w, index, into);
        if (into->count == CONV2D_Q_BUNDLE) {
            open--;
            memmove(w->open + at, w->open + at + 1, (size_t)(open - at) * sizeof *w->open);
        }
    }
    return bins;
}

static void bundle_half(const shrike_conv2d_q_params *p, const work *w, int half, const conv2d_q_bundles *to) {
    const int64_t bins = fill_bins(w, make_items(p, w, half));
    int64_t at = 0;
    for (int32_t size = CONV2D_Q_BUNDLE; size > 0; size--) {
        for (int64_t b = 0; b < bins; b++) {
            if (w->bins[b].count != size) {
                continue;
            }
            to->counts[size - 1]++;
            for (int32_t i = w->bins[b].first; i >= 0; i = w->items[i].next, at++) {
                to->codes[at] = w->items[i].codes;
                to->units[at] = w->items[i].unit;
                memcpy(to->weights + at * CONV2D_Q_VECTOR_BYTES, w->items[i].weights, CONV2D_Q_VECTOR_BYTES);
            }
        }
    }
}

void conv2d_q_bundles_pack(const shrike_conv2d_q_params *p, const int8_t *oihw, const int32_t *weight_zero,
                           uint8_t *packed) {
    conv2d_q_igemm_pack_unsigned(p, oihw, weight_zero, packed);
    conv2d_q_head *head = (conv2d_q_head *)packed;
    if (head->run >= CONV2D_Q_LONG_RUN || !conv2d_q_may_bundle(p)) {
        return;
    }
    const int64_t panels = p->groups * conv2d_q_panels(p), bytes = conv2d_q_panel_bytes(p);
    const conv2d_q_bundles_layout layout = conv2d_q_bundles_layout_of(p);
    uint8_t *weights = packed + conv2d_q_igemm_packed_size(p) - panels * bytes;
    for (int64_t i = 0; i < 2 * panels; i++) {
        const int8_t *plain = (const int8_t *)weights + i / 2 * bytes;
        if (count_items(p, plain, (int)(i % 2)) > conv2d_q_bundles_room(p)) {
            return;
        }
    }
    const work w = work_at(p, weights + panels * layout.panel);
    for (int64_t i = panels - 1; i >= 0; i--) {
        uint8_t *panel = weights + i * layout.panel;
        memcpy(w.plain, weights + i * bytes, (size_t)bytes);
        memset(panel, 0, (size_t)layout.panel);
        for (int half = 0; half < 2; half++) {
            const conv2d_q_bundles to = conv2d_q_bundles_of(&layout, (int8_t *)panel, half);
            bundle_half(p, &w, half, &to);
        }
    }
    head->bundled = 1;
}
