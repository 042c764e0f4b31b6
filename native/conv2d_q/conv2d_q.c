/*
 * Quantised convolution: the entry points, and the header of packed weights.
 *
 * Packed weights begin with a header that names the kernel and the sizes they were written for, so that a call with
 * others is refused; the kernel's own data follow, 64-byte aligned if the whole is.
 */
#include <string.h>

#include "conv2d_q_kernels.h"
#include "core/check.h"
#include "quantized/conv2d_q_params.h"

enum { HEADER_BYTES = 64 };

/* What the packed weights depend on; stored in front of them. */
typedef struct header {
    char magic[8];
    int32_t kernel; /* its row of the table */
    int32_t channels, out_channels, groups, kernel_height, kernel_width;
    int32_t src_zero, src_bits, weight_bits, weight_bipolar, src_dynamic;
    int32_t unused[3];
} header;

_Static_assert(sizeof(header) == HEADER_BYTES, "the header of packed weights has a fixed size");

static conv2d_q_choice choose(const shrike_context *context, const shrike_conv2d_q_params *p) {
    if (!context || !p || !conv2d_q_sound_sizes(p) || !conv2d_q_fits_int32(p)) {
        return (conv2d_q_choice){NULL, -1};
    }
    return conv2d_q_choose(context, p);
}

static header header_of(int32_t row, const shrike_conv2d_q_params *p) {
    return (header){"SHRIKEQ",
                    row,
                    p->channels,
                    p->out_channels,
                    p->groups,
                    p->kernel_height,
                    p->kernel_width,
                    p->src_zero,
                    p->src_bits,
                    p->weight_bits,
                    p->weight_bipolar,
                    p->src_dynamic,
                    {0}};
}

const char *shrike_conv2d_q_kernel(const shrike_context *context, const shrike_conv2d_q_params *p) {
    const conv2d_q_kernel *kernel = choose(context, p).kernel;
    return kernel ? kernel->name : NULL;
}

static int64_t packed_size(const conv2d_q_kernel *kernel, const shrike_conv2d_q_params *p) {
    const int64_t own = kernel->packed_size(p);
    return own < 0 ? -1 : HEADER_BYTES + conv2d_q_round_up(own, HEADER_BYTES);
}

int64_t shrike_conv2d_q_packed_size(const shrike_context *context, const shrike_conv2d_q_params *p) {
    const conv2d_q_kernel *kernel = choose(context, p).kernel;
    return kernel ? packed_size(kernel, p) : -1;
}

/* The kernel's own part of the workspace; behind it, multipliers for a measured scale. */
static int64_t kernel_workspace(const conv2d_q_kernel *kernel, const shrike_context *context,
                                const shrike_conv2d_q_params *p) {
    return kernel->workspace ? conv2d_q_round_up(kernel->workspace(context, p), 64) : 0;
}

static int64_t multiplier_bytes(const shrike_conv2d_q_params *p) {
    return p->src_dynamic ? p->out_channels * (int64_t)sizeof(float) : 0;
}

int64_t shrike_conv2d_q_workspace(const shrike_context *context, const shrike_conv2d_q_params *p) {
    const conv2d_q_kernel *kernel = choose(context, p).kernel;
    return kernel ? kernel_workspace(kernel, context, p) + multiplier_bytes(p) : -1;
}

int32_t shrike_conv2d_q_pack(const shrike_context *context, const shrike_conv2d_q_params *p, const int8_t *oihw,
                             int64_t oihw_bytes, const int32_t *weight_zero, int64_t weight_zero_bytes, void *packed,
                             int64_t packed_bytes) {
    const conv2d_q_choice choice = choose(context, p);
    const conv2d_q_kernel *kernel = choice.kernel;
    if (!kernel) {
        return context && p && conv2d_q_sound_sizes(p) ? SHRIKE_EUNSUPPORTED : SHRIKE_EINVAL;
    }
    const int64_t size = shrike_conv2d_q_packed_size(context, p);
    const int64_t zero_bytes = p->out_channels * (int64_t)sizeof *weight_zero;
    if (!shrike_check_buffer(oihw, oihw_bytes, conv2d_q_depth(p) * p->out_channels, 1) ||
        (weight_zero && !shrike_check_buffer(weight_zero, weight_zero_bytes, zero_bytes, sizeof *weight_zero)) ||
        !shrike_check_buffer(packed, packed_bytes, size, HEADER_BYTES) ||
        !conv2d_q_sound_weights(p, oihw, weight_zero)) {
        return SHRIKE_EINVAL;
    }
    memset(packed, 0, (size_t)size);
    header head = header_of(choice.row, p);
    memcpy(packed, &head, sizeof head);
    kernel->pack(p, oihw, weight_zero, (uint8_t *)packed + HEADER_BYTES);
    return SHRIKE_OK;
}

int32_t shrike_conv2d_q(shrike_context *context, const shrike_conv2d_q_params *p) {
    if (!context || !p || !conv2d_q_sound_call(p)) {
        return SHRIKE_EINVAL;
    }
    const conv2d_q_choice choice = choose(context, p);
    const conv2d_q_kernel *kernel = choice.kernel;
    if (!kernel) {
        return SHRIKE_EUNSUPPORTED;
    }
    header head = header_of(choice.row, p);
    const int64_t own = kernel_workspace(kernel, context, p), workspace = own + multiplier_bytes(p);
    if (!shrike_check_buffer(p->weights, p->weights_bounds.after, packed_size(kernel, p), HEADER_BYTES) ||
        memcmp(p->weights, &head, sizeof head) != 0 ||
        (workspace > 0 && !shrike_check_buffer(p->workspace, p->workspace_bounds.after, workspace, 64))) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    shrike_conv2d_q_params call = *p;
    if (p->src_dynamic) {
        float *multiplier = (float *)((uint8_t *)p->workspace + own);
        for (int32_t oc = 0; oc < p->out_channels; oc++) {
            multiplier[oc] = p->src_range->scale * p->multiplier[oc];
        }
        call.multiplier = multiplier;
        call.src_zero = p->src_range->zero;
    }
    kernel->run(context, &call, (const uint8_t *)p->weights + HEADER_BYTES);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
