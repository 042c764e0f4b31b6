/*
 * What operations see of a context: its CPU tier and parallel loops.
 */
#ifndef SHRIKE_CONTEXT_H
#define SHRIKE_CONTEXT_H

#include "shrike.h"

/* Runs items begin..end-1 of a loop. Items are independent: any thread may run any of them, in any order. */
typedef void shrike_loop_body(const void *argument, int64_t begin, int64_t end);

/*
 * Claims the context for one operation, which is: enter, any number of parallel loops, leave.
 * SHRIKE_EINVAL for a null context, SHRIKE_EBUSY while another thread is inside.
 */
int32_t shrike_context_enter(shrike_context *context);
void shrike_context_leave(shrike_context *context);

/* Runs body over 0..count-1 in chunks of `grain` on all threads of an entered context; returns when all are done. */
void shrike_parallel(shrike_context *context, shrike_loop_body *body, const void *argument, int64_t count,
                     int64_t grain);

/* Whether the context may use all of `features`. */
int shrike_context_has(const shrike_context *context, uint64_t features);

/* Items a chunk such that each holds about `work` units, when an item has `item_work` of them. */
static inline int64_t shrike_grain(int64_t item_work, int64_t work) {
    return item_work >= work ? 1 : work / (item_work > 0 ? item_work : 1);
}

#endif
