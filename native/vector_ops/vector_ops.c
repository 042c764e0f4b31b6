/*
 * The choice of a tier's loops.
 */
#include "vector_ops.h"

#include "core/array.h"

/* Best first; the last one runs everywhere. */
static const shrike_vector_ops *const tiers[] = {
#if defined(__x86_64__)
    &shrike_vector_ops_x86_avx512,
    &shrike_vector_ops_x86_avx2,
#endif
    &shrike_vector_ops_portable,
};

const shrike_vector_ops *shrike_vector_ops_of(const shrike_context *context) {
    int32_t i = 0; /* signed: the only tier may be the last one */
    while (i < (int32_t)ARRAY_SIZE(tiers) - 1 && !shrike_context_has(context, tiers[i]->features)) {
        i++;
    }
    return tiers[i];
}
