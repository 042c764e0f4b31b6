/*
 * Rounding of floats to codes.
 */
#ifndef SHRIKE_ROUNDING_H
#define SHRIKE_ROUNDING_H

#include <stdint.h>

/*
 * clamp(rint(value), low, high) for integral 0 <= low <= high <= 255; NaN gives low. Clamping before rounding is the
 * same, because the bounds are integers. Adding 2^23 + 2^22 leaves the integer, rounded half to even, in the low bits.
 */
static inline int32_t round_to_code(float value, float low, float high) {
    union {
        float real;
        uint32_t bits;
    } shifted;
    value = value > low ? value : low;
    value = value < high ? value : high;
    shifted.real = value + 12582912.0f;
    return (int32_t)(shifted.bits & 0xffff);
}

#endif
