/*
 * Frames of cameras as inputs of networks: checks, tables and the choice of the tier.
 */
#include <math.h>
#include <stddef.h>

#include "core/check.h"
#include "core/context.h"
#include "core/cpu.h"
#include "letterbox_u8.h"

/* ONE: weights have 11 bits. TASK: floats that a thread takes at a time. */
enum { ONE = 2048, TASK = 32768 };

typedef struct call {
    const letterbox_u8_job *job;
    letterbox_u8_rows *rows;
} call;

static letterbox_u8_rows *rows_of(const shrike_context *context) {
#if defined(__x86_64__)
    if (shrike_context_has(context, SHRIKE_TIER_AVX2)) {
        return letterbox_u8_rows_x86_avx2;
    }
#endif
    (void)context;
    return letterbox_u8_rows_portable;
}

static int64_t half(int64_t size) {
    return (size + 1) / 2;
}

/* Where the samples of a frame lie; steps from one sample of a row to the next. */
typedef struct layout {
    letterbox_u8_kind kind;
    int64_t plane[3], row_bytes, bytes, chroma_stride;
    int32_t luma_step, chroma_step, row_shift;
} layout;

static layout layout_of(const shrike_letterbox_u8_f32_params *p) {
    const int64_t stride = p->src_row_stride, plane = stride * p->height, pairs = half(p->width);
    layout l = {.kind = LETTERBOX_YUV, .chroma_stride = stride, .chroma_step = 4, .luma_step = 2};
    switch (p->format) {
    case SHRIKE_PIXELS_BGR:
    case SHRIKE_PIXELS_RGB:
        l.kind = LETTERBOX_PACKED;
        l.luma_step = 3;
        l.row_bytes = 3 * (int64_t)p->width;
        break;
    case SHRIKE_PIXELS_GREY:
        l.kind = LETTERBOX_GREY;
        l.luma_step = 1;
        l.row_bytes = p->width;
        break;
    case SHRIKE_PIXELS_YUYV:
        l.plane[1] = 1;
        l.plane[2] = 3;
        l.row_bytes = 4 * pairs;
        break;
    case SHRIKE_PIXELS_UYVY:
        l.plane[0] = 1;
        l.plane[2] = 2;
        l.row_bytes = 4 * pairs;
        break;
    case SHRIKE_PIXELS_NV12:
        l.plane[1] = plane;
        l.plane[2] = plane + 1;
        l.luma_step = l.row_shift = 1;
        l.chroma_step = 2;
        l.row_bytes = 2 * pairs;
        break;
    default: /* I420 */
        l.chroma_stride = half(stride);
        l.plane[1] = plane;
        l.plane[2] = plane + l.chroma_stride * half(p->height);
        l.luma_step = l.chroma_step = l.row_shift = 1;
        l.row_bytes = p->width;
    }
    l.bytes = stride * (p->height - 1) + l.row_bytes;
    if (p->format == SHRIKE_PIXELS_NV12) {
        l.bytes += stride * half(p->height);
    } else if (p->format == SHRIKE_PIXELS_I420) {
        l.bytes = l.plane[2] + l.chroma_stride * (half(p->height) - 1) + pairs;
    }
    return l;
}

/* Whether a part lies in a whole that has a sound size. */
static int sound_part(int32_t start, int32_t size, int32_t whole) {
    return shrike_check_size(whole) && shrike_check_size(size) && start >= 0 && start <= whole - size;
}

static int validate(const shrike_letterbox_u8_f32_params *p) {
    if (!sound_part(p->region_left, p->region_width, p->width) ||
        !sound_part(p->region_top, p->region_height, p->height) || !sound_part(p->left, p->inner_width, p->out_width) ||
        !sound_part(p->top, p->inner_height, p->out_height) || p->format < 0 || p->format >= SHRIKE_PIXELS_COUNT ||
        p->red_first < 0 || p->red_first > 1 || p->src_row_stride < 0 || p->src_row_stride > INT32_MAX) {
        return 0;
    }
    const layout l = layout_of(p);
    const int64_t dims[] = {3, p->out_height, p->out_width};
    const int64_t strides[] = {p->dst_channel_stride, p->dst_row_stride, p->dst_pixel_stride};
    return p->src_row_stride >= l.row_bytes && shrike_check_bounds(p->src, p->src_bounds, 1, 0, l.bytes - 1) &&
           shrike_check_destination(p->dst, p->dst_bounds, (int64_t)sizeof *p->dst, 3, dims, strides) &&
           SHRIKE_CHECK_ELEMENTS(p, workspace, 6 * (int64_t)p->inner_width + 4 * (int64_t)p->inner_height);
}

typedef struct source {
    int32_t first, second, weight_first, weight_second;
} source;

static int32_t within(int64_t index, int32_t size) {
    return (int32_t)(index < 0 ? 0 : index >= size ? size - 1 : index);
}

/* Where pixel `index` of `to` lies in `from` pixels; at an edge columns count whole, rows are repeated. */
static source source_of(int32_t index, int32_t from, int32_t to, int edge_counts_whole) {
    const double scale = 1 / ((double)to / from);
    const float position = (float)((index + 0.5) * scale - 0.5);
    const float lower = floorf(position);
    const int64_t first = (int64_t)lower;
    const int whole = edge_counts_whole && (first < 0 || first >= from - 1);
    const float fraction = whole ? 0 : position - lower;
    return (source){within(first, from), within(first + 1, from), (int32_t)rintf((1 - fraction) * ONE),
                    (int32_t)rintf(fraction * ONE)};
}

static source half_of(int32_t index) {
    return (source){2 * index, 2 * index + 1, 1, 1};
}

/* Fills the workspace, and the job with what it points to. */
static void make_tables(letterbox_u8_job *job, const layout *l) {
    const shrike_letterbox_u8_f32_params *p = job->p;
    int32_t *columns[6], *rows[4];
    for (int i = 0; i < 6; i++) {
        columns[i] = p->workspace + i * (int64_t)p->inner_width;
    }
    for (int i = 0; i < 4; i++) {
        rows[i] = p->workspace + 6 * (int64_t)p->inner_width + i * (int64_t)p->inner_height;
    }
    for (int32_t x = 0; x < p->inner_width; x++) {
        const source s = job->halves ? half_of(x) : source_of(x, p->region_width, p->inner_width, 1);
        const int32_t first = p->region_left + s.first, second = p->region_left + s.second;
        columns[0][x] = first * l->luma_step;
        columns[1][x] = second * l->luma_step;
        columns[2][x] = (first >> 1) * l->chroma_step;
        columns[3][x] = (second >> 1) * l->chroma_step;
        columns[4][x] = s.weight_first;
        columns[5][x] = s.weight_second;
    }
    for (int32_t y = 0; y < p->inner_height; y++) {
        const source s = job->halves ? half_of(y) : source_of(y, p->region_height, p->inner_height, 0);
        rows[0][y] = p->region_top + s.first;
        rows[1][y] = p->region_top + s.second;
        rows[2][y] = s.weight_first;
        rows[3][y] = s.weight_second;
    }
    for (int i = 0; i < 2; i++) {
        job->luma[i] = columns[i];
        job->chroma[i] = columns[2 + i];
        job->column_weight[i] = columns[4 + i];
        job->row[i] = rows[i];
        job->row_weight[i] = rows[2 + i];
    }
}

static void run_rows(const void *argument, int64_t begin, int64_t end) {
    const call *c = argument;
    c->rows(c->job, begin, end);
}

int32_t shrike_letterbox_u8_f32(shrike_context *context, const shrike_letterbox_u8_f32_params *p) {
    if (!p || !validate(p)) {
        return SHRIKE_EINVAL;
    }
    int32_t status = shrike_context_enter(context);
    if (status) {
        return status;
    }
    const layout l = layout_of(p);
    letterbox_u8_job job = {.p = p,
                            .kind = l.kind,
                            .end = p->src + l.bytes,
                            .chroma_stride = l.chroma_stride,
                            .luma_step = l.luma_step,
                            .chroma_step = l.chroma_step,
                            .row_shift = l.row_shift};
    job.halves = p->region_width == 2 * (int64_t)p->inner_width && p->region_height == 2 * (int64_t)p->inner_height;
    make_tables(&job, &l);
    /* What the kernel calls blue is the first byte of a pixel, which of RGB is red. */
    const int first_is_red = p->format == SHRIKE_PIXELS_RGB;
    for (int i = 0; i < 3; i++) {
        const int channel = p->red_first != first_is_red ? 2 - i : i;
        job.planes[i] = p->src + l.plane[i];
        job.channel[i] = p->dst + channel * p->dst_channel_stride;
    }
    const call c = {&job, rows_of(context)};
    shrike_parallel(context, run_rows, &c, p->out_height, shrike_grain(3 * (int64_t)p->out_width, TASK));
    shrike_context_leave(context);
    return SHRIKE_OK;
}
