/*
 * The choice of a tier's loops.
 */
#include "spans.h"

#include <stddef.h>

/* Best first; the last one runs everywhere. */
static const shrike_spans *const tiers[] = {
#if defined(__x86_64__)
    &shrike_spans_x86_avx512,
    &shrike_spans_x86_avx2,
#endif
    &shrike_spans_portable,
};

const shrike_spans *shrike_spans_of(const shrike_context *context) {
    size_t i = 0;
    while (!shrike_context_has(context, tiers[i]->features)) {
        i++;
    }
    return tiers[i];
}
