/*
 * Floats to codes with what vectors the machine is sure to have.
 */
#include "quantize_u8.h"

QUANTIZE_U8_SPAN(portable)
