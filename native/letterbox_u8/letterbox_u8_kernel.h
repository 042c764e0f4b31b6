/*
 * One pass from a frame to floats. Columns are taken in blocks, so that all that lies between stays in registers and
 * the nearest cache:
 *
 *   for each block of columns, for each row of dst
 *       for the one or two rows of the frame that it is made of, unless the row before had them
 *           collect the bytes of the one or two pixels that each column is made of; make them BGR
 *           h = (first * w0 + second * w1) >> 4                     (11 bits of fraction, 7 are left: 16 bits)
 *       byte = ((h0 * v0 >> 16) + (h1 * v1 >> 16) + 2) >> 2                   (cut off where OpenCV cuts off)
 *       dst = byte * scale
 *
 * A region that is exactly halved is read without offsets: its pixels lie side by side. Its blue, green and red are
 * parted first, which compilers make loads of three (NEON) or shuffles of.
 *
 * Pixels with a weight of zero are not read: frames of three times the size cost a ninth of their pixels. Sums stay in
 * int32: 239 * 1220542 + 127 * 2116026 + 2^19 < 2^30, 255 * 2048 >> 4 < 2^15, (2^15 - 1) * 2048 < 2^26.
 */
#ifndef SHRIKE_LETTERBOX_U8_KERNEL_H
#define SHRIKE_LETTERBOX_U8_KERNEL_H

#include <stddef.h>
#include <string.h>

#include "letterbox_u8.h"

enum {
    LETTERBOX_BLOCK = 256,
    LETTERBOX_STEP = 16,
    YUV_SHIFT = 20,
    YUV_Y = 1220542,
    YUV_BLUE_U = 2116026,
    YUV_GREEN_U = -409993,
    YUV_GREEN_V = -852492,
    YUV_RED_V = 1673527
};

/* Blue, green and red of a block of pixels. */
typedef struct letterbox_u8_pixels {
    uint8_t channel[3][LETTERBOX_BLOCK];
} letterbox_u8_pixels;

/* A row of the frame, resized along it; row is -1 where there is none. */
typedef struct letterbox_u8_line {
    int32_t row;
    int16_t level[3][LETTERBOX_BLOCK]; /* times 128, or the sum of two where the region is halved */
} letterbox_u8_line;

static inline uint8_t letterbox_u8_clamp(int32_t level) {
    level = level < 0 ? 0 : level;
    return (uint8_t)(level > 255 ? 255 : level);
}

/* Columns of a block that loops go over, `count` or some more whose values are never used: so they have no tail. */
static inline int letterbox_u8_padded(int32_t count) {
    return (int)((count + LETTERBOX_STEP - 1) & -LETTERBOX_STEP);
}

static inline void letterbox_u8_to_bgr(const uint8_t *restrict luma, const uint8_t *restrict u,
                                       const uint8_t *restrict v, int32_t count, letterbox_u8_pixels *restrict pixels) {
    const int padded = letterbox_u8_padded(count);
    for (int i = 0; i < padded; i++) {
        const int32_t above = (int32_t)luma[i] - 16, du = (int32_t)u[i] - 128, dv = (int32_t)v[i] - 128;
        const int32_t y = (above < 0 ? 0 : above) * YUV_Y + (1 << (YUV_SHIFT - 1));
        pixels->channel[0][i] = letterbox_u8_clamp((y + du * YUV_BLUE_U) >> YUV_SHIFT);
        pixels->channel[1][i] = letterbox_u8_clamp((y + du * YUV_GREEN_U + dv * YUV_GREEN_V) >> YUV_SHIFT);
        pixels->channel[2][i] = letterbox_u8_clamp((y + dv * YUV_RED_V) >> YUV_SHIFT);
    }
}

/* The first (0) or second (1) source pixels of `count` columns from x on, in a row of the frame. */
static inline void letterbox_u8_collect(const letterbox_u8_job *job, int32_t row, int which, int32_t x, int32_t count,
                                        letterbox_u8_pixels *pixels) {
    const int64_t stride = job->p->src_row_stride;
    const int32_t *at = job->luma[which] + x;
    const uint8_t *line = job->planes[0] + row * stride;
    if (job->kind == LETTERBOX_GREY) {
        for (int32_t i = 0; i < count; i++) {
            pixels->channel[0][i] = line[at[i]];
        }
    } else if (job->kind == LETTERBOX_PACKED) {
        for (int32_t i = 0; i < count; i++) {
            const uint8_t *pixel = line + at[i];
            pixels->channel[0][i] = pixel[0];
            pixels->channel[1][i] = pixel[1];
            pixels->channel[2][i] = pixel[2];
        }
    } else {
        uint8_t luma[LETTERBOX_BLOCK], u[LETTERBOX_BLOCK], v[LETTERBOX_BLOCK];
        const int32_t *half = job->chroma[which] + x;
        const int64_t chroma_row = (row >> job->row_shift) * job->chroma_stride;
        const uint8_t *line_u = job->planes[1] + chroma_row, *line_v = job->planes[2] + chroma_row;
        for (int32_t i = 0; i < count; i++) {
            luma[i] = line[at[i]];
            u[i] = line_u[half[i]];
            v[i] = line_v[half[i]];
        }
        for (int32_t i = count; i < letterbox_u8_padded(count); i++) {
            luma[i] = u[i] = v[i] = 0;
        }
        letterbox_u8_to_bgr(luma, u, v, count, pixels);
    }
}

/* A block of columns: offsets of the first pixel of each and columns; in its padding the last offset and 0. */
typedef struct letterbox_u8_columns {
    int32_t luma[LETTERBOX_BLOCK], chroma[LETTERBOX_BLOCK];
    int32_t first[LETTERBOX_BLOCK], second[LETTERBOX_BLOCK];
    int32_t pair[LETTERBOX_BLOCK]; /* first in the low half, second in the high half */
    int both; /* whether any second one is not 0 */
} letterbox_u8_columns;

/*
 * A tier may have quicker ways for rows that it can read in its own way: then it defines LETTERBOX_U8_OWN_RESIZE and
 * these functions, which answer whether they have filled the line, and inner columns x.. of inner row y of dst.
 */
#if defined(LETTERBOX_U8_OWN_RESIZE)
static int letterbox_u8_own_resize(const letterbox_u8_job *job, int32_t row, int32_t count,
                                   const letterbox_u8_columns *columns, letterbox_u8_line *line);
static int letterbox_u8_own_row(const letterbox_u8_job *job, int32_t x, int32_t count, int32_t y);
#else
static inline int letterbox_u8_own_row(const letterbox_u8_job *job, int32_t x, int32_t count, int32_t y) {
    (void)job, (void)x, (void)count, (void)y;
    return 0;
}

static inline int letterbox_u8_own_resize(const letterbox_u8_job *job, int32_t row, int32_t count,
                                          const letterbox_u8_columns *columns, letterbox_u8_line *line) {
    (void)job, (void)row, (void)count, (void)columns, (void)line;
    return 0;
}
#endif

/* Sums of two pixels side by side, from the first one on. */
static inline void letterbox_u8_halve(const uint8_t *restrict pixels, letterbox_u8_kind kind, int32_t count,
                                      letterbox_u8_line *restrict line) {
    if (kind == LETTERBOX_GREY) {
        for (int32_t i = 0; i < count; i++) {
            line->level[0][i] = (int16_t)(pixels[2 * i] + pixels[2 * i + 1]);
        }
        return;
    }
    uint8_t channel[3][2 * LETTERBOX_BLOCK];
    for (int32_t i = 0; i < 2 * count; i++) {
        channel[0][i] = pixels[3 * i];
        channel[1][i] = pixels[3 * i + 1];
        channel[2][i] = pixels[3 * i + 2];
    }
    for (int c = 0; c < 3; c++) {
        for (int32_t i = 0; i < count; i++) {
            line->level[c][i] = (int16_t)(channel[c][2 * i] + channel[c][2 * i + 1]);
        }
    }
}

static inline void letterbox_u8_resize(const letterbox_u8_job *job, int32_t row, int32_t x, int32_t count,
                                       const letterbox_u8_columns *restrict columns, letterbox_u8_line *restrict line) {
    if (job->halves && job->kind != LETTERBOX_YUV) {
        letterbox_u8_halve(job->planes[0] + row * job->p->src_row_stride + job->luma[0][x], job->kind, count, line);
        return;
    }
    letterbox_u8_pixels first, second;
    const int channels = job->kind == LETTERBOX_GREY ? 1 : 3, padded = letterbox_u8_padded(count);
    letterbox_u8_collect(job, row, 0, x, count, &first);
    const int shift = job->halves ? 0 : 4;
    if (!columns->both) {
        for (int c = 0; c < channels; c++) {
            for (int i = 0; i < padded; i++) {
                line->level[c][i] = (int16_t)(first.channel[c][i] * columns->first[i] >> shift);
            }
        }
        return;
    }
    letterbox_u8_collect(job, row, 1, x, count, &second);
    for (int c = 0; c < channels; c++) {
        for (int i = 0; i < padded; i++) {
            const int32_t sum = first.channel[c][i] * columns->first[i] + second.channel[c][i] * columns->second[i];
            line->level[c][i] = (int16_t)(sum >> shift);
        }
    }
}

/* A line of that row: one of the two that are there, or else made in the place of the one that is not `kept`. */
static inline letterbox_u8_line *letterbox_u8_line_of(const letterbox_u8_job *job, letterbox_u8_line *lines,
                                                      const letterbox_u8_line *kept, int32_t row, int32_t x,
                                                      int32_t count, const letterbox_u8_columns *columns) {
    for (int i = 0; i < 2; i++) {
        if (lines[i].row == row) {
            return &lines[i];
        }
    }
    letterbox_u8_line *line = kept == &lines[0] ? &lines[1] : &lines[0];
    line->row = row;
    if (!letterbox_u8_own_resize(job, row, count, columns, line)) {
        letterbox_u8_resize(job, row, x, count, columns, line);
    }
    return line;
}

static inline void letterbox_u8_mix(const letterbox_u8_job *job, int32_t y, const int16_t *restrict upper,
                                    const int16_t *restrict lower, int32_t count, float *restrict values) {
    const int16_t v0 = (int16_t)job->row_weight[0][y], v1 = (int16_t)job->row_weight[1][y];
    const int padded = letterbox_u8_padded(count);
    const float scale = job->p->scale;
    if (job->halves) {
        for (int i = 0; i < padded; i++) {
            values[i] = (float)((upper[i] + lower[i] + 2) >> 2) * scale;
        }
    } else if (v1 == 0) {
        for (int i = 0; i < padded; i++) {
            const int16_t high = (int16_t)(upper[i] * v0 >> 16);
            values[i] = (float)((high + 2) >> 2) * scale;
        }
    } else {
        for (int i = 0; i < padded; i++) {
            const int16_t high = (int16_t)(upper[i] * v0 >> 16), low = (int16_t)(lower[i] * v1 >> 16);
            values[i] = (float)((high + low + 2) >> 2) * scale;
        }
    }
}

static inline void letterbox_u8_store(const float *restrict values, float *restrict dst, int64_t stride,
                                      int32_t count) {
    if (stride == 1) {
        memcpy(dst, values, (size_t)count * sizeof *dst);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        dst[i * stride] = values[i];
    }
}

/* Three channels side by side. */
static inline void letterbox_u8_interleave(const float *restrict a, const float *restrict b, const float *restrict c,
                                           float *restrict dst, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        dst[3 * i] = a[i];
        dst[3 * i + 1] = b[i];
        dst[3 * i + 2] = c[i];
    }
}

static inline void letterbox_u8_take_columns(const letterbox_u8_job *job, int32_t x, int32_t count,
                                             letterbox_u8_columns *columns) {
    columns->both = 0;
    for (int32_t i = 0; i < letterbox_u8_padded(count); i++) {
        const int32_t from = x + (i < count ? i : count - 1);
        columns->luma[i] = job->luma[0][from];
        columns->chroma[i] = job->chroma[0][from];
        columns->first[i] = i < count ? job->column_weight[0][from] : 0;
        columns->second[i] = i < count ? job->column_weight[1][from] : 0;
        columns->pair[i] = columns->first[i] | columns->second[i] * 65536;
        columns->both |= columns->second[i] != 0;
    }
}

/* Inner columns x.. of the inner rows begin..end-1. */
static inline void letterbox_u8_block(const letterbox_u8_job *job, int32_t x, int32_t count, int32_t begin,
                                      int32_t end) {
    const shrike_letterbox_u8_f32_params *p = job->p;
    letterbox_u8_line lines[2];
    lines[0].row = lines[1].row = -1;
    letterbox_u8_columns columns;
    letterbox_u8_take_columns(job, x, count, &columns);
    for (int32_t y = begin; y < end; y++) {
        if (letterbox_u8_own_row(job, x, count, y)) {
            continue;
        }
        const letterbox_u8_line *upper = letterbox_u8_line_of(job, lines, NULL, job->row[0][y], x, count, &columns);
        const letterbox_u8_line *lower = upper;
        if (job->row_weight[1][y] != 0) {
            lower = letterbox_u8_line_of(job, lines, upper, job->row[1][y], x, count, &columns);
        }
        const int64_t at = (p->top + y) * p->dst_row_stride + (p->left + x) * p->dst_pixel_stride;
        float values[3][LETTERBOX_BLOCK];
        const float *channel[3] = {values[0], values[1], values[2]};
        for (int c = 0; c < 3; c++) {
            if (c == 0 || job->kind != LETTERBOX_GREY) {
                letterbox_u8_mix(job, y, upper->level[c], lower->level[c], count, values[c]);
            } else {
                channel[c] = values[0];
            }
        }
        if (p->dst_pixel_stride == 3 && p->dst_channel_stride == 1) {
            const int blue_first = job->channel[0] < job->channel[2];
            letterbox_u8_interleave(channel[blue_first ? 0 : 2], channel[1], channel[blue_first ? 2 : 0],
                                    (blue_first ? job->channel[0] : job->channel[2]) + at, count);
        } else {
            for (int c = 0; c < 3; c++) {
                letterbox_u8_store(channel[c], job->channel[c] + at, p->dst_pixel_stride, count);
            }
        }
    }
}

/* Columns from..to-1 of a row of dst, around the image. */
static inline void letterbox_u8_fill(const letterbox_u8_job *job, int64_t y, int32_t from, int32_t to) {
    const shrike_letterbox_u8_f32_params *p = job->p;
    const float fill = p->fill;
    for (int c = 0; c < 3; c++) {
        float *dst = job->channel[c] + y * p->dst_row_stride;
        if (p->dst_pixel_stride == 1) {
            for (int32_t x = from; x < to; x++) {
                dst[x] = fill;
            }
        } else {
            for (int64_t x = from; x < to; x++) {
                dst[x * p->dst_pixel_stride] = fill;
            }
        }
    }
}

#define LETTERBOX_U8_ROWS(tier)                                                                                        \
    void letterbox_u8_rows_##tier(const letterbox_u8_job *job, int64_t begin, int64_t end) {                           \
        const shrike_letterbox_u8_f32_params *p = job->p;                                                              \
        const int64_t first = begin > p->top ? begin : p->top;                                                         \
        const int64_t last = end < p->top + p->inner_height ? end : p->top + p->inner_height;                          \
        for (int64_t y = begin; y < end; y++) {                                                                        \
            const int inside = y >= p->top && y < p->top + p->inner_height;                                            \
            letterbox_u8_fill(job, y, 0, inside ? p->left : p->out_width);                                             \
            letterbox_u8_fill(job, y, inside ? p->left + p->inner_width : p->out_width, p->out_width);                 \
        }                                                                                                              \
        for (int32_t x = 0; first < last && x < p->inner_width; x += LETTERBOX_BLOCK) {                                \
            const int32_t rest = p->inner_width - x;                                                                   \
            letterbox_u8_block(job, x, rest < LETTERBOX_BLOCK ? rest : LETTERBOX_BLOCK, (int32_t)(first - p->top),     \
                               (int32_t)(last - p->top));                                                              \
        }                                                                                                              \
    }

#endif
