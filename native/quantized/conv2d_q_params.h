/*
 * Params of the quantised convolution: sizes that follow from them, and whether they make sense.
 */
#ifndef SHRIKE_CONV2D_Q_PARAMS_H
#define SHRIKE_CONV2D_Q_PARAMS_H

#include "shrike.h"

static inline int64_t conv2d_q_round_up(int64_t value, int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

/* Input channels, or output channels, of a group. */
static inline int64_t conv2d_q_group_in(const shrike_conv2d_q_params *p) {
    return p->channels / p->groups;
}
static inline int64_t conv2d_q_group_out(const shrike_conv2d_q_params *p) {
    return p->out_channels / p->groups;
}

/* Input values that one output sums up. */
static inline int64_t conv2d_q_depth(const shrike_conv2d_q_params *p) {
    return (int64_t)p->kernel_height * p->kernel_width * conv2d_q_group_in(p);
}

/* Whether sums become floats on their way to codes. */
static inline int conv2d_q_is_activated(const shrike_conv2d_q_params *p) {
    return p->activation != SHRIKE_ACTIVATION_NONE || p->residual_first;
}

/* What the choice of a kernel and packing read: sizes, zero point, widths and the kind of kernel that is asked for. */
int conv2d_q_sound_sizes(const shrike_conv2d_q_params *params);

/* Whether int32 holds every sum, for sound sizes. */
int conv2d_q_fits_int32(const shrike_conv2d_q_params *params);

/* All that a call reads but packed weights and workspace, whose sizes are the kernel's. */
int conv2d_q_sound_call(const shrike_conv2d_q_params *params);

/* Weights as shrike_conv2d_q_pack takes them; weight_zero may be null. */
int conv2d_q_sound_weights(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero);

#endif
