/*
 * Loops whose cycles the model of a72.sh must tell rightly: loops NAME runs one of them between the marks.
 *
 *     store-back    works in place with a store that moves its address, as compilers write it
 *     store-apart   the same with an addition of its own
 *     one-page      a loop within a page of 4 KB
 *     two-pages     the same loop across the end of a page, where QEMU cuts it in two
 *     few-rounds    a sum of three to six terms, each of which waits for the one before, then the next sum
 *     mixed         many different loops within each other, for the sampled windows
 */
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../marks.h"

/* As many sums as a multiplication needs to begin each cycle, like those of our kernels. */
enum { TIMES = 4096, SIDE = 48, SUMS = 12 };

static float from[4 * TIMES + 4], to[4 * TIMES + 4];

void loop_store_back(uint64_t times, float *values);
void loop_store_apart(uint64_t times, float *values);
void loop_one_page(uint64_t times, float *values);
void loop_two_pages(uint64_t times, float *values);
void loop_few_rounds(uint64_t times, float *values);

__asm__(".macro FUNCTION name\n"
        "    .global \\name\n"
        "    .type \\name, %function\n"
        "\\name:\n"
        ".endm\n"
        ".macro WORK\n"
        "    ldr q0, [x1]\n"
        "    fmul v0.4s, v0.4s, v0.4s\n"
        "    fadd v0.4s, v0.4s, v0.4s\n"
        "    fmul v0.4s, v0.4s, v0.4s\n"
        ".endm\n"
        ".macro PAGE_LOOP name\n"
        "FUNCTION \\name\n"
        "1:  WORK\n"
        "    str q0, [x1]\n"
        "    add x1, x1, #16\n"
        "    subs x0, x0, #1\n"
        "    b.ne 1b\n"
        "    ret\n"
        ".endm\n"
        ".text\n"
        ".p2align 12\n"
        "FUNCTION loop_store_back\n"
        "1:  WORK\n"
        "    str q0, [x1], #16\n"
        "    subs x0, x0, #1\n"
        "    b.ne 1b\n"
        "    ret\n"
        "FUNCTION loop_store_apart\n"
        "1:  WORK\n"
        "    str q0, [x1]\n"
        "    add x1, x1, #16\n"
        "    subs x0, x0, #1\n"
        "    b.ne 1b\n"
        "    ret\n"
        "FUNCTION loop_few_rounds\n"
        "1:  movi v0.4s, #0\n"
        "    and x2, x0, #3\n"
        "    add x2, x2, #3\n"
        "2:  ldr q1, [x1]\n"
        "    fadd v0.4s, v0.4s, v1.4s\n"
        "    fadd v0.4s, v0.4s, v1.4s\n"
        "    subs x2, x2, #1\n"
        "    b.ne 2b\n"
        "    str q0, [x1, #16]\n"
        "    subs x0, x0, #1\n"
        "    b.ne 1b\n"
        "    ret\n"
        "PAGE_LOOP loop_one_page\n"
        ".p2align 12\n"
        ".skip 4096 - 16\n" /* four of its eight instructions before the end of the page */
        "PAGE_LOOP loop_two_pages\n");

static float mixed(void) {
    float sum = 0;
    for (int y = 0; y < SIDE; y++) {
        float32x4_t dot[SUMS];
        for (int i = 0; i < SUMS; i++) {
            dot[i] = vdupq_n_f32(0);
        }
        for (int k = 0; k < SIDE; k++) {
            for (int i = 0; i < SUMS; i++) {
                dot[i] = vfmaq_n_f32(dot[i], vld1q_f32(from + k * SIDE + 4 * i), from[y * SIDE + k]);
            }
        }
        for (int i = 0; i < SUMS; i++) {
            vst1q_f32(to + y * SIDE + 4 * i, vdivq_f32(dot[i], vdupq_n_f32(3)));
        }
        for (int i = 0; i < SIDE; i++) {
            to[y * SIDE + i] = from[i] < to[i] ? to[i] : from[i];
        }
        sum += to[y];
        memmove(to + 4, to, SIDE * SIDE);
    }
    return sum;
}

int main(int argc, char **argv) {
    const char *name = argc == 2 ? argv[1] : "";
    float sum = 0;
    MARK(MARK_ATTACH);
    for (int i = 0; i < 4 * TIMES; i++) {
        from[i] = (float)(i % 7) / 8;
    }
    MARK(MARK_BEGIN);
    if (!strcmp(name, "store-back")) {
        loop_store_back(TIMES, to);
    } else if (!strcmp(name, "store-apart")) {
        loop_store_apart(TIMES, to);
    } else if (!strcmp(name, "one-page")) {
        loop_one_page(TIMES, to);
    } else if (!strcmp(name, "two-pages")) {
        loop_two_pages(TIMES, to);
    } else if (!strcmp(name, "few-rounds")) {
        loop_few_rounds(TIMES, to);
    } else if (!strcmp(name, "mixed")) {
        for (int i = 0; i < 12; i++) {
            sum += mixed();
        }
    } else {
        fprintf(stderr, "usage: loops store-back|store-apart|one-page|two-pages|few-rounds|mixed\n");
        return 2;
    }
    MARK(MARK_END);
    printf("%g\n", (double)(sum + to[TIMES]));
    return 0;
}
