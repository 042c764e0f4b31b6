/*
 * Quantised convolution: what the entry points, the selection table and the kernels share.
 *
 * Packed weights begin with a header that names the kernel and the sizes they were written for, so that a call with
 * others is refused; the kernel's own data follow, 64-byte aligned if the whole is.
 */
#ifndef SHRIKE_CONV2D_Q_H
#define SHRIKE_CONV2D_Q_H

#include "core/context.h"

enum { CONV2D_Q_HEADER = 64 };

/* A kernel. `packed_size` and the data of `pack` and `run` leave the header out. */
typedef struct conv2d_q_kernel {
    const char *name;
    uint64_t features;
    int32_t kind; /* enum shrike_qkernel */
    int (*supports)(const shrike_conv2d_q_params *params); /* reads what packed_size of the header may read */
    int64_t (*packed_size)(const shrike_conv2d_q_params *params); /* -1 where it would overflow */
    /* weight_zero may be null; codes and zeros are checked already */
    void (*pack)(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero, uint8_t *packed);
    int64_t (*workspace)(const shrike_context *context, const shrike_conv2d_q_params *params); /* null: none */
    void (*run)(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed);
} conv2d_q_kernel;

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

int conv2d_q_supports_any(const shrike_conv2d_q_params *params);
int64_t conv2d_q_reference_packed_size(const shrike_conv2d_q_params *params);
void conv2d_q_reference_pack(const shrike_conv2d_q_params *params, const int8_t *oihw, const int32_t *weight_zero,
                             uint8_t *packed);
void conv2d_q_reference(shrike_context *context, const shrike_conv2d_q_params *params, const uint8_t *packed);

#endif
