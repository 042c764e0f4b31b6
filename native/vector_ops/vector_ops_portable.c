/*
 * The loops of vector_ops.h with vectors of 4 floats.
 */
#include "core/vec_portable.h"

#define TIER_FEATURES 0

#include "vector_ops_kernel.h"
