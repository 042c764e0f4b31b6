/*
 * Linked into libshrike.so alone, with --wrap for each function named here: the library then asks glibc for the oldest
 * version of it and loads on glibc 2.31 (JetPack 5, Ubuntu 20.04), wherever it was built.
 *
 * glibc 2.34 moved the threads into libc and gave them a second version; 2.38 did so with fmod, whose older version
 * only sets errno as well. versions.sh tells when another one comes.
 */
#include <pthread.h>

#ifdef __x86_64__
#define OLDEST "GLIBC_2.2.5"
#else
#define OLDEST "GLIBC_2.17"
#endif

__asm__(".symver older_pthread_create, pthread_create@" OLDEST);
__asm__(".symver older_pthread_join, pthread_join@" OLDEST);
__asm__(".symver older_fmodf, fmodf@" OLDEST);

int older_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
int older_pthread_join(pthread_t thread, void **result);
float older_fmodf(float x, float y);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
int __wrap_pthread_join(pthread_t thread, void **result);
float __wrap_fmodf(float x, float y);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    return older_pthread_create(thread, attributes, body, argument);
}

int __wrap_pthread_join(pthread_t thread, void **result) {
    return older_pthread_join(thread, result);
}

float __wrap_fmodf(float x, float y) {
    return older_fmodf(x, y);
}
