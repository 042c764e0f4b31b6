/*
 * The loops of spans.h with vectors of 4 floats.
 */
#include "core/vec_portable.h"

#define TIER_FEATURES 0

#include "spans_kernel.h"
