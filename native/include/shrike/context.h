/*
 * A context: a worker pool and a CPU tier.
 */
#ifndef SHRIKE_API_CONTEXT_H
#define SHRIKE_API_CONTEXT_H

#include "base.h"

typedef struct shrike_context shrike_context;

#define SHRIKE_MAX_THREADS 256

/*
 * Creates a context of `threads` threads, the calling one included (1..SHRIKE_MAX_THREADS). Kernels use only features
 * that the CPU has and that are in feature_mask: the mask can lower the tier, never raise it; UINT64_MAX for the best.
 * One context serves one thread at a time; a second one gets SHRIKE_EBUSY. On error *out is null.
 */
SHRIKE_API int32_t shrike_context_create(int32_t threads, uint64_t feature_mask, shrike_context **out);

/* Ends the workers and frees the context. Null is allowed. No operation may be running. */
SHRIKE_API void shrike_context_destroy(shrike_context *context);

SHRIKE_API int32_t shrike_context_threads(const shrike_context *context);
SHRIKE_API uint64_t shrike_context_features(const shrike_context *context);

#endif
