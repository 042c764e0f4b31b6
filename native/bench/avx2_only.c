/*
 * A library for LD_PRELOAD, for benchmarks only: the program sees a processor that has AVX2 but no AVX-512, AMX, AVX10
 * or AVX-VNNI, whoever asks and however: our kernels, ONNX Runtime, OpenCV, oneDNN and the JVM all execute CPUID.
 *
 * Where the processor and Linux can do it, CPUID is made to fault (arch_prctl(ARCH_CPUID)). Linux keeps that a
 * thread's property which new threads inherit and exec() ends, after which LD_PRELOAD brings it back. Each fault
 * arrives as SIGSEGV: the handler runs CPUID, takes bits away and goes on behind it. Every other SIGSEGV belongs to the
 * program: its own sigaction() is kept beside, with its mask and flags, since a JVM lives by them (it finds null
 * pointers so).
 *
 * Elsewhere (most virtual machines) CPUID cannot fault. There a file is changed beforehand: hide-avx512.sh writes a
 * copy of a library whose CPUID (0f a2) is 06 a2, which no 64-bit processor knows and no compiler writes. Such an
 * instruction arrives as SIGILL and is answered in the same way. Only libraries that were changed see less then.
 *
 *     gcc -O2 -shared -fPIC -o avx2_only.so avx2_only.c -ldl && LD_PRELOAD=./avx2_only.so program
 */
#include <cpuid.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "this is for Linux on x86_64"
#endif

enum { ARCH_SET_CPUID = 0x1012 }; /* of <asm/prctl.h>; the argument is 1 where CPUID may run, 0 where it faults */
enum { GENERAL_PROTECTION = 13 };
enum { KEPT = 16 }; /* handlers that were installed lately: one may still be starting while the next comes */

#define BIT(n) (1u << (n))

/* Of leaf 7: all AVX-512, AMX and AVX-VNNI, and what came with or after them. */
enum {
    LEAF_7_EBX = BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31),
    LEAF_7_ECX =
        BIT(1) | BIT(6) | BIT(8) | BIT(11) | BIT(12) | BIT(14), /* VBMI, VBMI2, GFNI, VNNI, BITALG, VPOPCNTDQ */
    LEAF_7_EDX = BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25),
    LEAF_7_1_EAX = BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(5) | BIT(21) | BIT(23), /* AVX-VNNI is 4, AVX-IFMA 23 */
    LEAF_7_1_EDX = BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19) /* AVX-VNNI-INT8 is 4, -INT16 10, AVX10 19 */
};

typedef int sigaction_function(int, const struct sigaction *, struct sigaction *);

static sigaction_function *system_sigaction;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction kept[KEPT]; /* all zero is the default action */
static atomic_uint newest;
static int faulting; /* whether CPUID itself faults */
static int caught = SIGSEGV; /* what arrives in the place of a CPUID */

static long allow_cpuid(int allowed) {
    return syscall(SYS_arch_prctl, ARCH_SET_CPUID, (unsigned long)allowed);
}

static void hide(uint32_t leaf, uint32_t part, uint32_t *r) {
    if (leaf == 7 && part == 0) {
        r[1] &= ~(uint32_t)LEAF_7_EBX;
        r[2] &= ~(uint32_t)LEAF_7_ECX;
        r[3] &= ~(uint32_t)LEAF_7_EDX;
    } else if (leaf == 7 && part == 1) {
        r[0] &= ~(uint32_t)LEAF_7_1_EAX;
        r[3] &= ~(uint32_t)LEAF_7_1_EDX;
    } else if (leaf == 7 || leaf == 0x24) { /* what is yet unknown, and AVX10 */
        memset(r, 0, 4 * sizeof *r);
    }
}

/* A processor faults with its instruction pointer at an instruction that it has read: a first byte of two has a second.
 */
static int is_cpuid(const siginfo_t *info, const greg_t *registers) {
    if (!faulting) {
        const uint8_t *replaced = (const uint8_t *)registers[REG_RIP];
        return info->si_code > 0 && replaced[0] == 0x06 && replaced[1] == 0xa2;
    }
    if (info->si_code != SI_KERNEL || registers[REG_TRAPNO] != GENERAL_PROTECTION) {
        return 0;
    }
    const uint8_t *instruction = (const uint8_t *)registers[REG_RIP];
    return instruction[0] == 0x0f && instruction[1] == 0xa2;
}

static void run_cpuid(greg_t *registers) {
    uint32_t leaf = (uint32_t)registers[REG_RAX], part = (uint32_t)registers[REG_RCX], r[4];
    if (faulting) {
        allow_cpuid(1);
    }
    __cpuid_count(leaf, part, r[0], r[1], r[2], r[3]);
    if (faulting) {
        allow_cpuid(0);
    }
    hide(leaf, part, r);
    registers[REG_RAX] = r[0];
    registers[REG_RBX] = r[1];
    registers[REG_RCX] = r[2];
    registers[REG_RDX] = r[3];
    registers[REG_RIP] += 2;
}

/* As Linux would do it: a fault that is not handled ends the program, even if it is ignored. */
static void die_of(const siginfo_t *info) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    system_sigaction(caught, &standard, NULL);
    if (info->si_code <= 0) { /* sent by a program: nothing would repeat it */
        raise(caught);
    }
}

static void on_fault(int number, siginfo_t *info, void *context) {
    int error = errno;
    ucontext_t *at = context;
    if (is_cpuid(info, at->uc_mcontext.gregs)) {
        run_cpuid(at->uc_mcontext.gregs);
        errno = error;
        return;
    }
    struct sigaction program = kept[atomic_load(&newest) % KEPT];
    if (!(program.sa_flags & SA_SIGINFO) && program.sa_handler == SIG_IGN && info->si_code <= 0) {
        return;
    }
    if (!(program.sa_flags & SA_SIGINFO) && (program.sa_handler == SIG_DFL || program.sa_handler == SIG_IGN)) {
        die_of(info);
        return;
    }
    if (program.sa_flags & (int)SA_RESETHAND) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        sigaction(caught, &standard, NULL);
    }
    if (program.sa_flags & SA_SIGINFO) {
        program.sa_sigaction(number, info, context);
    } else {
        program.sa_handler(number);
    }
}

/* Our handler with the program's mask, and its stack and restarts. */
static int install(const struct sigaction *program) {
    struct sigaction ours = {.sa_sigaction = on_fault, .sa_mask = program->sa_mask};
    ours.sa_flags = SA_SIGINFO | (program->sa_flags & (SA_ONSTACK | SA_RESTART | SA_NODEFER));
    return system_sigaction(caught, &ours, NULL);
}

static void find_sigaction(void) {
    if (!system_sigaction) {
        system_sigaction = (sigaction_function *)dlsym(RTLD_NEXT, "sigaction");
    }
}

__attribute__((visibility("default"))) int sigaction(int number, const struct sigaction *new, struct sigaction *old) {
    find_sigaction();
    if (number != caught) {
        return system_sigaction(number, new, old);
    }
    pthread_mutex_lock(&lock);
    struct sigaction before = kept[atomic_load(&newest) % KEPT];
    int result = 0;
    if (new) {
        unsigned next = atomic_load(&newest) + 1;
        kept[next % KEPT] = *new;
        atomic_store(&newest, next);
        result = install(new);
    }
    pthread_mutex_unlock(&lock);
    if (old) {
        *old = before;
    }
    return result;
}

__attribute__((visibility("default"))) sighandler_t signal(int number, sighandler_t handler) {
    struct sigaction new = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    return sigaction(number, &new, &old) ? SIG_ERR : old.sa_handler;
}

static __attribute__((constructor)) void begin(void) {
    find_sigaction();
    faulting = !allow_cpuid(0);
    int refused = errno;
    if (!faulting && !getenv("AVX2_ONLY_REPLACED")) {
        fprintf(stderr,
                "avx2_only: this processor or kernel cannot make CPUID fault (%s): it needs the flag cpuid_fault of "
                "/proc/cpuinfo and Linux 4.12 or later. Where the libraries in question are copies made by "
                "hide-avx512.sh, set AVX2_ONLY_REPLACED=1\n",
                strerror(refused));
        exit(1);
    }
    caught = faulting ? SIGSEGV : SIGILL;
    if (system_sigaction(caught, NULL, &kept[0]) || install(&kept[0])) {
        perror("avx2_only: sigaction");
        exit(1);
    }
}
