/*
 * Bit-planes of 8 codes: what the variants that count bits share. A unit is 8 channels, one byte a plane.
 */
#ifndef SHRIKE_CONV2D_BITSERIAL_PLANES_H
#define SHRIKE_CONV2D_BITSERIAL_PLANES_H

#include <stdint.h>
#include <string.h>

#define UNIT 8
#define X_PLANES(bits) (bits)
#define X_BYTES(bits) 1
#define LANE(channel) (channel)

/*
 * A step adds at most 8 to a count for each of the min(w, x) pairs of planes with the same i + j: 31 x 8 = 248 <= 255.
 * With 7 groups the widened value is at most 248 x (2^7 - 1) = 31496, so 16 bits hold it.
 */
#define STEPS(w_bits, x_bits) (31 / ((w_bits) < (x_bits) ? (w_bits) : (x_bits)))

/*
 * Bit `plane` of 8 codes as one byte, the first code in bit 0. The product gathers the eight bits at distances of 8
 * into the top byte: bit 8 i moves to 8 i + 56 - 7 i = 56 + i, and no two bits meet.
 */
static inline uint8_t planes_gather(uint64_t codes, int plane) {
    return (uint8_t)((codes >> plane & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56);
}

/* Packs `count` <= 8 codes and answers their sum. */
static inline int32_t planes_pack_unit(const uint8_t *codes, int64_t count, int32_t bits, uint8_t *packed) {
    uint64_t unit = 0;
    int32_t sum = 0;
    for (int64_t c = 0; c < count; c++) {
        unit |= (uint64_t)codes[c] << 8 * c;
        sum += codes[c];
    }
    for (int32_t plane = 0; plane < bits; plane++) {
        packed[plane] = planes_gather(unit, plane);
    }
    return sum;
}

#endif
