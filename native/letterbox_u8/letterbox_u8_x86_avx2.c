/*
 * Frames to floats with AVX2.
 */
#include <stddef.h>

#include "letterbox_u8_kernel.h"

LETTERBOX_U8_ROWS(x86_avx2)
