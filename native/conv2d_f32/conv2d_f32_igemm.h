/*
 * Implicit GEMM, written once for all tiers: a tile is MR output pixels (consecutive in n, y, x order, across row ends)
 * times NP panels of output channels, accumulated in registers over the whole window.
 *
 *     for each segment (a run of input floats that lie together: one tap, or a row of taps where pixels touch)
 *         for k in segment
 *             w[0..NV) = weights of step k                    NV vectors hold NP panels
 *             for i in 0..MR: acc[i][0..NV) += pixel[i][k] * w[0..NV)
 *
 * Each output is one chain of multiply-adds in the order ky, kx, ic, starting from the bias, whatever its tile: that
 * makes results independent of the number of threads. Taps outside the image read conv2d_f32_zeros; a segment outside
 * for all pixels is left out. Nothing is read beyond a pixel's channels or written beyond the output channels.
 *
 * The including file defines MR, NP (1 or 2), after a vec_*.h.
 */
#include "conv2d_f32.h"
#include "core/vec_math.h"

#define NV1 (CONV2D_PANEL / VL) /* vectors a panel */

typedef struct segment {
    const float *pixel[MR];
    int64_t weights; /* floats from the start of a panel */
    int64_t length;
} segment;

typedef struct tile {
    segment *segments;
    int32_t count;
    const float *weights; /* of the first panel */
    int64_t panel_size; /* floats from panel to panel */
    const float *bias; /* of the panels' channels */
    float sums[MR][NP * CONV2D_PANEL];
} tile;

/* rows and panels are constants at every call, so that the loops unroll and acc stays in registers. */
static inline __attribute__((always_inline)) void multiply(tile *t, const int rows, const int panels) {
    vf acc[MR][NP * NV1];
#pragma GCC unroll 16
    for (int v = 0; v < panels * NV1; v++) {
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            acc[i][v] = vf_load(t->bias + v * VL);
        }
    }
    for (int32_t s = 0; s < t->count; s++) {
        const segment *seg = &t->segments[s];
        const float *w0 = t->weights + seg->weights;
        const float *w1 = w0 + t->panel_size;
        const int64_t length = seg->length;
#pragma GCC unroll 2
        for (int64_t k = 0; k < length; k++, w0 += CONV2D_PANEL, w1 += CONV2D_PANEL) {
            vf w[NP * NV1];
#pragma GCC unroll 16
            for (int v = 0; v < NV1; v++) {
                w[v] = vf_load(w0 + v * VL);
                if (panels > 1) {
                    w[(panels - 1) * NV1 + v] = vf_load(w1 + v * VL);
                }
            }
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) {
                vf x = vf_set1(seg->pixel[i][k]);
#pragma GCC unroll 16
                for (int v = 0; v < panels * NV1; v++) {
                    acc[i][v] = vf_fma(x, w[v], acc[i][v]);
                }
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 16
        for (int v = 0; v < panels * NV1; v++) {
            vf_store(t->sums[i] + v * VL, acc[i][v]);
        }
    }
}

/* Tiles at the end of the image have fewer pixels; the smaller forms are steps, and spare rows repeat the last pixel.
 */
static void multiply_full_1(tile *t) {
    multiply(t, MR, 1);
}
static void multiply_half_1(tile *t) {
    multiply(t, (MR + 1) / 2, 1);
}
static void multiply_one_1(tile *t) {
    multiply(t, 1, 1);
}
#if NP > 1
static void multiply_full_2(tile *t) {
    multiply(t, MR, 2);
}
static void multiply_half_2(tile *t) {
    multiply(t, (MR + 1) / 2, 2);
}
static void multiply_one_2(tile *t) {
    multiply(t, 1, 2);
}
#endif

static void multiply_tile(tile *t, int rows, int panels) {
#if NP > 1
    if (panels > 1) {
        if (rows > (MR + 1) / 2) {
            multiply_full_2(t);
        } else if (rows > 1) {
            multiply_half_2(t);
        } else {
            multiply_one_2(t);
        }
        return;
    }
#endif
    (void)panels;
    if (rows > (MR + 1) / 2) {
        multiply_full_1(t);
    } else if (rows > 1) {
        multiply_half_1(t);
    } else {
        multiply_one_1(t);
    }
}

/* Where the outputs of a tile go, and what is added to them. */
typedef struct outputs {
    float *dst[MR];
    const float *residual[MR];
    int rows;
    int64_t channels;
} outputs;

static inline __attribute__((always_inline)) vf activate(vf x, const int kind, vf alpha, vf beta) {
    switch (kind) {
    case SHRIKE_ACTIVATION_SILU:
        return vf_silu(x);
    case SHRIKE_ACTIVATION_RELU:
        return vf_relu(x);
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return vf_leaky_relu(x, alpha);
    case SHRIKE_ACTIVATION_SIGMOID:
        return vf_sigmoid(x);
    case SHRIKE_ACTIVATION_HARD_SIGMOID:
        return vf_hard_sigmoid(x, alpha, beta);
    case SHRIKE_ACTIVATION_HARD_SWISH:
        return vf_hard_swish(x);
    case SHRIKE_ACTIVATION_TANH:
        return vf_tanh(x);
    case SHRIKE_ACTIVATION_CLIP:
        return vf_clip(x, alpha, beta);
    default:
        return x;
    }
}

/* As finish_with, of whole panels without residual, which most tiles are: the loops have no conditions then. */
static inline __attribute__((always_inline)) void finish_whole(const shrike_conv2d_f32_params *p, const float *sums,
                                                               int64_t pitch, const outputs *out, const int kind) {
    const vf alpha = vf_set1(p->alpha), beta = vf_set1(p->beta);
    for (int i = 0; i < out->rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < NP * NV1; v++) {
            vf_store(out->dst[i] + v * VL, activate(vf_load(sums + i * pitch + v * VL), kind, alpha, beta));
        }
    }
}

/* for each pixel and vector: dst = activation(sum) + residual; row i of the sums is at sums + i * pitch */
static inline __attribute__((always_inline)) void finish_with(const shrike_conv2d_f32_params *p, const float *sums,
                                                              int64_t pitch, const outputs *out, const int kind) {
    const vf alpha = vf_set1(p->alpha), beta = vf_set1(p->beta);
    const int64_t whole = out->channels / VL * VL, left = out->channels - whole;
    for (int i = 0; i < out->rows; i++) {
        const float *from = sums + i * pitch, *residual = out->residual[i];
        float *dst = out->dst[i];
        for (int64_t c = 0; c < whole; c += VL) {
            vf x = activate(vf_load(from + c), kind, alpha, beta);
            if (residual) {
                x = x + vf_load(residual + c);
            }
            vf_store(dst + c, x);
        }
        if (left > 0) {
            vf x = activate(vf_load(from + whole), kind, alpha, beta);
            if (residual) {
                x = x + vf_load_first(residual + whole, left);
            }
            vf_store_first(dst + whole, x, left);
        }
    }
}

static void finish(const shrike_conv2d_f32_params *p, const float *sums, int64_t pitch, const outputs *out) {
    switch (p->activation) {
    case SHRIKE_ACTIVATION_NONE:
        finish_with(p, sums, pitch, out, SHRIKE_ACTIVATION_NONE);
        return;
    case SHRIKE_ACTIVATION_SILU:
        if (out->channels == NP * CONV2D_PANEL && !p->residual) {
            finish_whole(p, sums, pitch, out, SHRIKE_ACTIVATION_SILU);
        } else {
            finish_with(p, sums, pitch, out, SHRIKE_ACTIVATION_SILU);
        }
        return;
    case SHRIKE_ACTIVATION_RELU:
        finish_with(p, sums, pitch, out, SHRIKE_ACTIVATION_RELU);
        return;
    default:
        finish_with(p, sums, pitch, out, p->activation);
        return;
    }
}

/* One call: sizes that all tiles share. */
typedef struct plan {
    const shrike_conv2d_f32_params *p;
    int64_t pixels; /* output pixels of the whole batch */
    int64_t group_in, group_out; /* channels a group */
    int64_t panels; /* panels a group */
    int64_t panel_size;
    int rows; /* output pixels a tile */
    int64_t block; /* output pixels a task, a multiple of MR */
    int64_t blocks; /* tasks along the pixels */
    int64_t panels_a_task; /* a multiple of NP */
    int64_t panel_tasks; /* tasks along one group's panels */
    int joined_rows; /* a window's row of taps lies together in memory */
} plan;

/* An output pixel's place: the input position of its first tap, and where it is written. */
typedef struct place {
    int64_t n, y, x;
} place;

/* Cuts a run of floats into segments; pixels outside the image (null) read zeros. Returns the new count. */
static inline int32_t add_run(segment *segments, int32_t count, const float *const *pixel, int64_t run,
                              int64_t weights) {
    for (int64_t k = 0; k < run; k += CONV2D_SEGMENT) {
        segment *seg = &segments[count++];
        for (int i = 0; i < MR; i++) {
            seg->pixel[i] = pixel[i] ? pixel[i] + k : conv2d_f32_zeros;
        }
        seg->weights = weights + k * CONV2D_PANEL;
        seg->length = run - k < CONV2D_SEGMENT ? run - k : CONV2D_SEGMENT;
    }
    return count;
}

/* Neighbouring pixels of one row, with no tap left or right of the image: addresses are a constant distance apart. */
static int32_t find_regular_segments(const plan *plan, int64_t group, place first, segment *segments) {
    const shrike_conv2d_f32_params *p = plan->p;
    const int64_t top = first.y * p->stride_height - p->pad_top, left = first.x * p->stride_width - p->pad_left;
    const int64_t columns = plan->joined_rows ? 1 : p->kernel_width;
    const int64_t run = plan->joined_rows ? p->kernel_width * plan->group_in : plan->group_in;
    const int64_t pitch = p->stride_width * p->src_pixel_stride;
    const float *image = p->src + first.n * p->src_batch_stride + group * plan->group_in;
    int32_t count = 0;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        int64_t y = top + ky * p->dilation_height;
        for (int64_t kx = 0; y >= 0 && y < p->height && kx < columns; kx++) {
            const float *pixel[MR];
            pixel[0] = image + y * p->src_row_stride + (left + kx * p->dilation_width) * p->src_pixel_stride;
            for (int i = 1; i < MR; i++) {
                pixel[i] = pixel[0] + i * pitch;
            }
            count = add_run(segments, count, pixel, run, (ky * columns + kx) * run * CONV2D_PANEL);
        }
    }
    return count;
}

static int32_t find_segments(const plan *plan, int64_t group, const place *places, segment *segments) {
    const shrike_conv2d_f32_params *p = plan->p;
    const int64_t reach = (p->kernel_width - 1) * (int64_t)p->dilation_width;
    const float *image[MR];
    int64_t top[MR], left[MR];
    int inside = 1;
    for (int i = 0; i < MR; i++) {
        top[i] = places[i].y * p->stride_height - p->pad_top;
        left[i] = places[i].x * p->stride_width - p->pad_left;
        inside &= left[i] >= 0 && left[i] + reach < p->width;
        image[i] = p->src + places[i].n * p->src_batch_stride + group * plan->group_in;
    }
    /* x grows by one from pixel to pixel unless a row or the tile ends, so this sum is reached within one row only */
    if (inside && places[MR - 1].x == places[0].x + MR - 1) {
        return find_regular_segments(plan, group, places[0], segments);
    }
    const int joined = inside && plan->joined_rows;
    const int64_t columns = joined ? 1 : p->kernel_width;
    const int64_t run = joined ? p->kernel_width * plan->group_in : plan->group_in;
    int32_t count = 0;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        for (int64_t kx = 0; kx < columns; kx++) {
            const float *pixel[MR];
            int any = 0;
            for (int i = 0; i < MR; i++) {
                int64_t y = top[i] + ky * p->dilation_height, x = left[i] + kx * p->dilation_width;
                int valid = y >= 0 && y < p->height && x >= 0 && x < p->width;
                pixel[i] = valid ? image[i] + y * p->src_row_stride + x * p->src_pixel_stride : 0;
                any |= valid;
            }
            if (any) {
                count = add_run(segments, count, pixel, run, (ky * columns + kx) * run * CONV2D_PANEL);
            }
        }
    }
    return count;
}

static place place_of(const shrike_conv2d_f32_params *p, int64_t pixel) {
    int64_t area = (int64_t)p->out_height * p->out_width;
    int64_t rest = pixel % area;
    return (place){pixel / area, rest / p->out_width, rest % p->out_width};
}

static inline void advance(const shrike_conv2d_f32_params *p, place *at) {
    if (++at->x == p->out_width) {
        at->x = 0;
        if (++at->y == p->out_height) {
            at->y = 0;
            at->n++;
        }
    }
}

/* Runs the tile that begins at a place, and moves the place to the one behind the tile. */
static void run_tile(const plan *plan, tile *t, int64_t group, place *at, int rows, int64_t first_panel,
                     int64_t last_panel) {
    const shrike_conv2d_f32_params *p = plan->p;
    place places[MR];
    float *dst[MR];
    const float *residual[MR];
    place current = *at;
    for (int i = 0; i < MR; i++) {
        if (i < rows) {
            current = *at;
            dst[i] = p->dst + at->n * p->dst_batch_stride + at->y * p->dst_row_stride + at->x * p->dst_pixel_stride;
            residual[i] = p->residual ? p->residual + at->n * p->residual_batch_stride +
                                            at->y * p->residual_row_stride + at->x * p->residual_pixel_stride
                                      : 0;
            advance(p, at);
        }
        places[i] = current;
    }
    t->count = find_segments(plan, group, places, t->segments);
    for (int64_t panel = first_panel; panel < last_panel; panel += NP) {
        int panels = last_panel - panel < NP ? 1 : NP;
        int64_t channel = panel * CONV2D_PANEL;
        int64_t left = plan->group_out - channel;
        int64_t channels = left < panels * CONV2D_PANEL ? left : panels * CONV2D_PANEL;
        int64_t first = group * plan->group_out + channel;
        float filled[NP * CONV2D_PANEL];
        t->bias = p->bias ? p->bias + first : filled;
        if (!p->bias || channels < panels * CONV2D_PANEL) {
            for (int64_t c = 0; c < NP * CONV2D_PANEL; c++) {
                filled[c] = p->bias && c < channels ? p->bias[first + c] : 0;
            }
            t->bias = filled;
        }
        t->weights = p->weights + (group * plan->panels + panel) * plan->panel_size;
        multiply_tile(t, rows, panels);
        outputs out = {.rows = rows, .channels = channels};
        for (int i = 0; i < rows; i++) {
            out.dst[i] = dst[i] + first;
            out.residual[i] = residual[i] ? residual[i] + first : 0;
        }
        finish(p, t->sums[0], NP * CONV2D_PANEL, &out);
    }
}

/* Weights up to this many floats stay in the second-level cache beside the input. */
enum { SMALL_WEIGHTS = 64 * 1024 };

/*
 * A task is a block of pixels times some panels of one group. With small weights each tile of pixels goes through all
 * panels while it is in the first-level cache; with larger ones each step of panels goes through all pixels.
 */
static void run_tasks(const void *argument, int64_t begin, int64_t end) {
    const plan *plan = argument;
    segment segments[CONV2D_MAX_SEGMENTS];
    tile t;
    t.segments = segments;
    t.panel_size = plan->panel_size;
    for (int64_t task = begin; task < end; task++) {
        int64_t block = task / plan->panel_tasks % plan->blocks;
        int64_t group = task / plan->panel_tasks / plan->blocks;
        int64_t first = task % plan->panel_tasks * plan->panels_a_task;
        int64_t last = first + plan->panels_a_task < plan->panels ? first + plan->panels_a_task : plan->panels;
        int64_t stop = (block + 1) * plan->block < plan->pixels ? (block + 1) * plan->block : plan->pixels;
        int64_t step = (last - first) * plan->panel_size <= SMALL_WEIGHTS ? last - first : NP;
        for (int64_t panel = first; panel < last; panel += step) {
            int64_t until = panel + step < last ? panel + step : last;
            place at = place_of(plan->p, block * plan->block);
            for (int64_t pixel = block * plan->block; pixel < stop; pixel += plan->rows) {
                int64_t rows = stop - pixel < plan->rows ? stop - pixel : plan->rows;
                run_tile(plan, &t, group, &at, (int)rows, panel, until);
            }
        }
    }
}

/* Floats of input that a task reads over and over, once a pair of panels: about a third of a 512 KiB cache. */
enum { BLOCK_FLOATS = 48 * 1024 };

void TIER(conv2d_f32_igemm)(shrike_context *context, const shrike_conv2d_f32_params *p) {
    plan plan = {.p = p};
    plan.pixels = (int64_t)p->batch * p->out_height * p->out_width;
    plan.group_in = p->channels / p->groups;
    plan.group_out = p->out_channels / p->groups;
    plan.panels = conv2d_f32_round_up(plan.group_out, CONV2D_PANEL) / CONV2D_PANEL;
    plan.panel_size = (int64_t)p->kernel_height * p->kernel_width * plan.group_in * CONV2D_PANEL;
    plan.joined_rows = p->src_pixel_stride == plan.group_in && p->dilation_width == 1;

    /* Pixels 4 KiB apart compete for one set, of often 8 lines, of the first-level cache: fewer pixels a tile then. */
    int64_t pitch = p->stride_width * p->src_pixel_stride;
    plan.rows = MR > 8 && pitch * (int64_t)sizeof(float) % 4096 == 0 ? (MR + 1) / 2 : MR;

    int64_t pixels = BLOCK_FLOATS / ((int64_t)p->stride_height * p->stride_width) / plan.group_in;
    int64_t block = conv2d_f32_round_up(pixels + 1, MR);
    int64_t threads = shrike_context_threads(context);
    if (threads > 1) {
        int64_t share = conv2d_f32_round_up((plan.pixels + 4 * threads - 1) / (4 * threads), MR);
        block = block < share ? block : share;
    }
    plan.block = block;
    plan.blocks = (plan.pixels + block - 1) / block;
    plan.panels_a_task = conv2d_f32_round_up(plan.panels, NP);
    plan.panel_tasks = 1;
    while (plan.blocks * plan.panel_tasks * p->groups < 4 * threads && plan.panels_a_task > 2 * NP) {
        plan.panels_a_task = conv2d_f32_round_up((plan.panels_a_task + 1) / 2, NP);
        plan.panel_tasks = (plan.panels + plan.panels_a_task - 1) / plan.panels_a_task;
    }
    shrike_parallel(context, run_tasks, &plan, plan.blocks * plan.panel_tasks * p->groups, 1);
}
