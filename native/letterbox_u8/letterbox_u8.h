/*
 * Frames of cameras as inputs of networks: what the checks and tables of letterbox_u8.c hand to the loops of
 * letterbox_u8_kernel.h, which are compiled once for each tier.
 */
#ifndef SHRIKE_LETTERBOX_U8_H
#define SHRIKE_LETTERBOX_U8_H

#include "shrike.h"

/* How the three bytes of a pixel are found. */
typedef enum letterbox_u8_kind {
    LETTERBOX_PACKED, /* side by side */
    LETTERBOX_GREY, /* one for all three */
    LETTERBOX_YUV
} letterbox_u8_kind;

typedef struct letterbox_u8_job {
    const shrike_letterbox_u8_f32_params *p;
    letterbox_u8_kind kind;
    /* Luminance, or the pixels; U; V: where the region's first row begins, less what the offsets below add. */
    const uint8_t *planes[3];
    int64_t chroma_stride;
    int32_t row_shift; /* 1 if two rows share one of chrominance */
    /* For each inner column its two source columns, as offsets into a row, and their weights. */
    const int32_t *luma[2], *chroma[2], *column_weight[2];
    /* For each inner row its two rows of the frame and their weights. */
    const int32_t *row[2], *row_weight[2];
    int32_t halves; /* whether the region is exactly halved: then OpenCV takes the mean of four pixels */
    float *channel[3]; /* of dst: blue, green, red */
} letterbox_u8_job;

/* Writes rows begin..end-1 of dst. */
typedef void letterbox_u8_rows(const letterbox_u8_job *job, int64_t begin, int64_t end);

void letterbox_u8_rows_portable(const letterbox_u8_job *job, int64_t begin, int64_t end);
void letterbox_u8_rows_x86_avx2(const letterbox_u8_job *job, int64_t begin, int64_t end);

#endif
