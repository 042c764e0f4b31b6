/*
 * The worker pool and what the library says of itself.
 */
#include "core/context.h"

#include <pthread.h>
#include <stdatomic.h>

#include "test/test.h"

enum { ITEMS = 1000 };

static void count_items(const void *argument, int64_t begin, int64_t end) {
    atomic_int *counts = *(atomic_int *const *)argument;
    for (int64_t i = begin; i < end; i++) {
        atomic_fetch_add(&counts[i], 1);
    }
}

/* Every item is run exactly once, whatever the threads, the count and the grain; workers asleep or spinning. */
static void check_loops(int32_t threads) {
    describe("%d threads", threads);
    shrike_context *context;
    expect_status(SHRIKE_OK, shrike_context_create(threads, UINT64_MAX, &context), "create");
    if (shrike_context_threads(context) != threads) {
        fail("the context has %d threads", shrike_context_threads(context));
    }
    for (int round = 0; round < 300; round++) {
        static atomic_int counts[ITEMS];
        atomic_int *argument = counts;
        int64_t count = pick(1, ITEMS), grain = pick(1, 50);
        memset(counts, 0, sizeof counts);
        expect_status(SHRIKE_OK, shrike_context_enter(context), "enter");
        shrike_parallel(context, count_items, &argument, count, grain);
        shrike_context_leave(context);
        for (int64_t i = 0; i < ITEMS; i++) {
            if (counts[i] != (i < count)) {
                fail("item %d of %d was run %d times", (int)i, (int)count, counts[i]);
            }
        }
        if (round % 50 == 0) {
            usleep(1000);
        }
    }
    shrike_context_destroy(context);
}

static void *enter_from_elsewhere(void *context) {
    return (void *)(intptr_t)shrike_context_enter(context);
}

static void check_one_caller_at_a_time(void) {
    describe("two callers");
    shrike_context *context;
    pthread_t thread;
    void *status;
    expect_status(SHRIKE_OK, shrike_context_create(1, 0, &context), "create");
    expect_status(SHRIKE_OK, shrike_context_enter(context), "enter");
    pthread_create(&thread, NULL, enter_from_elsewhere, context);
    pthread_join(thread, &status);
    expect_status(SHRIKE_EBUSY, (int32_t)(intptr_t)status, "a second caller");
    float x = 1;
    shrike_unary_f32_params p = {.src = &x, .dst = &x, .src_bounds = {0, sizeof x}, .dst_bounds = {0, sizeof x}};
    expect_status(SHRIKE_EBUSY, shrike_unary_f32(context, &p), "an operation meanwhile");
    shrike_context_leave(context);
    expect_status(SHRIKE_OK, shrike_unary_f32(context, &p), "an operation afterwards");
    shrike_context_destroy(context);
}

int main(void) {
    start_tests(20260109);
    describe("facts");
    if (shrike_abi_version() != SHRIKE_ABI_VERSION || strlen(shrike_version()) == 0) {
        fail("version %u, %s", shrike_abi_version(), shrike_version());
    }
    for (int32_t status = -1; status < 8; status++) {
        if (strlen(shrike_status_text(status)) == 0) {
            fail("no text for status %d", status);
        }
    }
    shrike_context *context = (shrike_context *)1;
    expect_status(SHRIKE_EINVAL, shrike_context_create(0, 0, &context), "no thread");
    if (context) {
        fail("a context in spite of an error");
    }
    expect_status(SHRIKE_EINVAL, shrike_context_create(SHRIKE_MAX_THREADS + 1, 0, &context), "too many threads");
    expect_status(SHRIKE_EINVAL, shrike_context_create(1, 0, NULL), "nowhere to put it");
    shrike_context_destroy(NULL);
    expect_status(SHRIKE_OK, shrike_context_create(1, 0, &context), "no features");
    if (shrike_context_features(context) != 0) {
        fail("the mask did not take the features away");
    }
    shrike_context_destroy(context);
    check_one_caller_at_a_time();
    for (int32_t threads = 1; threads <= 8; threads++) {
        check_loops(threads);
    }
    printf("features %#llx\nok\n", (unsigned long long)shrike_cpu_features());
    return 0;
}
