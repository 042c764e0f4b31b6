/*
 * The worker pool. A loop is published under the mutex; workers join it while it is open, and everyone takes chunks
 * from one atomic counter. The caller takes part, closes the loop when no chunk is left and waits only for workers that
 * joined: a worker that slept through the loop costs nothing.
 *
 * Waiting spins for some microseconds and then sleeps on a condition variable, so that another runtime with threads on
 * the same cores (OpenMP in oneDNN) is not slowed down.
 */
#include "context.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { SPIN_NANOSECONDS = 20000, PAUSES_BETWEEN_CLOCK_READS = 64 };

struct shrike_context {
    int32_t threads;
    uint64_t features;
    atomic_bool entered;

    pthread_mutex_t mutex;
    pthread_cond_t published; /* a loop was opened or the context is closing */
    pthread_cond_t finished; /* the last joined worker left the loop */
    bool open; /* workers may join; guarded by mutex */
    bool closing; /* guarded by mutex */
    atomic_uint generation; /* number of loops published; written under mutex */
    atomic_uint joined; /* workers inside the loop; written under mutex */

    shrike_loop_body *body;
    const void *argument;
    int64_t count, grain;
    atomic_llong next;

    int32_t workers;
    pthread_t worker[];
};

static inline void pause_cpu(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Spins until (*value == number) equals `equal`, or the spin time is over. */
static void spin(atomic_uint *value, unsigned number, bool equal) {
    int64_t deadline = nanoseconds() + SPIN_NANOSECONDS;
    do {
        for (int i = 0; i < PAUSES_BETWEEN_CLOCK_READS; i++) {
            if ((atomic_load_explicit(value, memory_order_acquire) == number) == equal) {
                return;
            }
            pause_cpu();
        }
    } while (nanoseconds() < deadline);
}

static void take_chunks(shrike_context *context) {
    for (;;) {
        int64_t begin = atomic_fetch_add_explicit(&context->next, context->grain, memory_order_relaxed);
        if (begin >= context->count) {
            return;
        }
        int64_t left = context->count - begin;
        context->body(context->argument, begin, begin + (left < context->grain ? left : context->grain));
    }
}

static void *work(void *argument) {
    shrike_context *context = argument;
    unsigned seen = 0;
    for (;;) {
        spin(&context->generation, seen, false);
        pthread_mutex_lock(&context->mutex);
        while (!context->closing && atomic_load_explicit(&context->generation, memory_order_relaxed) == seen) {
            pthread_cond_wait(&context->published, &context->mutex);
        }
        if (context->closing) {
            pthread_mutex_unlock(&context->mutex);
            return NULL;
        }
        seen = atomic_load_explicit(&context->generation, memory_order_relaxed);
        bool join = context->open;
        if (join) {
            atomic_fetch_add_explicit(&context->joined, 1, memory_order_relaxed);
        }
        pthread_mutex_unlock(&context->mutex);
        if (!join) {
            continue;
        }
        take_chunks(context);
        pthread_mutex_lock(&context->mutex);
        if (atomic_fetch_sub_explicit(&context->joined, 1, memory_order_release) == 1) {
            pthread_cond_signal(&context->finished);
        }
        pthread_mutex_unlock(&context->mutex);
    }
}

static bool create_locks(shrike_context *context) {
    if (pthread_mutex_init(&context->mutex, NULL)) {
        return false;
    }
    if (pthread_cond_init(&context->published, NULL)) {
        pthread_mutex_destroy(&context->mutex);
        return false;
    }
    if (pthread_cond_init(&context->finished, NULL)) {
        pthread_cond_destroy(&context->published);
        pthread_mutex_destroy(&context->mutex);
        return false;
    }
    return true;
}

int32_t shrike_context_create(int32_t threads, uint64_t feature_mask, shrike_context **out) {
    if (!out) {
        return SHRIKE_EINVAL;
    }
    *out = NULL;
    if (threads < 1 || threads > SHRIKE_MAX_THREADS) {
        return SHRIKE_EINVAL;
    }
    shrike_context *context = calloc(1, sizeof *context + (size_t)threads * sizeof(pthread_t));
    if (!context) {
        return SHRIKE_ENOMEM;
    }
    context->threads = threads;
    context->features = shrike_cpu_features() & feature_mask;
    if (!create_locks(context)) {
        free(context);
        return SHRIKE_ENOMEM;
    }
    for (; context->workers < threads - 1; context->workers++) {
        if (pthread_create(&context->worker[context->workers], NULL, work, context)) {
            shrike_context_destroy(context);
            return SHRIKE_ETHREAD;
        }
    }
    *out = context;
    return SHRIKE_OK;
}

void shrike_context_destroy(shrike_context *context) {
    if (!context) {
        return;
    }
    pthread_mutex_lock(&context->mutex);
    context->closing = true;
    pthread_cond_broadcast(&context->published);
    pthread_mutex_unlock(&context->mutex);
    for (int32_t i = 0; i < context->workers; i++) {
        pthread_join(context->worker[i], NULL);
    }
    pthread_cond_destroy(&context->finished);
    pthread_cond_destroy(&context->published);
    pthread_mutex_destroy(&context->mutex);
    free(context);
}

int32_t shrike_context_threads(const shrike_context *context) {
    return context ? context->threads : 0;
}

uint64_t shrike_context_features(const shrike_context *context) {
    return context ? context->features : 0;
}

int shrike_context_has(const shrike_context *context, uint64_t features) {
    return (context->features & features) == features;
}

int32_t shrike_context_enter(shrike_context *context) {
    if (!context) {
        return SHRIKE_EINVAL;
    }
    return atomic_exchange_explicit(&context->entered, true, memory_order_acquire) ? SHRIKE_EBUSY : SHRIKE_OK;
}

void shrike_context_leave(shrike_context *context) {
    atomic_store_explicit(&context->entered, false, memory_order_release);
}

void shrike_parallel(shrike_context *context, shrike_loop_body *body, const void *argument, int64_t count,
                     int64_t grain) {
    if (context->workers == 0 || count <= grain) {
        body(argument, 0, count);
        return;
    }
    pthread_mutex_lock(&context->mutex);
    context->body = body;
    context->argument = argument;
    context->count = count;
    context->grain = grain;
    atomic_store_explicit(&context->next, 0, memory_order_relaxed);
    context->open = true;
    atomic_fetch_add_explicit(&context->generation, 1, memory_order_release);
    pthread_cond_broadcast(&context->published);
    pthread_mutex_unlock(&context->mutex);

    take_chunks(context);

    pthread_mutex_lock(&context->mutex);
    context->open = false;
    pthread_mutex_unlock(&context->mutex);
    spin(&context->joined, 0, true);
    pthread_mutex_lock(&context->mutex);
    while (atomic_load_explicit(&context->joined, memory_order_acquire) > 0) {
        pthread_cond_wait(&context->finished, &context->mutex);
    }
    pthread_mutex_unlock(&context->mutex);
}
