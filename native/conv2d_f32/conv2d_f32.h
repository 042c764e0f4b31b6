/*
 * Convolution: what the entry point, the selection table and the kernels share.
 *
 * Packed weights. Output channels come in panels of 16 within their group (the last one filled up with zeros), in the
 * order [group][panel][kernel y][kernel x][input channel of the group][16]. A vector of 4, 8 or 16 lanes reads a panel
 * equally well, so one packing serves every tier. Depthwise weights (one input and one output channel a group) are
 * [kernel y][kernel x][channel], channels filled up to a multiple of 16.
 */
#ifndef SHRIKE_CONV2D_F32_H
#define SHRIKE_CONV2D_F32_H

#include "core/context.h"

enum { CONV2D_PANEL = 16 };

typedef struct conv2d_f32_kernel {
    const char *name;
    uint64_t features;
    int (*supports)(const shrike_conv2d_f32_params *params);
    void (*run)(shrike_context *context, const shrike_conv2d_f32_params *params);
} conv2d_f32_kernel;

static inline int conv2d_f32_is_depthwise(const shrike_conv2d_f32_params *p) {
    return p->groups > 1 && p->groups == p->channels && p->groups == p->out_channels;
}

static inline int64_t conv2d_f32_round_up(int64_t value, int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

/* Where the weight of output channel oc and input channel ic (within its group) lies. */
static inline int64_t conv2d_f32_packed_index(const shrike_conv2d_f32_params *p, int64_t oc, int64_t ic, int64_t ky,
                                              int64_t kx) {
    int64_t tap = ky * p->kernel_width + kx;
    if (conv2d_f32_is_depthwise(p)) {
        return tap * conv2d_f32_round_up(p->channels, CONV2D_PANEL) + oc;
    }
    int64_t group_in = p->channels / p->groups, group_out = p->out_channels / p->groups;
    int64_t panels = conv2d_f32_round_up(group_out, CONV2D_PANEL) / CONV2D_PANEL;
    int64_t panel = oc / group_out * panels + oc % group_out / CONV2D_PANEL;
    int64_t taps = (int64_t)p->kernel_height * p->kernel_width;
    return ((panel * taps + tap) * group_in + ic) * CONV2D_PANEL + oc % group_out % CONV2D_PANEL;
}

/* Segments that the implicit GEMM needs at most for a tile; its guard keeps them within what fits on the stack. */
enum { CONV2D_MAX_SEGMENTS = 128, CONV2D_SEGMENT = 512 };

int conv2d_f32_supports_any(const shrike_conv2d_f32_params *params);
int conv2d_f32_supports_igemm(const shrike_conv2d_f32_params *params);
int conv2d_f32_supports_depthwise(const shrike_conv2d_f32_params *params);

void conv2d_f32_reference(shrike_context *context, const shrike_conv2d_f32_params *params);
void conv2d_f32_igemm_portable(shrike_context *context, const shrike_conv2d_f32_params *params);
void conv2d_f32_igemm_x86_avx2(shrike_context *context, const shrike_conv2d_f32_params *params);
void conv2d_f32_igemm_x86_avx512(shrike_context *context, const shrike_conv2d_f32_params *params);
void conv2d_f32_depthwise_portable(shrike_context *context, const shrike_conv2d_f32_params *params);
void conv2d_f32_depthwise_x86_avx2(shrike_context *context, const shrike_conv2d_f32_params *params);
void conv2d_f32_depthwise_x86_avx512(shrike_context *context, const shrike_conv2d_f32_params *params);

/* 512 zeros: the pixel that taps outside the image read. */
extern const float conv2d_f32_zeros[CONV2D_SEGMENT];

#endif
