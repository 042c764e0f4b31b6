/*
 * Frames to floats with AVX2. The two pixels of a column are neighbours, or else the second one weighs nothing: so one
 * or two gathers of 32 bits bring what eight columns are made of in one row.
 *
 *   for each eight columns
 *       words = gather(row + offset)                    both pixels, or one and what follows
 *       first, second = bytes of the words, as BGR
 *       h = madd((first, second), (w0, w1)) >> 4
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

static inline chroma chroma_of(const letterbox_u8_job *job, const uint8_t *line_u, const uint8_t *line_v,
                               const int32_t *at) {
    const __m256i words = gather(line_u, at);
    if (job->chroma_step == 2) { /* U V U V */
        return (chroma){byte_of(words, 0), byte_of(words, 8), byte_of(words, 16), byte_of(words, 24)};
    }
    if (job->chroma_step == 4) { /* U Y V Y */
        const __m256i next = gather(line_u + 4, at);
        return (chroma){byte_of(words, 0), byte_of(words, 16), byte_of(next, 0), byte_of(next, 16)};
    }
    const __m256i words_v = gather(line_v, at);
    return (chroma){byte_of(words, 0), byte_of(words_v, 0), byte_of(words, 8), byte_of(words_v, 8)};
}

static inline __attribute__((always_inline)) void resize_yuv(const letterbox_u8_job *job, const uint8_t *line,
                                                             const uint8_t *line_u, const uint8_t *line_v,
                                                             int32_t padded, const letterbox_u8_columns *columns,
                                                             letterbox_u8_line *to) {
    const __m128i shift = _mm_cvtsi32_si128(job->halves ? 0 : 4);
    const int step = job->luma_step;
    for (int32_t i = 0; i < padded; i += 8) {
        const int32_t *at = columns->luma + i;
        const __m256i pair = _mm256_loadu_si256((const __m256i *)(const void *)(columns->pair + i));
        const __m256i words = gather(line, at);
        const chroma c = chroma_of(job, line_u, line_v, columns->chroma + i);
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

static int letterbox_u8_own_resize(const letterbox_u8_job *job, int32_t row, int32_t count,
                                   const letterbox_u8_columns *columns, letterbox_u8_line *line) {
    const int32_t padded = letterbox_u8_padded(count);
    const int32_t last = columns->luma[count - 1], last_half = columns->chroma[count - 1];
    const uint8_t *pixels = job->planes[0] + row * job->p->src_row_stride;
    const int64_t chroma_row = (row >> job->row_shift) * job->chroma_stride;
    const uint8_t *u = job->planes[1] + chroma_row, *v = job->planes[2] + chroma_row;
    if (job->end - pixels < last + REACH) {
        return 0;
    }
    switch (job->kind) {
    case LETTERBOX_PACKED:
        resize_packed(job, pixels, padded, columns, line);
        return 1;
    case LETTERBOX_GREY:
        resize_grey(job, pixels, padded, columns, line);
        return 1;
    default:
        if (job->end - u < last_half + REACH || job->end - v < last_half + REACH) {
            return 0;
        }
        resize_yuv(job, pixels, u, v, padded, columns, line);
        return 1;
    }
}

LETTERBOX_U8_ROWS(x86_avx2)
