/*
 * Looking codes up in a table.
 */
#ifndef SHRIKE_API_LUT_U8_H
#define SHRIKE_API_LUT_U8_H

#include "context.h"
#include "view.h"

/* dst = table[src], or src without a table; dst may be the same view as src. Views as in the float operations. */
typedef struct shrike_lut_u8_params {
    const uint8_t *src;
    uint8_t *dst;
    const uint8_t *table; /* 256 codes, or null */
    shrike_bounds src_bounds, dst_bounds, table_bounds;
    int64_t dims[SHRIKE_MAX_RANK];
    int64_t src_strides[SHRIKE_MAX_RANK];
    int64_t dst_strides[SHRIKE_MAX_RANK];
    int32_t rank;
    int32_t reserved;
} shrike_lut_u8_params;

SHRIKE_API int32_t shrike_lut_u8(shrike_context *context, const shrike_lut_u8_params *params);

#endif
