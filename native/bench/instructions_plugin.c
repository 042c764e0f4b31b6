/*
 * A QEMU plugin that counts executed aarch64 instructions by what they cost on the Cortex-A72.
 *
 * Classes: products (what inner loops consist of: CNT, integer multiplies, FMLA), other vector instructions of the
 * kind that both pipes take, those that only one takes, loads and stores, and the rest. `inner` counts all instructions
 * of blocks that hold at least four products: the inner loops, whole.
 *
 * Counted is what runs between the two markers of bench/marks.h. With the argument symbols=on it also says how many
 * instructions each function took, and how many of them in inner loops.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marks.h"
#include "qemu_plugin_api.h"

EXPORT int qemu_plugin_version = 1;

enum { COUNTS, PRODUCTS_BOTH, PRODUCTS_ONE, VECTOR_BOTH, VECTOR_ONE, MEMORY, OTHER, INNER, CLASSES };
static uint64_t executed[CLASSES], before[CLASSES], counted[CLASSES];

enum { MAX_SYMBOLS = 4096 };
typedef struct symbol {
    const char *name;
    uint64_t all, inner, all_before, inner_before, all_counted, inner_counted;
} symbol;
static symbol symbols[MAX_SYMBOLS];
static int symbol_count, with_symbols;

static int is(uint32_t code, uint32_t mask, uint32_t value) {
    return (code & mask) == value;
}

static int class_of(uint32_t code) {
    if (is(code, 0x0a000000, 0x08000000)) {
        return MEMORY;
    }
    if (!is(code, 0x0e000000, 0x0e000000)) {
        return OTHER;
    }
    if (is(code, 0xbf3ffc00, 0x0e205800)) { /* CNT */
        return PRODUCTS_BOTH;
    }
    if (is(code, 0x9f200c00, 0x0e200000) &&
        (is(code, 0xf000, 0x8000) || is(code, 0xf000, 0xc000))) { /* SMLAL, SMULL, .. */
        return PRODUCTS_ONE;
    }
    if (is(code, 0xbfa0fc00, 0x0e20cc00) || is(code, 0xbf80f400, 0x0f801000)) { /* FMLA of vectors, by element */
        return PRODUCTS_ONE;
    }
    if (is(code, 0x9f800400, 0x0f000400) && (code & 0x00780000)) { /* shifts by a constant, widening and narrowing */
        return VECTOR_ONE;
    }
    if (is(code, 0x9f3fbc00, 0x0e202800) || is(code, 0x9f3fbc00, 0x0e206800)) { /* SADDLP, SADALP and unsigned */
        return VECTOR_ONE;
    }
    if (is(code, 0x9f200400, 0x0e200400) &&
        ((code >> 11 & 31) >= 24 || (code >> 11 & 31) == 18 || (code >> 11 & 31) == 19 ||
         ((code >> 11 & 31) >= 8 && (code >> 11 & 31) <= 11))) {
        return VECTOR_ONE; /* of vectors: floats, multiplies, shifts by a register */
    }
    if (is(code, 0xbf208c00, 0x0e000000) || is(code, 0x1f000000, 0x1e000000)) { /* table lookups; scalar floats */
        return VECTOR_ONE;
    }
    if (is(code, 0x9f3e0c00, 0x0e200800) && ((code >> 12 & 31) >= 20 || (code >> 12 & 31) == 18)) {
        return VECTOR_ONE; /* one operand: conversions of floats, narrowing */
    }
    return VECTOR_BOTH;
}

static symbol *symbol_of(const struct qemu_plugin_insn *insn) {
    const char *name = qemu_plugin_insn_symbol(insn);
    name = name ? name : "?";
    for (int i = 0; i < symbol_count; i++) {
        if (!strcmp(symbols[i].name, name)) {
            return &symbols[i];
        }
    }
    if (symbol_count == MAX_SYMBOLS) {
        return &symbols[0];
    }
    symbols[symbol_count].name = strdup(name);
    return &symbols[symbol_count++];
}

static void begin(unsigned cpu, void *argument) {
    (void)cpu;
    (void)argument;
    memcpy(before, executed, sizeof before);
    for (int i = 0; i < symbol_count; i++) {
        symbols[i].all_before = symbols[i].all;
        symbols[i].inner_before = symbols[i].inner;
    }
}

static void end(unsigned cpu, void *argument) {
    (void)cpu;
    (void)argument;
    for (int c = 0; c < CLASSES; c++) {
        counted[c] += executed[c] - before[c];
    }
    for (int i = 0; i < symbol_count; i++) {
        symbols[i].all_counted += symbols[i].all - symbols[i].all_before;
        symbols[i].inner_counted += symbols[i].inner - symbols[i].inner_before;
    }
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
    (void)id;
    uint64_t count[CLASSES] = {0};
    count[COUNTS] = qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < count[COUNTS]; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t code;
        memcpy(&code, qemu_plugin_insn_data(insn), sizeof code);
        count[class_of(code)]++;
        if (code == MARK_CODE(MARK_BEGIN) || code == MARK_CODE(MARK_END)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, code == MARK_CODE(MARK_BEGIN) ? begin : end, 0, NULL);
        }
    }
    if (count[PRODUCTS_BOTH] + count[PRODUCTS_ONE] >= 4) {
        count[INNER] = count[COUNTS];
    }
    for (int c = 0; c < CLASSES; c++) {
        if (count[c]) {
            qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, &executed[c], count[c]);
        }
    }
    if (with_symbols) {
        symbol *s = symbol_of(qemu_plugin_tb_get_insn(tb, 0));
        qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, &s->all, count[COUNTS]);
        qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, &s->inner, count[INNER]);
    }
}

static int by_count(const void *a, const void *b) {
    uint64_t x = ((const symbol *)a)->all_counted, y = ((const symbol *)b)->all_counted;
    return (x < y) - (x > y);
}

static void finish(plugin_id id, void *argument) {
    (void)id;
    (void)argument;
    char line[512];
    snprintf(line, sizeof line,
             "INSTRUCTIONS %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
             "\n",
             counted[COUNTS], counted[PRODUCTS_BOTH], counted[PRODUCTS_ONE], counted[VECTOR_BOTH], counted[VECTOR_ONE],
             counted[MEMORY], counted[OTHER], counted[INNER]);
    qemu_plugin_outs(line);
    qsort(symbols, (size_t)symbol_count, sizeof *symbols, by_count);
    for (int i = 0; i < symbol_count && symbols[i].all_counted; i++) {
        snprintf(line, sizeof line, "SYMBOL %s %" PRIu64 " %" PRIu64 "\n", symbols[i].name, symbols[i].all_counted,
                 symbols[i].inner_counted);
        qemu_plugin_outs(line);
    }
}

EXPORT int qemu_plugin_install(plugin_id id, const qemu_info *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        with_symbols |= !strcmp(argv[i], "symbols=on");
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
