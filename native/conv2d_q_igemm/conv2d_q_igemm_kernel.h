/*
 * Implicit GEMM on codes, written once for all tiers: a tile is MR output pixels (consecutive in n, y, x order, across
 * row ends) times NP panels of 16 output channels, its int32 sums in registers over the whole window.
 *
 *     for each segment (a run of input codes that lie together: a unit of conv2d_q_igemm.h, or a row of them)
 *         for each step of 4 codes
 *             w = weights of the step, 64 bytes a panel
 *             for i in 0..MR: sums[i] += (4 codes of pixel i, repeated) * w
 *
 * Units outside the image are read from a row of zero points. A unit is read to a multiple of 8 codes: where that would
 * pass the end of an image row, and where a row of taps does not lie together, it is copied to the slot's memory first.
 *
 * The including file defines MR, NP, TIER(name) and `multiply_tile`, which fills tile->sums; and BUNDLES as 1 if it
 * packs weights in the bundled form, where each pixel's window is read by offsets from one place: from where it lies,
 * or, where parts of it are outside or lie elsewhere, from a copy.
 */
#include <stdatomic.h>
#include <string.h>

#include "conv2d_q_igemm.h"
#include "quantized/epilogue.h"

#ifndef BUNDLES
#define BUNDLES 0
#endif

typedef struct segment {
    const uint8_t *pixel[MR];
    int64_t bytes; /* that count; read are steps * 4 */
    int64_t steps;
} segment;

typedef struct tile {
    _Alignas(64) int32_t sums[MR][NP * CONV2D_Q_PANEL];
    const segment *segments;
    int64_t count;
    const int8_t *weights; /* of the first panel */
    const int32_t *start;
    int64_t panel_bytes;
    int32_t run, bundled; /* as in conv2d_q_head */
    /* In the bundled form: each pixel's window, and the offsets of vectors in it, of the first panel's half 0. */
    const uint8_t *window[MR];
    const int32_t *offsets;
    int64_t offsets_pitch; /* from half to half */
    conv2d_q_bundles_layout layout;
} tile;

static void multiply_tile(tile *t, int rows, int panels);

typedef struct plan {
    const shrike_conv2d_q_params *p;
    conv2d_q_epilogue *epilogue;
    const conv2d_q_head *head;
    const int32_t *start, *zeros;
    const int8_t *bases; /* of halves */
    const uint8_t *weights;
    int64_t pixels, panels, panel_bytes, steps, unit_bytes, units;
    int taps; /* units are taps */
    int copies; /* units that are not read where they are get copied */
    int together; /* a row of taps lies together in src */
    int direct; /* units may be read where they are, if they are inside */
    int64_t unit_read, last_row, row_end; /* bytes read of a unit; rows from the first tap to the last; end of a row */
    int64_t block, blocks, panels_a_task, panel_tasks, panels_a_step;
    int64_t slot_bytes, zero_at, copies_at, weights_at, windows_at, offsets_at;
    int64_t room; /* of conv2d_q_bundles_room; 0 where there are no bundles */
    int far; /* 1: offsets in the image would not fit in int32_t */
    atomic_llong *next;
} plan;

/* The parts of a slot: segments, a unit of zero points, copies of units, unpacked weights; windows and offsets. */
static void lay_out_slot(plan *plan) {
    const shrike_conv2d_q_params *p = plan->p;
    plan->taps = conv2d_q_units_are_taps(p);
    plan->units = conv2d_q_units(p);
    plan->unit_bytes = conv2d_q_unit_bytes(p);
    plan->steps = conv2d_q_steps(p);
    plan->panels = conv2d_q_panels(p);
    plan->panel_bytes = plan->steps * CONV2D_Q_STEP_BYTES;
    int64_t unit = conv2d_q_round_up(plan->unit_bytes, CONV2D_Q_UNIT);
    plan->zero_at = conv2d_q_round_up(plan->units * (int64_t)sizeof(segment), 64);
    plan->copies_at = plan->zero_at + conv2d_q_round_up(unit, 64);
    plan->copies = !plan->taps || unit != plan->unit_bytes;
    plan->weights_at = plan->copies_at + (plan->copies ? conv2d_q_round_up(MR * plan->units * unit, 64) : 0);
    /* Small weights are taken all together, larger ones NP panels a time. */
    enum { SMALL_WEIGHTS = 128 * 1024 };
    int64_t step = SMALL_WEIGHTS / plan->panel_bytes / NP * NP;
    plan->panels_a_step = step > NP ? step : NP;
    int64_t unpacked = plan->panels_a_step < conv2d_q_round_up(plan->panels, NP) ? plan->panels_a_step : plan->panels;
    plan->windows_at = plan->weights_at + (conv2d_q_halves(p) ? unpacked * plan->panel_bytes : 0);
    plan->room = BUNDLES && conv2d_q_may_bundle(p) ? conv2d_q_bundles_room(p) : 0;
    plan->offsets_at = plan->windows_at + (plan->room > 0 ? conv2d_q_round_up(MR * plan->units * unit, 64) : 0);
    const int64_t numbers = plan->room > 0 ? plan->units + 2 * unpacked * plan->room : 0;
    plan->slot_bytes = plan->offsets_at + conv2d_q_round_up(numbers * (int64_t)sizeof(int32_t), 64);
}

static int64_t columns_of(const shrike_conv2d_q_params *p) {
    return p->groups * conv2d_q_panels(p) * CONV2D_Q_PANEL;
}

/* Behind the slots: starts for a zero point that was not known when the weights were packed. */
static int64_t starts_bytes(const shrike_conv2d_q_params *p) {
    return columns_of(p) * (int64_t)sizeof(int32_t);
}

static const int32_t *shift_starts(const plan *plan, const int32_t *shares, int64_t threads) {
    const shrike_conv2d_q_params *p = plan->p;
    int32_t *shifted = (int32_t *)((uint8_t *)p->workspace + plan->slot_bytes * threads);
    for (int64_t c = 0; c < columns_of(p); c++) {
        shifted[c] = (int32_t)((uint32_t)plan->start[c] - (uint32_t)p->src_zero * (uint32_t)shares[c]);
    }
    return shifted;
}

static int64_t TIER(conv2d_q_igemm_workspace)(const shrike_context *context, const shrike_conv2d_q_params *p) {
    plan plan = {.p = p};
    lay_out_slot(&plan);
    return plan.slot_bytes * shrike_context_threads(context) + (p->src_dynamic ? starts_bytes(p) : 0);
}

/* An output pixel. */
typedef struct cursor {
    int64_t n, y, x;
} cursor;

static cursor cursor_at(const shrike_conv2d_q_params *p, int64_t pixel) {
    const int64_t row = pixel / p->out_width;
    return (cursor){row / p->out_height, row % p->out_height, pixel % p->out_width};
}

static void move_on(const shrike_conv2d_q_params *p, cursor *c, int64_t pixels) {
    for (c->x += pixels; c->x >= p->out_width; c->x -= p->out_width) {
        if (++c->y == p->out_height) {
            c->y = 0;
            c->n++;
        }
    }
}

/* The pixels of a tile: spare rows repeat the last one. */
typedef struct place {
    const uint8_t *image[MR]; /* of the pixel's batch element, at the group's first channel */
    const uint8_t *corner[MR]; /* the first tap, if all of the tile are inside */
    int64_t top[MR], left[MR];
    int64_t dst[MR], residual[MR];
    int inside; /* every unit of every pixel may be read directly */
} place;

static int is_inside(const plan *plan, int64_t group, int64_t top, int64_t left) {
    const shrike_conv2d_q_params *p = plan->p;
    const int64_t last_column = (p->kernel_width - 1) * (int64_t)p->dilation_width;
    const int64_t last_tap = left + (plan->taps ? last_column : 0);
    return top >= 0 && left >= 0 && top + plan->last_row < p->height && left + last_column < p->width &&
           last_tap * p->src_pixel_stride + group * conv2d_q_group_in(p) + plan->unit_read <= plan->row_end;
}

/* Pixels of one output row, the usual case: addresses go up in steps, and between two that are inside all are. */
static void find_in_row(const plan *plan, int64_t group, cursor c, int rows, place *at) {
    const shrike_conv2d_q_params *p = plan->p;
    const int64_t top = c.y * p->stride_height - p->pad_top, left = c.x * p->stride_width - p->pad_left;
    const int64_t step = p->stride_width * p->src_pixel_stride;
    const uint8_t *image = p->src + c.n * p->src_batch_stride + group * conv2d_q_group_in(p);
    const int64_t dst = c.n * p->dst_batch_stride + c.y * p->dst_row_stride + c.x * p->dst_pixel_stride;
    const int64_t residual =
        c.n * p->residual_batch_stride + c.y * p->residual_row_stride + c.x * p->residual_pixel_stride;
    at->inside = plan->direct && is_inside(plan, group, top, left) &&
                 is_inside(plan, group, top, left + (rows - 1) * (int64_t)p->stride_width);
    if (at->inside) {
        const uint8_t *corner = image + top * p->src_row_stride + left * p->src_pixel_stride;
        for (int i = 0; i < MR; i++) {
            at->corner[i] = corner + (i < rows ? i : rows - 1) * step;
        }
    } else {
        for (int i = 0; i < MR; i++) {
            at->image[i] = image;
            at->top[i] = top;
            at->left[i] = left + (i < rows ? i : rows - 1) * (int64_t)p->stride_width;
        }
    }
    for (int i = 0; i < MR; i++) {
        at->dst[i] = dst + i * p->dst_pixel_stride;
        at->residual[i] = residual + i * p->residual_pixel_stride;
    }
}

static void find_across_rows(const plan *plan, int64_t group, cursor c, int rows, place *at) {
    const shrike_conv2d_q_params *p = plan->p;
    at->inside = plan->direct;
    for (int i = 0; i < MR; i++) {
        at->image[i] = p->src + c.n * p->src_batch_stride + group * conv2d_q_group_in(p);
        at->top[i] = c.y * p->stride_height - p->pad_top;
        at->left[i] = c.x * p->stride_width - p->pad_left;
        at->dst[i] = c.n * p->dst_batch_stride + c.y * p->dst_row_stride + c.x * p->dst_pixel_stride;
        at->residual[i] =
            c.n * p->residual_batch_stride + c.y * p->residual_row_stride + c.x * p->residual_pixel_stride;
        at->inside = at->inside && is_inside(plan, group, at->top[i], at->left[i]);
        if (i + 1 < rows) {
            move_on(p, &c, 1);
        }
    }
    for (int i = 0; at->inside && i < MR; i++) {
        at->corner[i] = at->image[i] + at->top[i] * p->src_row_stride + at->left[i] * p->src_pixel_stride;
    }
}

/* All inside: a segment is an offset from the corners, and a row of taps that lies together is one segment. */
static int64_t point_inside(const plan *plan, const place *at, segment *segments) {
    const shrike_conv2d_q_params *p = plan->p;
    const int64_t columns = plan->taps && !plan->together ? p->kernel_width : 1;
    const int64_t bytes = plan->together && plan->taps ? plan->unit_bytes * p->kernel_width : plan->unit_bytes;
    segment *s = segments;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        for (int64_t kx = 0; kx < columns; kx++, s++) {
            const int64_t offset =
                ky * p->dilation_height * p->src_row_stride + kx * p->dilation_width * p->src_pixel_stride;
            s->bytes = bytes;
            s->steps = conv2d_q_round_up(bytes, CONV2D_Q_UNIT) / CONV2D_Q_STEP;
            for (int i = 0; i < MR; i++) {
                s->pixel[i] = at->corner[i] + offset;
            }
        }
    }
    return s - segments;
}

/* A unit that cannot be read where it is, into `copy`; zero points for taps outside. */
static void copy_unit(const plan *plan, const uint8_t *image, int64_t y, int64_t left, uint8_t *copy) {
    const shrike_conv2d_q_params *p = plan->p;
    const int64_t tap = conv2d_q_group_in(p), taps = plan->unit_bytes / tap;
    memset(copy, p->src_zero, (size_t)plan->unit_bytes);
    if (y < 0 || y >= p->height) {
        return;
    }
    const uint8_t *row = image + y * p->src_row_stride;
    if (plan->together) {
        const int64_t first = left < 0 ? -left : 0, last = p->width - left < taps ? p->width - left : taps;
        if (first < last) {
            memcpy(copy + first * tap, row + (left + first) * tap, (size_t)((last - first) * tap));
        }
        return;
    }
    for (int64_t kx = 0; kx < taps; kx++, copy += tap) {
        int64_t x = left + kx * p->dilation_width;
        if (x >= 0 && x < p->width) {
            memcpy(copy, row + x * p->src_pixel_stride, (size_t)tap);
        }
    }
}

/* Where a unit's codes lie together and as many as are read belong to the row. */
static const uint8_t *unit_in_place(const plan *plan, const uint8_t *image, int64_t group, int64_t y, int64_t x) {
    const shrike_conv2d_q_params *p = plan->p;
    const int64_t taps = plan->taps ? 1 : p->kernel_width;
    const int64_t at = x * p->src_pixel_stride;
    if (!plan->direct || y < 0 || y >= p->height || x < 0 || x + taps > p->width ||
        at + group * conv2d_q_group_in(p) + plan->unit_read > plan->row_end) {
        return NULL;
    }
    return image + y * p->src_row_stride + at;
}

static int64_t point_anywhere(const plan *plan, const place *at, int64_t group, uint8_t *slot) {
    const shrike_conv2d_q_params *p = plan->p;
    const int64_t columns = plan->taps ? p->kernel_width : 1;
    uint8_t *copy = slot + plan->copies_at;
    segment *s = (segment *)slot;
    for (int64_t ky = 0; ky < p->kernel_height; ky++) {
        for (int64_t kx = 0; kx < columns; kx++, s++) {
            s->bytes = plan->unit_bytes;
            s->steps = plan->unit_read / CONV2D_Q_STEP;
            for (int i = 0; i < MR; i++) {
                int64_t y = at->top[i] + ky * p->dilation_height, x = at->left[i] + kx * p->dilation_width;
                s->pixel[i] = unit_in_place(plan, at->image[i], group, y, x);
                if (s->pixel[i]) {
                    continue;
                }
                if (plan->copies) {
                    copy_unit(plan, at->image[i], y, x, copy);
                    s->pixel[i] = copy;
                    copy += plan->unit_read;
                } else {
                    s->pixel[i] = slot + plan->zero_at;
                }
            }
        }
    }
    return s - (segment *)slot;
}

/* Takes weight zero points times the sum of a pixel's codes away; the rest of their share is in `start`. */
static __attribute__((noinline)) void take_weight_zeros(tile *t, const int32_t *zeros, int rows, int64_t columns) {
    for (int i = 0; i < rows; i++) {
        uint32_t sum = 0;
        for (int64_t s = 0; s < t->count; s++) {
            for (int64_t k = 0; k < t->segments[s].bytes; k++) {
                sum += t->segments[s].pixel[i][k];
            }
        }
        for (int64_t c = 0; c < columns; c++) {
            t->sums[i][c] = (int32_t)((uint32_t)t->sums[i][c] - (uint32_t)zeros[c] * sum);
        }
    }
}

/* The windows of a tile, from its segments to one place. */
static void copy_windows(const plan *plan, tile *t, uint8_t *slot) {
    uint8_t *to = slot + plan->windows_at;
    for (int i = 0; i < MR; i++) {
        t->window[i] = to;
        for (int64_t s = 0; s < t->count; s++) {
            const int64_t bytes = t->segments[s].steps * CONV2D_Q_STEP;
            memcpy(to, t->segments[s].pixel[i], (size_t)bytes);
            to += bytes;
        }
    }
}

/* Offsets of the vectors of panels in the image, from the codes and the unit before them. Returns where they are. */
static const int32_t *find_offsets(const plan *plan, uint8_t *slot, const int8_t *weights, int64_t panels) {
    const shrike_conv2d_q_params *p = plan->p;
    const conv2d_q_bundles_layout layout = conv2d_q_bundles_layout_of(p);
    const int64_t columns = plan->taps ? p->kernel_width : 1;
    int32_t *shifts = (int32_t *)(slot + plan->offsets_at), *to = shifts + plan->units;
    for (int64_t unit = 0; unit < plan->units; unit++) {
        shifts[unit] = (int32_t)(unit / columns * p->dilation_height * p->src_row_stride +
                                 unit % columns * p->dilation_width * p->src_pixel_stride - unit * plan->unit_read);
    }
    for (int64_t i = 0; i < 2 * panels; i++, to += plan->room) {
        const conv2d_q_bundles from = conv2d_q_bundles_of(&layout, weights + i / 2 * layout.panel, (int)(i % 2));
        int64_t count = 0;
        for (int size = 0; size < CONV2D_Q_BUNDLE; size++) {
            count += (size + 1) * (int64_t)from.counts[size];
        }
        for (int64_t j = 0; j < count; j++) {
            /* What does not fit belongs to windows that are wider than the image, which are copied. */
            to[j] = (int32_t)((uint32_t)from.codes[j] + (uint32_t)shifts[from.units[j]]);
        }
    }
    return shifts + plan->units;
}

/* Points a tile's windows at the image, with its offsets, or at copies, where offsets are the codes before a vector. */
static void point_windows(const plan *plan, tile *t, uint8_t *slot, const place *at, const int8_t *weights,
                          const int32_t *offsets) {
    t->offsets = conv2d_q_bundles_of(&t->layout, weights, 0).codes;
    t->offsets_pitch = t->layout.half / (int64_t)sizeof(int32_t);
    if (!at->inside || plan->far) {
        copy_windows(plan, t, slot);
        return;
    }
    memcpy(t->window, at->corner, sizeof t->window);
    if (plan->units > 1) {
        t->offsets = offsets;
        t->offsets_pitch = plan->room;
    }
}

/* weights: of panel `panel`, in bytes; offsets: of its vectors, in the bundled form. */
static void run_tile(const plan *plan, tile *t, uint8_t *slot, int64_t group, cursor pixel, int rows, int64_t panel,
                     int64_t until, const int8_t *weights, const int32_t *offsets) {
    const shrike_conv2d_q_params *p = plan->p;
    place at;
    if (pixel.x + rows <= p->out_width) {
        find_in_row(plan, group, pixel, rows, &at);
    } else {
        find_across_rows(plan, group, pixel, rows, &at);
    }
    if (!BUNDLES || !t->bundled || !at.inside || plan->far || plan->head->weight_zeros) {
        t->count = at.inside ? point_inside(plan, &at, (segment *)slot) : point_anywhere(plan, &at, group, slot);
    }
    if (BUNDLES && t->bundled) {
        point_windows(plan, t, slot, &at, weights, offsets);
    }
    const int64_t group_out = conv2d_q_group_out(p);
    conv2d_q_tile out = {t->sums[0], NP * CONV2D_Q_PANEL, rows, 0, 0, at.dst, at.residual};
    for (; panel < until; panel += NP, weights += NP * plan->panel_bytes, t->offsets += 2 * NP * t->offsets_pitch) {
        int panels = until - panel < NP ? (int)(until - panel) : NP;
        int64_t column = (group * plan->panels + panel) * CONV2D_Q_PANEL;
        int64_t channel = panel * CONV2D_Q_PANEL, left = group_out - channel;
        t->weights = weights;
        t->start = plan->start + column;
        multiply_tile(t, rows, panels);
        out.first = group * group_out + channel;
        out.count = left < panels * CONV2D_Q_PANEL ? left : panels * CONV2D_Q_PANEL;
        if (plan->head->weight_zeros) {
            take_weight_zeros(t, plan->zeros + column, rows, out.count);
        }
        plan->epilogue(p, &out);
    }
}

/* A task is a block of pixels times some panels of one group. */
static void run_task(const plan *plan, int64_t task, uint8_t *slot) {
    tile t;
    t.segments = (const segment *)slot;
    t.panel_bytes = plan->panel_bytes;
    t.run = plan->head->run;
    t.bundled = plan->head->bundled;
    t.layout = conv2d_q_bundles_layout_of(plan->p);
    t.offsets = NULL;
    t.offsets_pitch = 0;
    int64_t block = task / plan->panel_tasks % plan->blocks, group = task / plan->panel_tasks / plan->blocks;
    int64_t first = task % plan->panel_tasks * plan->panels_a_task;
    int64_t last = first + plan->panels_a_task < plan->panels ? first + plan->panels_a_task : plan->panels;
    int64_t stop = (block + 1) * plan->block < plan->pixels ? (block + 1) * plan->block : plan->pixels;
    const int halves = conv2d_q_halves(plan->p);
    for (int64_t panel = first; panel < last; panel += plan->panels_a_step) {
        int64_t until = panel + plan->panels_a_step < last ? panel + plan->panels_a_step : last;
        const uint8_t *stored = plan->weights + ((group * plan->panels + panel) * plan->panel_bytes >> halves);
        const int8_t *weights = (const int8_t *)stored;
        if (halves) {
            int8_t *unpacked = (int8_t *)slot + plan->weights_at;
            const int8_t *bases = plan->bases + (group * plan->panels + panel) * CONV2D_Q_STEP_BYTES;
            conv2d_q_unpack_halves(stored, bases, until - panel, plan->steps, unpacked);
            weights = unpacked;
        }
        const int32_t *offsets = NULL;
        if (BUNDLES && t.bundled && plan->units > 1 && !plan->far) {
            offsets = find_offsets(plan, slot, weights, until - panel);
        }
        cursor at = cursor_at(plan->p, block * plan->block);
        for (int64_t pixel = block * plan->block; pixel < stop; pixel += MR, move_on(plan->p, &at, MR)) {
            int64_t rows = stop - pixel < MR ? stop - pixel : MR;
            run_tile(plan, &t, slot, group, at, (int)rows, panel, until, weights, offsets);
        }
    }
}

/* One item a thread: its index is the thread's slot of the workspace, the tasks are shared out by a counter. */
static void run_slots(const void *argument, int64_t begin, int64_t end) {
    const plan *plan = argument;
    const int64_t tasks = plan->blocks * plan->panel_tasks * plan->p->groups;
    for (int64_t index = begin; index < end; index++) {
        uint8_t *slot = (uint8_t *)plan->p->workspace + index * plan->slot_bytes;
        memset(slot + plan->zero_at, plan->p->src_zero, (size_t)(plan->copies_at - plan->zero_at));
        for (;;) {
            int64_t task = atomic_fetch_add_explicit(plan->next, 1, memory_order_relaxed);
            if (task >= tasks) {
                break;
            }
            run_task(plan, task, slot);
        }
    }
}

/* Bytes of input that a task reads over and over, once for each step of panels. */
enum { BLOCK_BYTES = 128 * 1024 };

static void TIER(conv2d_q_igemm)(shrike_context *context, const shrike_conv2d_q_params *p, const uint8_t *packed) {
    atomic_llong next = 0;
    plan plan = {.p = p, .head = (const conv2d_q_head *)packed, .next = &next};
    lay_out_slot(&plan);
    if (plan.head->bundled) {
        plan.panel_bytes = conv2d_q_bundles_layout_of(p).panel;
    }
    const int64_t columns = columns_of(p), threads = shrike_context_threads(context);
    plan.epilogue = conv2d_q_epilogue_of(context, p);
    plan.start = (const int32_t *)(plan.head + 1);
    plan.zeros = plan.start + columns;
    const int32_t *shares = plan.zeros + columns;
    plan.bases = (const int8_t *)(shares + columns);
    if (p->src_dynamic) {
        plan.start = shift_starts(&plan, shares, threads);
    }
    plan.weights = (const uint8_t *)plan.bases + (conv2d_q_halves(p) ? CONV2D_Q_STEP * columns : 0);
    plan.pixels = (int64_t)p->batch * p->out_height * p->out_width;
    plan.together = p->src_pixel_stride == conv2d_q_group_in(p) && p->dilation_width == 1;
    plan.direct = plan.taps || plan.together;
    plan.unit_read = conv2d_q_round_up(plan.unit_bytes, CONV2D_Q_UNIT);
    plan.last_row = (p->kernel_height - 1) * (int64_t)p->dilation_height;
    plan.row_end = (p->width - 1) * p->src_pixel_stride + p->channels;
    plan.far = plan.last_row * p->src_row_stride + plan.row_end > INT32_MAX;
    int64_t pixels = BLOCK_BYTES / ((int64_t)p->stride_height * p->stride_width) / conv2d_q_group_in(p);
    int64_t block = conv2d_q_round_up(pixels + 1, MR);
    if (threads > 1) {
        int64_t share = conv2d_q_round_up((plan.pixels + 4 * threads - 1) / (4 * threads), MR);
        block = block < share ? block : share;
    }
    plan.block = block;
    plan.blocks = (plan.pixels + block - 1) / block;
    plan.panels_a_task = conv2d_q_round_up(plan.panels, NP);
    plan.panel_tasks = 1;
    while (plan.blocks * plan.panel_tasks * p->groups < 4 * threads && threads > 1 && plan.panels_a_task > 2 * NP) {
        plan.panels_a_task = conv2d_q_round_up((plan.panels_a_task + 1) / 2, NP);
        plan.panel_tasks = (plan.panels + plan.panels_a_task - 1) / plan.panels_a_task;
    }
    shrike_parallel(context, run_slots, &plan, threads, 1);
}
