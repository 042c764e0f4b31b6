/*
 * Quantised convolution: checks, the header of packed weights, and the choice of a kernel.
 */
#include "conv2d_q.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "conv2d_bitserial/conv2d_bitserial.h"
#include "conv2d_q_pack.h"
#include "core/check.h"
#include "core/cpu.h"
#include "thresholds.h"

#define BITS(guard, features, isa)                                                                                     \
    {                                                                                                                  \
        "conv2d_bitserial_" #isa, features, SHRIKE_QKERNEL_BITSERIAL, guard, conv2d_bitserial_##isa##_packed_size,     \
            conv2d_bitserial_##isa##_pack, conv2d_bitserial_##isa##_workspace, conv2d_bitserial_##isa                  \
    }
#define PACKED_IGEMM(form, features, packed_size, pack, isa)                                                           \
    {                                                                                                                  \
        "conv2d_q_igemm_" form #isa, features, SHRIKE_QKERNEL_INT8, conv2d_q_supports_igemm, packed_size, pack,        \
            conv2d_q_igemm_workspace_##isa, conv2d_q_igemm_##isa                                                       \
    }
#define IGEMM(form, features, codes, isa)                                                                              \
    PACKED_IGEMM(form, features, conv2d_q_igemm_packed_size, conv2d_q_igemm_pack_##codes, isa)
#define SPLIT_IGEMM(form, features, isa)                                                                               \
    PACKED_IGEMM(form, features, conv2d_q_split_packed_size, conv2d_q_split_pack, isa)

#if defined(__x86_64__)
/*
 * Whether an input pixel has so many products that packing it is soon paid for; by rates measured on Zen 5, where
 * looking subsets up does up to twice (AVX2) or four times (AVX-512) as many products in a cycle as multiplying bytes.
 */
static int many_products(const shrike_conv2d_q_params *p) {
    int64_t window = (int64_t)p->kernel_height * p->kernel_width, step = (int64_t)p->stride_height * p->stride_width;
    return p->channels >= 64 && p->out_channels >= 64 && window * p->out_channels >= 128 * step;
}

/*
 * Wide codes soon fill the bytes that sums of subsets are counted in. Vectors of 32 codes are packed and 32 output
 * channels counted at once: with fewer of either multiplying bytes is quicker, as measured on a Xeon without AVX-512.
 */
static int few_bits(const shrike_conv2d_q_params *p) {
    int few = p->weight_bits == 1 || (p->weight_bits == 2 && p->src_bits <= 2);
    return few && p->channels >= 32 && p->out_channels >= 32 && conv2d_bitserial_supports(p);
}

static int few_bits_of_many(const shrike_conv2d_q_params *p) {
    return p->weight_bits <= 2 && many_products(p) && conv2d_bitserial_supports_lookup_x86_avx512vnni(p);
}
#else
/* Whether planes of bits beat multiplying bytes, by the modelled rates of the kernel that follows in the table. */
static int few_bits(const shrike_conv2d_q_params *p) {
    return p->weight_bits * p->src_bits <= 9 && conv2d_bitserial_supports(p);
}
#endif

/* Best first: a kernel that is the best for some sizes only stands twice. The last one takes everything. */
static const conv2d_q_kernel kernels[] = {
#if defined(__x86_64__)
    BITS(few_bits_of_many, SHRIKE_TIER_AVX512VNNI, lookup_x86_avx512vnni),
    IGEMM("12x32_", SHRIKE_TIER_AVX512VNNI, unsigned, x86_avx512vnni),
    BITS(conv2d_bitserial_supports_lookup_x86_avx512vnni, SHRIKE_TIER_AVX512VNNI, lookup_x86_avx512vnni),
    BITS(few_bits, SHRIKE_TIER_AVX2, lookup_x86_avx2),
    IGEMM("6x16_", SHRIKE_TIER_AVXVNNI, unsigned, x86_avxvnni),
    SPLIT_IGEMM("6x16_", SHRIKE_TIER_AVX2, x86_avx2),
    BITS(conv2d_bitserial_supports, SHRIKE_TIER_AVX2, lookup_x86_avx2),
#elif defined(__aarch64__)
    BITS(few_bits, SHRIKE_CPU_NEON, aarch64_neon),
    IGEMM("2x16_", SHRIKE_CPU_NEON, signed, aarch64_neon),
    BITS(conv2d_bitserial_supports, SHRIKE_CPU_NEON, aarch64_neon),
#endif
    BITS(conv2d_bitserial_supports, 0, portable),
    IGEMM("", 0, unsigned, portable),
    {"conv2d_q_reference", 0, SHRIKE_QKERNEL_REFERENCE, conv2d_q_supports_any, conv2d_q_reference_packed_size,
     conv2d_q_reference_pack, NULL, conv2d_q_reference},
};

int conv2d_q_supports_any(const shrike_conv2d_q_params *p) {
    (void)p;
    return 1;
}

/* What the packed weights depend on; stored in front of them. */
typedef struct header {
    char magic[8];
    int32_t kernel; /* index in the table */
    int32_t channels, out_channels, groups, kernel_height, kernel_width;
    int32_t src_zero, src_bits, weight_bits, weight_bipolar, src_dynamic;
    int32_t unused[3];
} header;

_Static_assert(sizeof(header) == CONV2D_Q_HEADER, "the header of packed weights has a fixed size");

/* Every product is below 2^8 * 2^8 in magnitude, so a sum over the whole depth must not pass the range of int32. */
static int sound_weights(const shrike_conv2d_q_params *p) {
    if (!shrike_check_size(p->channels) || !shrike_check_size(p->out_channels) || p->groups < 1 ||
        p->channels % p->groups != 0 || p->out_channels % p->groups != 0 || p->src_bits < 1 || p->src_bits > 8 ||
        p->src_zero < 0 || p->src_zero >= 1 << p->src_bits || p->weight_bits < 1 || p->weight_bits > 8 ||
        p->weight_bipolar < 0 || p->weight_bipolar > (p->weight_bits == 1) || p->kernel < 0 ||
        p->kernel >= SHRIKE_QKERNEL_COUNT || p->src_dynamic < 0 || p->src_dynamic > 1 ||
        (p->src_dynamic && (p->src_zero != 0 || p->src_bits != 8))) {
        return 0;
    }
    int64_t taps = (int64_t)p->kernel_height * p->kernel_width, bytes;
    return !__builtin_mul_overflow(taps, p->channels, &bytes) &&
           !__builtin_mul_overflow(bytes, p->out_channels, &bytes) && bytes <= SHRIKE_MAX_REACH;
}

/* A weight less its zero point is at most 383 = 255 + 128 in magnitude, a code less its zero point 2^bits - 1. */
static int fits_int32(const shrike_conv2d_q_params *p) {
    return conv2d_q_depth(p) <= INT32_MAX / (383 * ((1 << p->src_bits) - 1));
}

static int sound_sizes(const shrike_conv2d_q_params *p) {
    return SHRIKE_CHECK_WINDOW(p) && sound_weights(p) && shrike_check_size(p->batch) && shrike_check_size(p->height) &&
           shrike_check_size(p->width) && shrike_check_size(p->out_height) && shrike_check_size(p->out_width);
}

static int sound_range(int32_t low, int32_t high) {
    return 0 <= low && low <= high && high <= 255;
}

static int sound_thresholds(const shrike_conv2d_q_params *p) {
    const conv2d_q_thresholds *t = p->thresholds;
    const shrike_bounds bounds = p->thresholds_bounds;
    return !t ||
           (shrike_check_buffer(t, bounds.after, shrike_conv2d_q_thresholds_size(p->out_channels), sizeof(int32_t)) &&
            t->out_channels == p->out_channels && t->count >= 0 && t->count <= CONV2D_Q_MAX_THRESHOLDS);
}

static int sound_output(const shrike_conv2d_q_params *p) {
    if (p->activation < 0 || p->activation >= SHRIKE_ACTIVATION_COUNT || p->residual_first < 0 ||
        p->residual_first > (p->output == SHRIKE_QOUT_CODES && p->residual)) {
        return 0;
    }
    if (p->output == SHRIKE_QOUT_CODES) {
        int activated = conv2d_q_is_activated(p);
        return sound_thresholds(p) && sound_range(p->low, p->high) &&
               (!p->table || SHRIKE_CHECK_ELEMENTS(p, table, 256)) &&
               (!p->residual || p->residual_first || sound_range(p->residual_low, p->residual_high)) &&
               (!activated || (!p->table && !p->thresholds && p->code_multiplier > 0 && isfinite(p->code_multiplier) &&
                               isfinite(p->code_offset)));
    }
    return p->output == SHRIKE_QOUT_REAL;
}

static int sound_range_of_source(const shrike_conv2d_q_params *p) {
    const shrike_code_range *range = p->src_range;
    return !p->src_dynamic || (p->output == SHRIKE_QOUT_REAL && SHRIKE_CHECK_ELEMENTS(p, src_range, 1) &&
                               range->scale > 0 && isfinite(range->scale) && range->zero >= 0 && range->zero <= 255);
}

static int validate(const shrike_conv2d_q_params *p) {
    const int64_t bytes = p->output == SHRIKE_QOUT_REAL ? (int64_t)sizeof(float) : 1;
    return sound_sizes(p) && sound_range_of_source(p) && sound_output(p) &&
           SHRIKE_CHECK_ELEMENTS(p, multiplier, p->out_channels) && SHRIKE_CHECK_ELEMENTS(p, offset, p->out_channels) &&
           SHRIKE_CHECK_IMAGE(p, src, p->height, p->width, p->channels) &&
           SHRIKE_CHECK_TARGET_OF(p, dst, bytes, p->out_height, p->out_width, p->out_channels) &&
           (!p->residual || SHRIKE_CHECK_IMAGE_OF(p, residual, bytes, p->out_height, p->out_width, p->out_channels));
}

static const conv2d_q_kernel *choose(const shrike_context *context, const shrike_conv2d_q_params *p) {
    if (!context || !p || !sound_sizes(p) || !fits_int32(p)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const conv2d_q_kernel *k = &kernels[i];
        if ((p->kernel == SHRIKE_QKERNEL_BEST || p->kernel == k->kind) && shrike_context_has(context, k->features) &&
            k->supports(p) && (!p->src_dynamic || k->kind != SHRIKE_QKERNEL_BITSERIAL)) {
            return k;
        }
    }
    return NULL;
}

static header header_of(const conv2d_q_kernel *kernel, const shrike_conv2d_q_params *p) {
    return (header){"SHRIKEQ",
                    (int32_t)(kernel - kernels),
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
    const conv2d_q_kernel *kernel = choose(context, p);
    return kernel ? kernel->name : NULL;
}

static int64_t packed_size(const conv2d_q_kernel *kernel, const shrike_conv2d_q_params *p) {
    const int64_t own = kernel->packed_size(p);
    return own < 0 ? -1 : CONV2D_Q_HEADER + conv2d_q_round_up(own, CONV2D_Q_HEADER);
}

int64_t shrike_conv2d_q_packed_size(const shrike_context *context, const shrike_conv2d_q_params *p) {
    const conv2d_q_kernel *kernel = choose(context, p);
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
    const conv2d_q_kernel *kernel = choose(context, p);
    return kernel ? kernel_workspace(kernel, context, p) + multiplier_bytes(p) : -1;
}

static int sound_codes(const shrike_conv2d_q_params *p, const int8_t *codes, const int32_t *weight_zero) {
    int32_t low = 127, high = -128;
    int64_t count = conv2d_q_depth(p) * p->out_channels;
    for (int64_t i = 0; i < count; i++) {
        low = codes[i] < low ? codes[i] : low;
        high = codes[i] > high ? codes[i] : high;
        if (p->weight_bipolar && codes[i] != 1 && codes[i] != -1) {
            return 0;
        }
    }
    for (int64_t oc = 0; weight_zero && oc < p->out_channels; oc++) {
        if (weight_zero[oc] < -128 || weight_zero[oc] > 255) {
            return 0;
        }
    }
    int32_t half = 1 << (p->weight_bits - 1);
    return p->weight_bipolar || (low >= -half && high < half) || (low >= 0 && high < 2 * half);
}

int32_t shrike_conv2d_q_pack(const shrike_context *context, const shrike_conv2d_q_params *p, const int8_t *oihw,
                             int64_t oihw_bytes, const int32_t *weight_zero, int64_t weight_zero_bytes, void *packed,
                             int64_t packed_bytes) {
    const conv2d_q_kernel *kernel = choose(context, p);
    if (!kernel) {
        return context && p && sound_sizes(p) ? SHRIKE_EUNSUPPORTED : SHRIKE_EINVAL;
    }
    const int64_t size = shrike_conv2d_q_packed_size(context, p);
    const int64_t zero_bytes = p->out_channels * (int64_t)sizeof *weight_zero;
    if (!shrike_check_buffer(oihw, oihw_bytes, conv2d_q_depth(p) * p->out_channels, 1) ||
        (weight_zero && !shrike_check_buffer(weight_zero, weight_zero_bytes, zero_bytes, sizeof *weight_zero)) ||
        !shrike_check_buffer(packed, packed_bytes, size, CONV2D_Q_HEADER) || !sound_codes(p, oihw, weight_zero)) {
        return SHRIKE_EINVAL;
    }
    memset(packed, 0, (size_t)size);
    header head = header_of(kernel, p);
    memcpy(packed, &head, sizeof head);
    kernel->pack(p, oihw, weight_zero, (uint8_t *)packed + CONV2D_Q_HEADER);
    return SHRIKE_OK;
}

int32_t shrike_conv2d_q(shrike_context *context, const shrike_conv2d_q_params *p) {
    if (!context || !p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    const conv2d_q_kernel *kernel = choose(context, p);
    if (!kernel) {
        return SHRIKE_EUNSUPPORTED;
    }
    header head = header_of(kernel, p);
    const int64_t own = kernel_workspace(kernel, context, p), workspace = own + multiplier_bytes(p);
    if (!shrike_check_buffer(p->weights, p->weights_bounds.after, packed_size(kernel, p), CONV2D_Q_HEADER) ||
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
    kernel->run(context, &call, (const uint8_t *)p->weights + CONV2D_Q_HEADER);
    shrike_context_leave(context);
    return SHRIKE_OK;
}
