/*
 * The kernels of the quantised convolution in one table.
 */
#include "conv2d_q_kernels.h"

#include "conv2d_bitserial/conv2d_bitserial.h"
#include "conv2d_q_igemm/conv2d_q_igemm.h"
#include "core/array.h"

static int always(const shrike_conv2d_q_params *p) {
    (void)p;
    return 1;
}

#if defined(__x86_64__)
/*
 * Whether an input pixel has so many products that packing it is soon paid for; by rates measured on Zen 5, where
 * looking subsets up does up to twice (AVX2) or four times (AVX-512) as many products in a cycle as multiplying bytes.
 */
static int few_bits_of_many(const shrike_conv2d_q_params *p) {
    int64_t window = (int64_t)p->kernel_height * p->kernel_width, step = (int64_t)p->stride_height * p->stride_width;
    return p->weight_bits <= 2 && p->channels >= 64 && p->out_channels >= 64 && window * p->out_channels >= 128 * step;
}

/*
 * Wide codes soon fill the bytes that sums of subsets are counted in. Vectors of 32 codes are packed and 32 output
 * channels counted at once: with fewer of either multiplying bytes is quicker, as measured on a Xeon without AVX-512.
 */
static int few_bits(const shrike_conv2d_q_params *p) {
    int few = p->weight_bits == 1 || (p->weight_bits == 2 && p->src_bits <= 2);
    return few && p->channels >= 32 && p->out_channels >= 32;
}
#elif defined(__aarch64__)
/* Whether planes of bits beat multiplying bytes, by the modelled rates of the kernel that follows in the table. */
static int few_bits(const shrike_conv2d_q_params *p) {
    return p->weight_bits * p->src_bits <= 9;
}
#endif

/*
 * Best first: the first kernel that the CPU can run, that takes the sizes and that is said to be the best for them. One
 * that is the best for some sizes only stands twice. The last one takes everything.
 */
static const struct {
    const conv2d_q_kernel *kernel;
    int (*is_best)(const shrike_conv2d_q_params *params);
} rows[] = {
#if defined(__x86_64__)
    {&conv2d_bitserial_lookup_x86_avx512vnni_kernel, few_bits_of_many},
    {&conv2d_q_igemm_12x32_x86_avx512vnni_kernel, always},
    {&conv2d_bitserial_lookup_x86_avx512vnni_kernel, always},
    {&conv2d_bitserial_lookup_x86_avx2_kernel, few_bits},
    {&conv2d_q_igemm_6x16_x86_avxvnni_kernel, always},
    {&conv2d_q_igemm_6x16_x86_avx2_kernel, always},
    {&conv2d_bitserial_lookup_x86_avx2_kernel, always},
#elif defined(__aarch64__)
    {&conv2d_bitserial_aarch64_neon_kernel, few_bits},
    {&conv2d_q_igemm_2x16_aarch64_neon_kernel, always},
    {&conv2d_bitserial_aarch64_neon_kernel, always},
#endif
    {&conv2d_bitserial_portable_kernel, always},
    {&conv2d_q_igemm_portable_kernel, always},
    {&conv2d_q_reference_kernel, always},
};

conv2d_q_choice conv2d_q_choose(const shrike_context *context, const shrike_conv2d_q_params *p) {
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
        const conv2d_q_kernel *kernel = rows[row].kernel;
        if ((p->kernel == SHRIKE_QKERNEL_BEST || p->kernel == kernel->kind) &&
            shrike_context_has(context, kernel->features) && kernel->supports(p) && rows[row].is_best(p)) {
            return (conv2d_q_choice){kernel, (int32_t)row};
        }
    }
    return (conv2d_q_choice){NULL, -1};
}
