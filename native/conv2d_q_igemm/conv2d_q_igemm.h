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
 * The split form, for kernels that want it and where `split` says so: of pairs of weights whose products could
 * saturate, a panel's steps hold a first part. The second ones follow, for each half of the panel by itself: 4 codes of
 * the window, and the weights for 8 channels.
 *
 *     igemm_head | start | zeros | shares | panels: [unit][step][16][4] | half 0 | half 1
 *     half: count, filled up to 64 bytes | conv2d_q_part[room], the same | [room][8][4]
 *
 * Room is for as many as there are steps, which is always enough, or in large layers for half as many.
 */
#ifndef SHRIKE_CONV2D_Q_IGEMM_H
#define SHRIKE_CONV2D_Q_IGEMM_H

#include "quantized/conv2d_q_kernel.h"
#include "quantized/conv2d_q_params.h"

enum { CONV2D_Q_PANEL = 16, CONV2D_Q_STEP = 4, CONV2D_Q_STEP_BYTES = 64, CONV2D_Q_PART_BYTES = 32, CONV2D_Q_UNIT = 8 };

typedef struct conv2d_q_head {
    int32_t
        run; /* unsigned codes: steps whose pair sums fit in int16; signed: 1 if every pair of products does, else 0 */
    int32_t weight_zeros; /* 1: `zeros` times each pixel's sum of codes is still to be taken away */
    int32_t split; /* 1: panels are in the split form */
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

/* Where the codes of a second part lie: a unit or a row of units, and the codes before them in it. */
typedef struct conv2d_q_part {
    int32_t segment[2], offset[2]; /* [0]: counted by units, [1]: by rows */
} conv2d_q_part;

/* The second parts of half a panel. */
typedef struct conv2d_q_parts {
    int64_t *count;
    conv2d_q_part *places;
    int8_t *weights; /* CONV2D_Q_PART_BYTES each */
} conv2d_q_parts;

static inline int64_t conv2d_q_split_room(const shrike_conv2d_q_params *p) {
    enum { SMALL = 64 * 1024 };
    const int64_t steps = conv2d_q_steps(p);
    return p->groups * conv2d_q_panels(p) * steps * CONV2D_Q_STEP_BYTES <= SMALL ? steps : steps / 2;
}

/* Bytes of a panel's steps, of what follows for half of it, of the places in that, and of the whole panel. */
typedef struct conv2d_q_split {
    int64_t steps, half, places, panel;
} conv2d_q_split;

static inline conv2d_q_split conv2d_q_split_of(const shrike_conv2d_q_params *p) {
    const int64_t room = conv2d_q_split_room(p), steps = conv2d_q_panel_bytes(p);
    const int64_t places = conv2d_q_round_up(room * (int64_t)sizeof(conv2d_q_part), 64);
    const int64_t half = conv2d_q_round_up(64 + places + room * CONV2D_Q_PART_BYTES, 64);
    return (conv2d_q_split){steps, half, places, steps + 2 * half};
}

static inline conv2d_q_parts conv2d_q_split_parts(const conv2d_q_split *s, int8_t *panel, int half) {
    int8_t *at = panel + s->steps + half * s->half;
    return (conv2d_q_parts){(int64_t *)at, (conv2d_q_part *)(at + 64), at + 64 + s->places};
}

int conv2d_q_igemm_supports(const shrike_conv2d_q_params *params);
int64_t conv2d_q_igemm_packed_size(const shrike_conv2d_q_params *params);

/* For kernels that multiply codes as they are, and for those that take 128 from each first. */
void conv2d_q_igemm_pack_unsigned(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,
                                  uint8_t *packed);
void conv2d_q_igemm_pack_signed(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,
                                uint8_t *packed);

/* In the split form where weights need it and there is room. */
int64_t conv2d_q_split_packed_size(const shrike_conv2d_q_params *params);
void conv2d_q_split_pack(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,
                         uint8_t *packed);

/* Brings panels of halves into bytes; bases: CONV2D_Q_STEP_BYTES a panel. */
void conv2d_q_unpack_halves(const uint8_t *halves, const int8_t *bases, int64_t panels, int64_t steps, int8_t *weights);

extern const conv2d_q_kernel conv2d_q_igemm_portable_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_6x16_x86_avx2_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_6x16_x86_avxvnni_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_12x32_x86_avx512vnni_kernel;
extern const conv2d_q_kernel conv2d_q_igemm_2x16_aarch64_neon_kernel;

#endif
