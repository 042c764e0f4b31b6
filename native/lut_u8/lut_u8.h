/*
 * Looking up neighbouring codes: dst[i] = table[src[i]] for i in 0..count-1; dst may be src.
 */
#ifndef SHRIKE_LUT_U8_H
#define SHRIKE_LUT_U8_H

#include <stdint.h>

typedef void lut_u8_span(const uint8_t *table, const uint8_t *src, uint8_t *dst, int64_t count);

void lut_u8_portable(const uint8_t *table, const uint8_t *src, uint8_t *dst, int64_t count);
void lut_u8_x86_avx512vnni(const uint8_t *table, const uint8_t *src, uint8_t *dst, int64_t count);

#endif
