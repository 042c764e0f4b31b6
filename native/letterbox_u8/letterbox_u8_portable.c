/*
 * Frames to floats in portable C, which compilers make vectors of; on aarch64 with NEON.
 */
#include <stddef.h>

#include "letterbox_u8_kernel.h"

LETTERBOX_U8_ROWS(portable)
