/*
 * Depthwise convolution, written once for all tiers: a task is an output row; for each pixel, vectors of channels run
 * over the taps inside the image in the order ky, kx.
 */
typedef struct depthwise_row {
    const shrike_conv2d_f32_params *p;
    int64_t padded; /* channels in the packed weights */
} depthwise_row;

static vf depthwise_sum(const depthwise_row *row, int64_t n, int64_t y, int64_t x, int64_t c) {
    const shrike_conv2d_f32_params *p = row->p;
    int64_t left = p->channels - c;
    vf sum = vf_set1(0);
    if (p->bias) {
        sum = left >= VL ? vf_load(p->bias + c) : vf_load_first(p->bias + c, left);
    }
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        int64_t in_y = y * p->stride_height - p->pad_top + ky * p->dilation_height;
        if (in_y < 0 || in_y >= p->height) {
            continue;
        }
        for (int64_t kx = 0; kx < p->kernel_width; kx++) {
            int64_t in_x = x * p->stride_width - p->pad_left + kx * p->dilation_width;
            if (in_x < 0 || in_x >= p->width) {
                continue;
            }
            const float *pixel =
                p->src + n * p->src_batch_stride + in_y * p->src_row_stride + in_x * p->src_pixel_stride + c;
            vf value = left >= VL ? vf_load(pixel) : vf_load_first(pixel, left);
            sum = vf_fma(value, vf_load(p->weights + (ky * p->kernel_width + kx) * row->padded + c), sum);
        }
    }
    return sum;
}

static void run_depthwise_rows(const void *argument, int64_t begin, int64_t end) {
    const depthwise_row *row = argument;
    const shrike_conv2d_f32_params *p = row->p;
    for (int64_t index = begin; index < end; index++) {
        int64_t n = index / p->out_height, y = index % p->out_height;
        for (int64_t x = 0; x < p->out_width; x++) {
            for (int64_t c = 0; c < p->channels; c += VL) {
                float sums[VL];
                vf_store(sums, depthwise_sum(row, n, y, x, c));
                outputs out = {.rows = 1, .channels = p->channels - c < VL ? p->channels - c : VL};
                out.dst[0] = p->dst + n * p->dst_batch_stride + y * p->dst_row_stride + x * p->dst_pixel_stride + c;
                out.residual[0] = p->residual ? p->residual + n * p->residual_batch_stride +
                                                    y * p->residual_row_stride + x * p->residual_pixel_stride + c
                                              : 0;
                finish(p, sums, VL, &out);
            }
        }
    }
}

void TIER(conv2d_f32_depthwise)(shrike_context *context, const shrike_conv2d_f32_params *p) {
    depthwise_row row = {.p = p, .padded = conv2d_f32_round_up(p->channels, CONV2D_PANEL)};
    int64_t work = (int64_t)p->out_width * p->channels * p->kernel_height * p->kernel_width;
    shrike_parallel(context, run_depthwise_rows, &row, (int64_t)p->batch * p->out_height, shrike_grain(work, 65536));
}
