/*
 * Quantised convolution as an implicit matrix product of bytes: the kernels, and their packed weights.
 *
 * Those have one form for all kernels. Output channels come in panels of 16 within their
 * group; a step is 4 input values of a panel's 16 channels, [16][4] bytes, as one vpdpbusd or four vpmaddubsw take it.
 *
 * The window of a pixel is read in units: a tap's channels; or, if those are no multiple of 8, a whole row of taps.
 * Each unit is filled up with zero weights to a multiple of 8 values, two steps.
 *
 *     igemm_head | start[panels * 16] | zeros[panels * 16] | shares[panels * 16] | panels: [unit][step][16][4]
 *
 * `shares` is what the start loses for each unit of the source's zero point.
 *
 * Weights of up to 4 bits are kept two in a byte: low halves a step, high halves the next one. Before the panels stands
 * what the halves of each channel count from, so that zero points of weights that are codes cost nothing:
 *
 *     igemm_head | start[panels * 16] | zeros[panels * 16] | shares[panels * 16] |
 *         bases[panels * 16][4] | panels
 *
 * The bundled form, for kernels that add products in int16 and where `bundled` says so: for each half of a panel a list
 * of vectors, each 4 codes of the window and the weights for 8 channels, in bundles of up to 4 whose products add up to
 * what fits in int16 (see conv2d_q_igemm_bundles.c). A vector of a step lies in two parts in the list where its own
 * products would not fit, and is left out where all its weights are 0.
 *
 *     igemm_head | start | zeros | shares | panels: half 0 | half 1 | memory of the packing
 *     half: counts of bundles of 1, 2, 3 and 4 vectors, filled up to 64 bytes |
 *         codes before each vector in the window, int32_t[room] | its unit, int32_t[room] | weights [room][8][4]
 *
 * Bundles of 4 come first, then those of 3, 2 and 1. The window is counted in units filled up to a multiple of 8. Room
 * is for two vectors a step, which is always enough, or in large layers for three in two steps.
 */
#ifndef SHRIKE_CONV2D_Q_IGEMM_H
#define SHRIKE_CONV2D_Q_IGEMM_H

#include "quantized/conv2d_q_kernel.h"
#include "quantized/conv2d_q_params.h"

enum { CONV2D_Q_PANEL = 16, CONV2D_Q_STEP = 4, CONV2D_Q_STEP_BYTES = 64, CONV2D_Q_UNIT = 8 };

/* Most vectors of a bundle, and the bytes of weights of one. */
enum { CONV2D_Q_BUNDLE = 4, CONV2D_Q_VECTOR_BYTES = 32 };

/* From so many steps on whose sums fit in int16 whatever the weights are, bundles bring nothing. */
enum { CONV2D_Q_LONG_RUN = 4 };

typedef struct conv2d_q_head {
    int32_t
        run; /* unsigned codes: steps whose pair sums fit in int16; signed: 1 if every pair of products does, else 0 */
    int32_t weight_zeros; /* 1: `zeros` times each pixel's sum of codes is still to be taken away */
    int32_t bundled; /* 1: panels are in the bundled form */
    int32_t unused[13];
} conv2d_q_head;

static inline int conv2d_q_units_are_taps(const shrike_conv2d_q_params *p) {
    return p->kernel_width == 1 || conv2d_q_group_in(p) % CONV2D_Q_UNIT == 0;
}

/* Units of a window and the values of one. */
static inline int64_t conv2d_q_units(const shrike_conv2d_q_params *p) {
    return conv2d_q_units_are_taps(p) ? (int64_t)p->kernel_height * p->kernel_width : p->kernel_height;
}
static inline int64_t conv2d_q_unit_bytes(const shrike_conv2d_q_params *p) {
    return conv2d_q_group_in(p) * (conv2d_q_units_are_taps(p) ? 1 : p->kernel_width);
}

static inline int64_t conv2d_q_steps(const shrike_conv2d_q_params *p) {
    return conv2d_q_units(p) * conv2d_q_round_up(conv2d_q_unit_bytes(p), CONV2D_Q_UNIT) / CONV2D_Q_STEP;
}

/* Panels of a group. */
static inline int64_t conv2d_q_panels(const shrike_conv2d_q_params *p) {
    return conv2d_q_round_up(conv2d_q_group_out(p), CONV2D_Q_PANEL) / CONV2D_Q_PANEL;
}

static inline int conv2d_q_halves(const shrike_conv2d_q_params *p) {
    return p->weight_bits <= 4;
}

/* Bytes of a panel as it is stored. */
static inline int64_t conv2d_q_panel_bytes(const shrike_conv2d_q_params *p) {
    return conv2d_q_steps(p) * CONV2D_Q_STEP_BYTES >> conv2d_q_halves(p);
}

/* Whether the bundled form may come about. */
static inline int conv2d_q_may_bundle(const shrike_conv2d_q_params *p) {
    return p->src_bits == 8 && !conv2d_q_halves(p);
}

/* Vectors that half a panel has room for. */
static inline int64_t conv2d_q_bundles_room(const shrike_conv2d_q_params *p) {
    enum { SMALL = 64 * 1024 };
    const int64_t steps = conv2d_q_steps(p);
    const int small = p->groups * conv2d_q_panels(p) * steps * CONV2D_Q_STEP_BYTES <= SMALL;
    return small ? 2 * steps : steps + steps / 2;
}

/* Bytes of the int32_t of each vector, of half a panel and of a whole one, in the bundled form. */
typedef struct conv2d_q_bundles_layout {
    int64_t numbers, half, panel;
} conv2d_q_bundles_layout;

static inline conv2d_q_bundles_layout conv2d_q_bundles_layout_of(const shrike_conv2d_q_params *p) {
    const int64_t room = conv2d_q_bundles_room(p);
    const int64_t numbers = conv2d_q_round_up(room * (int64_t)sizeof(int32_t), 64);
    const int64_t half = conv2d_q_round_up(64 + 2 * numbers + room * CONV2D_Q_VECTOR_BYTES, 64);
    return (conv2d_q_bundles_layout){numbers, half, 2 * half};
}

/* The bundles of half a panel. */
typedef struct conv2d_q_bundles {
    int32_t *counts; /* [i]: of bundles of i + 1 vectors */
    int32_t *codes, *units; /* of each vector: codes before it in the window, and the unit that it lies in */
    int8_t *weights; /* CONV2D_Q_VECTOR_BYTES each */
} conv2d_q_bundles;

static inline conv2d_q_bundles conv2d_q_bundles_of(const conv2d_q_bundles_layout *layout, const int8_t *panel,
                                                   int half) {
    int8_t *at = (int8_t *)panel + half * layout->half, *numbers = at + 64;
    return (conv2d_q_bundles){(int32_t *)at, (int32_t *)numbers, (int32_t *)(numbers + layout->numbers),
                              numbers + 2 * layout->numbers};
}

int conv2d_q_igemm_supports(const shrike_conv2d_q_params *params);
int64_t conv2d_q_igemm_packed_size(const shrike_conv2d_q_params *params);

/* For kernels that multiply codes as they are, and for those that take 128 from each first. */
void conv2d_q_igemm_pack_unsigned(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,
                                  uint8_t *packed);
void conv2d_q_igemm_pack_signed(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,
                                uint8_t *packed);

/* In the bundled form where weights need it and there is room. */
int64_t conv2d_q_bundles_packed_size(const shrike_conv2d_q_params *params);
void conv2d_q_bundles_pack(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,
                           uint8_t *packed);

/* Brings panels of halves into bytes; bases: CONV2D_Q_STEP_BYTES a panel. */
void conv2d_q_unpack_halves(const uint8_t *halves, const int8_t *bases, int64_t panels, int64_t steps, int8_t *weights);

extern const conv2d_q_kernel conv2d_q_igemm_portable_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_6x16_x86_avx2_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_6x16_x86_avxvnni_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_12x32_x86_avx512vnni_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_2x16_aarch64_neon_kernel;

#endif
