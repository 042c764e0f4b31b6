/*
 * Frames to floats with AVX2. The two pixels of a column are neighbours, or else the second one weighs nothing: so one
 * or two gathers of 32 bits bring what eight columns are made of in one row.
 *
 *   for each eight columns
 *       words = gather(row + offset)                    both pixels, or one and what follows
 *       first, second = bytes of the words, as BGR
 *       h = madd((first, second), (w0, w1)) >> 4
 *
 * Where the region is exactly halved, columns lie side by side, and a gather is a load:
 *
 *   BGR to BGR, for each four columns
 *       rows = two columns in each half of a vector             12 bytes of 16
 *       sums = maddubs(shuffle(rows, B B G G R R of each), 1)   6 numbers of 8
 *       dst = (sums of both rows + 2 >> 2) * scale              stores overlap, from left to right
 *
 * A gather reads up to 8 bytes from the offset of a column on. Rows where that could go beyond the frame, which are the
 * last ones of each plane, are left to the portable way.
 */
#include <immintrin.h>

#define LETTERBOX_U8_OWN_RESIZE
#include "letterbox_u8_kernel.h"

/* Bytes that are read from the offset of a column on, at most. */
enum { REACH = 8 };

static inline int32_t word_at(const uint8_t *at) {
    int32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* By single loads: gather instructions are several times slower on processors whose microcode guards them. */
static inline __m256i gather(const uint8_t *line, const int32_t *at) {
    return _mm256_setr_epi32(word_at(line + at[0]), word_at(line + at[1]), word_at(line + at[2]), word_at(line + at[3]),
                             word_at(line + at[4]), word_at(line + at[5]), word_at(line + at[6]),
                             word_at(line + at[7]));
}

/*
 * The same where `step` bytes, 1, 2 or 4, lie between columns, whose offsets begin with the first one. Reads 24 bytes
 * or less for 1 and 2, and 32 for 4.
 */
static inline __m256i load_columns(const uint8_t *at, int step) {
    if (step == 4) {
        return _mm256_loadu_si256((const __m256i *)(const void *)at);
    }
    if (step == 2) {
        const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)at));
        const __m256i next = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(at + 2)));
        return _mm256_or_si256(words, _mm256_slli_epi32(next, 16));
    }
    const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)at));
    const __m256i next = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(at + 1)));
    return _mm256_or_si256(bytes, _mm256_slli_epi32(next, 8));
}

static inline __attribute__((always_inline)) __m256i words_of(const uint8_t *line, const int32_t *at, int step,
                                                              int halves) {
    return halves ? load_columns(line + at[0], step) : gather(line, at);
}

static inline __m256i byte_of(__m256i words, int shift) {
    return _mm256_and_si256(_mm256_srl_epi32(words, _mm_cvtsi32_si128(shift)), _mm256_set1_epi32(255));
}

/* first * w0 + second * w1, in eight columns, as eight 16-bit numbers. */
static inline void put(int16_t *to, __m256i first, __m256i second, __m256i pair, __m128i shift) {
    const __m256i both = _mm256_or_si256(first, _mm256_slli_epi32(second, 16));
    const __m256i sum = _mm256_sra_epi32(_mm256_madd_epi16(both, pair), shift);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(sum, sum), 0x08);
    _mm_storeu_si128((__m128i *)(void *)to, _mm256_castsi256_si128(packed));
}

typedef struct bgr {
    __m256i blue, green, red;
} bgr;

static inline __m256i level(__m256i scaled) {
    const __m256i above = _mm256_max_epi32(_mm256_srai_epi32(scaled, YUV_SHIFT), _mm256_setzero_si256());
    return _mm256_min_epi32(above, _mm256_set1_epi32(255));
}

static inline bgr to_bgr(__m256i luma, __m256i u, __m256i v) {
    const __m256i above = _mm256_max_epi32(_mm256_sub_epi32(luma, _mm256_set1_epi32(16)), _mm256_setzero_si256());
    const __m256i y =
        _mm256_add_epi32(_mm256_mullo_epi32(above, _mm256_set1_epi32(YUV_Y)), _mm256_set1_epi32(1 << (YUV_SHIFT - 1)));
    const __m256i du = _mm256_sub_epi32(u, _mm256_set1_epi32(128)), dv = _mm256_sub_epi32(v, _mm256_set1_epi32(128));
    const __m256i green = _mm256_add_epi32(_mm256_mullo_epi32(du, _mm256_set1_epi32(YUV_GREEN_U)),
                                           _mm256_mullo_epi32(dv, _mm256_set1_epi32(YUV_GREEN_V)));
    return (bgr){level(_mm256_add_epi32(y, _mm256_mullo_epi32(du, _mm256_set1_epi32(YUV_BLUE_U)))),
                 level(_mm256_add_epi32(y, green)),
                 level(_mm256_add_epi32(y, _mm256_mullo_epi32(dv, _mm256_set1_epi32(YUV_RED_V))))};
}

/* U and V of the pixels at the offsets, and of those half a pair later. */
typedef struct chroma {
    __m256i u, v, next_u, next_v;
} chroma;

static inline __attribute__((always_inline)) chroma chroma_of(const letterbox_u8_job *job, const uint8_t *line_u,
                                                              const uint8_t *line_v, const int32_t *at, int halves) {
    const __m256i words = words_of(line_u, at, job->chroma_step, halves);
    if (job->chroma_step == 2) { /* U V U V */
        return (chroma){byte_of(words, 0), byte_of(words, 8), byte_of(words, 16), byte_of(words, 24)};
    }
    if (job->chroma_step == 4) { /* U Y V Y */
        const __m256i next = words_of(line_u + 4, at, 4, halves);
        return (chroma){byte_of(words, 0), byte_of(words, 16), byte_of(next, 0), byte_of(next, 16)};
    }
    const __m256i words_v = words_of(line_v, at, 1, halves);
    return (chroma){byte_of(words, 0), byte_of(words_v, 0), byte_of(words, 8), byte_of(words_v, 8)};
}

static inline __attribute__((always_inline)) void resize_yuv(const letterbox_u8_job *job, const uint8_t *line,
                                                             const uint8_t *line_u, const uint8_t *line_v,
                                                             int32_t padded, const letterbox_u8_columns *columns,
                                                             int halves, letterbox_u8_line *to) {
    const __m128i shift = _mm_cvtsi32_si128(halves ? 0 : 4);
    const int step = job->luma_step;
    for (int32_t i = 0; i < padded; i += 8) {
        const int32_t *at = columns->luma + i;
        const __m256i pair = _mm256_loadu_si256((const __m256i *)(const void *)(columns->pair + i));
        const __m256i words = words_of(line, at, 2 * step, halves);
        const chroma c = chroma_of(job, line_u, line_v, columns->chroma + i, halves);
        const bgr first = to_bgr(byte_of(words, 0), c.u, c.v);
        bgr second = first;
        if (columns->both) {
            /* The second pixel of an even one has the same chrominance, that of an odd one the next. */
            const __m256i offsets = _mm256_loadu_si256((const __m256i *)(const void *)at);
            const __m256i odd = _mm256_slli_epi32(offsets, step == 1 ? 31 : 30);
            const __m256 mask = _mm256_castsi256_ps(odd);
            const __m256i u =
                _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(c.u), _mm256_castsi256_ps(c.next_u), mask));
            const __m256i v =
                _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(c.v), _mm256_castsi256_ps(c.next_v), mask));
            second = to_bgr(byte_of(words, 8 * step), u, v);
        }
        put(to->level[0] + i, first.blue, second.blue, pair, shift);
        put(to->level[1] + i, first.green, second.green, pair, shift);
        put(to->level[2] + i, first.red, second.red, pair, shift);
    }
}

static inline void resize_packed(const letterbox_u8_job *job, const uint8_t *line, int32_t padded,
                                 const letterbox_u8_columns *columns, letterbox_u8_line *to) {
    const __m128i shift = _mm_cvtsi32_si128(job->halves ? 0 : 4);
    for (int32_t i = 0; i < padded; i += 8) {
        const int32_t *at = columns->luma + i;
        const __m256i pair = _mm256_loadu_si256((const __m256i *)(const void *)(columns->pair + i));
        const __m256i first = gather(line, at), second = columns->both ? gather(line + 3, at) : first;
        for (int c = 0; c < 3; c++) {
            put(to->level[c] + i, byte_of(first, 8 * c), byte_of(second, 8 * c), pair, shift);
        }
    }
}

static inline void resize_grey(const letterbox_u8_job *job, const uint8_t *line, int32_t padded,
                               const letterbox_u8_columns *columns, letterbox_u8_line *to) {
    const __m128i shift = _mm_cvtsi32_si128(job->halves ? 0 : 4);
    for (int32_t i = 0; i < padded; i += 8) {
        const int32_t *at = columns->luma + i;
        const __m256i pair = _mm256_loadu_si256((const __m256i *)(const void *)(columns->pair + i));
        const __m256i words = gather(line, at);
        put(to->level[0] + i, byte_of(words, 0), byte_of(words, 8), pair, shift);
    }
}

/* Bytes from the offset of the last column on that may be read for `padded` columns. */
static inline int64_t reach(const letterbox_u8_job *job, int32_t count, int32_t padded, int32_t step) {
    return job->halves ? (int64_t)(padded - count) * step + 2 * REACH : REACH;
}

static int letterbox_u8_own_resize(const letterbox_u8_job *job, int32_t row, int32_t count,
                                   const letterbox_u8_columns *columns, letterbox_u8_line *line) {
    const int32_t padded = letterbox_u8_padded(count);
    const int32_t last = columns->luma[count - 1], last_half = columns->chroma[count - 1];
    const uint8_t *pixels = job->planes[0] + row * job->p->src_row_stride;
    const int64_t chroma_row = (row >> job->row_shift) * job->chroma_stride;
    const uint8_t *u = job->planes[1] + chroma_row, *v = job->planes[2] + chroma_row;
    if (job->kind != LETTERBOX_YUV) {
        if (job->halves || job->end - pixels < last + REACH) {
            return 0;
        }
        (job->kind == LETTERBOX_GREY ? resize_grey : resize_packed)(job, pixels, padded, columns, line);
        return 1;
    }
    if (job->end - pixels < last + reach(job, count, padded, 2 * job->luma_step) ||
        job->end - u < last_half + reach(job, count, padded, job->chroma_step) ||
        job->end - v < last_half + reach(job, count, padded, job->chroma_step)) {
        return 0;
    }
    if (job->halves) {
        resize_yuv(job, pixels, u, v, padded, columns, 1, line);
    } else {
        resize_yuv(job, pixels, u, v, padded, columns, 0, line);
    }
    return 1;
}

/* Two columns in each half: those at `at`, and those two columns later. */
static inline __m256i four_columns(const uint8_t *at) {
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)at);
    const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(at + 12));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

static inline void put_floats(float *to, __m128i means, __m256 scale) {
    _mm256_storeu_ps(to, _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(means)), scale));
}

/* Pixels whose channels lie side by side in both the frame and dst, exactly halved. */
static int letterbox_u8_own_row(const letterbox_u8_job *job, int32_t x, int32_t count, int32_t y) {
    const shrike_letterbox_u8_f32_params *p = job->p;
    if (!job->halves || job->kind != LETTERBOX_PACKED || p->dst_pixel_stride != 3 || p->dst_channel_stride != 1) {
        return 0;
    }
    const uint8_t *upper = job->planes[0] + job->row[0][y] * p->src_row_stride + job->luma[0][x];
    const uint8_t *lower = job->planes[0] + job->row[1][y] * p->src_row_stride + job->luma[0][x];
    const int swap = job->channel[0] > job->channel[2];
    float *dst =
        (swap ? job->channel[2] : job->channel[0]) + (p->top + y) * p->dst_row_stride + 3 * (int64_t)(p->left + x);
    const __m128i straight = _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1);
    const __m128i swapped = _mm_setr_epi8(2, 5, 1, 4, 0, 3, 8, 11, 7, 10, 6, 9, -1, -1, -1, -1);
    const __m256i order = _mm256_broadcastsi128_si256(swap ? swapped : straight);
    const __m256i ones = _mm256_set1_epi8(1), two = _mm256_set1_epi16(2);
    const __m256 scale = _mm256_set1_ps(p->scale);
    int32_t i = 0;
    for (; i + 5 <= count; i += 4) { /* four, and the beginning of a fifth that loads and stores reach into */
        const __m256i above = _mm256_maddubs_epi16(_mm256_shuffle_epi8(four_columns(upper + 6 * i), order), ones);
        const __m256i below = _mm256_maddubs_epi16(_mm256_shuffle_epi8(four_columns(lower + 6 * i), order), ones);
        const __m256i means = _mm256_srli_epi16(_mm256_add_epi16(_mm256_add_epi16(above, below), two), 2);
        put_floats(dst + 3 * i, _mm256_castsi256_si128(means), scale);
        put_floats(dst + 3 * i + 6, _mm256_extracti128_si256(means, 1), scale);
    }
    for (; i < count; i++) {
        for (int c = 0; c < 3; c++) {
            const int at = 6 * i + (swap ? 2 - c : c);
            const int sum = upper[at] + upper[at + 3] + lower[at] + lower[at + 3];
            dst[3 * i + c] = (float)((sum + 2) >> 2) * p->scale;
        }
    }
    return 1;
}

LETTERBOX_U8_ROWS(x86_avx2)
