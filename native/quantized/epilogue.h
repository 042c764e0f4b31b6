/*
 * From the int32 sums of a tile of pixels x channels to what shrike_conv2d_q writes: codes or floats. Every form gives
 * the same bits as the formulas in shrike.h.
 */
#ifndef SHRIKE_EPILOGUE_H
#define SHRIKE_EPILOGUE_H

#include "core/context.h"

/* Where a tile's sums lie and where its results go. */
typedef struct conv2d_q_tile {
    const int32_t *sums; /* of pixel i and channel first + c: sums[i * sums_stride + c]; 64-byte aligned rows or not */
    int64_t sums_stride;
    int64_t pixels;
    int64_t first, count; /* output channels */
    const int64_t *dst; /* each pixel's offset in params->dst, in elements */
    const int64_t *residual; /* each pixel's offset in params->residual; not read without a residual */
} conv2d_q_tile;

/* Codes before the residual is added, of the same pixels and channels. */
typedef struct conv2d_q_codes {
    const uint8_t
        *codes; /* of pixel i and channel first + c: codes[i * stride + c], and to a multiple of 16 channels */
    int64_t stride;
} conv2d_q_codes;

typedef void conv2d_q_epilogue(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);

/* The best form for the context's tier and the kind of output. */
conv2d_q_epilogue *conv2d_q_epilogue_of(const shrike_context *context, const shrike_conv2d_q_params *params);

/* Adds the residual to codes that are there already; a tile's sums are not read. */
typedef void conv2d_q_add(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile, conv2d_q_codes codes);
conv2d_q_add *conv2d_q_add_of(const shrike_context *context);
void conv2d_q_add_portable(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile, conv2d_q_codes codes);
void conv2d_q_add_aarch64_neon(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile, conv2d_q_codes codes);

/* Forms by tier; the portable ones run everywhere. Codes without an activation, codes with one, floats. */
void conv2d_q_codes_portable(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_activated_portable(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_real_portable(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_codes_x86_avx2(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_activated_x86_avx2(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_real_x86_avx2(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_codes_x86_avx512vnni(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_activated_x86_avx512vnni(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_real_x86_avx512vnni(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_codes_aarch64_neon(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_activated_aarch64_neon(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);
void conv2d_q_real_aarch64_neon(const shrike_conv2d_q_params *params, const conv2d_q_tile *tile);

#endif
