/*
 * Packed weights of the int8 kernels, one form for all of them. Output channels come in panels of 16 within their
 * group; a step is 4 input values of a panel's 16 channels, [16][4] bytes, as one vpdpbusd or four vpmaddubsw take it.
 *
 * The window of a pixel is read in units: a tap's channels; or, if those are no multiple of 8, a whole row of taps.
 * Each unit is filled up with zero weights to a multiple of 8 values, two steps.
 *
 *     igemm_head | start[panels * 16] | zeros[panels * 16] | panels: [unit][step][16][4]
 *
 * Weights of up to 4 bits are kept two in a byte: low halves a step, high halves the next one.
 *
 * The split form, for kernels that want it and where `split` says so: steps whose products could saturate appear twice,
 * with parts of the weights, and such without any weight are left out. So each unit has its own number of entries, and
 * each entry an offset of the 4 codes that it multiplies, which for taps counts from the first tap of their row:
 *
 *     igemm_head | start | zeros | panels: ends[unit] | offsets[entry] | [entry][16][4]
 *
 * There is room for twice as many entries as steps, which is always enough, or in large layers for half as many again.
 */
#ifndef SHRIKE_CONV2D_Q_PACK_H
#define SHRIKE_CONV2D_Q_PACK_H

#include "conv2d_q.h"

enum { CONV2D_Q_PANEL = 16, CONV2D_Q_STEP = 4, CONV2D_Q_STEP_BYTES = 64, CONV2D_Q_UNIT = 8 };

typedef struct conv2d_q_head {
    int32_t
        run; /* unsigned codes: steps whose pair sums fit in int16; signed: 1 if every pair of products does, else 0 */
    int32_t weight_zeros; /* 1: `zeros` times each pixel's sum of codes is still to be taken away */
    int32_t base; /* what packed halves of a byte count from */
    int32_t split; /* 1: panels are in the split form */
    int32_t unused[12];
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

/* Entries that a panel of the split form has room for, the bytes of its ends and offsets, and its bytes. */
static inline int64_t conv2d_q_split_room(const shrike_conv2d_q_params *p) {
    enum { SMALL = 64 * 1024 };
    const int64_t steps = conv2d_q_steps(p);
    return p->groups * conv2d_q_panels(p) * steps * CONV2D_Q_STEP_BYTES <= SMALL ? 2 * steps : steps * 3 / 2;
}
static inline int64_t conv2d_q_split_index_bytes(const shrike_conv2d_q_params *p) {
    return conv2d_q_round_up((conv2d_q_units(p) + conv2d_q_split_room(p)) * (int64_t)sizeof(int32_t), 64);
}
static inline int64_t conv2d_q_split_panel_bytes(const shrike_conv2d_q_params *p) {
    return conv2d_q_split_index_bytes(p) + conv2d_q_split_room(p) * CONV2D_Q_STEP_BYTES;
}

int conv2d_q_suits_igemm(const shrike_conv2d_q_params *params);
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

/* Brings one panel of halves into bytes. */
void conv2d_q_unpack_halves(const uint8_t *halves, int32_t base, int64_t steps, int8_t *weights);

int64_t conv2d_q_igemm_workspace_portable(const shrike_context *context, const shrike_conv2d_q_params *params);
void conv2d_q_igemm_portable(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed);
int64_t conv2d_q_igemm_workspace_x86_avx2(const shrike_context *context, const shrike_conv2d_q_params *params);
void conv2d_q_igemm_x86_avx2(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed);
int64_t conv2d_q_igemm_workspace_x86_avxvnni(const shrike_context *context, const shrike_conv2d_q_params *params);
void conv2d_q_igemm_x86_avxvnni(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed);
int64_t conv2d_q_igemm_workspace_x86_avx512vnni(const shrike_context *context, const shrike_conv2d_q_params *params);
void conv2d_q_igemm_x86_avx512vnni(shrike_context *context, const shrike_conv2d_q_params *params,
                                   const uint8_t *packed);
int64_t conv2d_q_igemm_workspace_aarch64_neon(const shrike_context *context, const shrike_conv2d_q_params *params);
void conv2d_q_igemm_aarch64_neon(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed);

#endif
