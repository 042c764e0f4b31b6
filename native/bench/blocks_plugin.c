/*
 * A QEMU plugin that writes down what a program executes between the marks of marks.h, for the model of the Cortex-A72
 * (a72.sh): which blocks of instructions, how often, which block came next, and windows of the stream as it was.
 *
 *     qemu-aarch64 -plugin blocks_plugin.so,out=FILE[,period=P,window=W][,attach=mark] PROGRAM
 *
 * With attach=mark the program runs unobserved, and several times as quickly, up to that mark.
 *
 * Lines of FILE:
 *     S ID ..                  a window: every P instructions the blocks of at least W instructions
 *     B ID ADDRESS COUNT CODE .. a block, in the order of translation; codes are the instructions in hexadecimal
 *     E ID NEXT:COUNT ..       the blocks that came after it most often
 *     T NAME VALUE ..          totals
 *
 * Only the thread of the first mark is counted. A gshare predictor sees each conditional branch and a table of targets
 * each indirect one. Loads and stores go through the caches of the Cortex-A72: 32 KB of data in two ways, 1 MB in
 * sixteen, lines of 64 bytes, least recently used, filled on a store as well.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marks.h"
#include "qemu_plugin_api.h"

EXPORT int qemu_plugin_version = 1;

enum { SUCCESSORS = 6, TABLE = 1 << 18, HISTORY = 1 << 14, TARGETS = 1 << 12, STREAMS = 32, LINE_BITS = 6 };
enum jump { JUMP_NONE, JUMP_CONDITIONAL, JUMP_INDIRECT };

typedef struct block {
    struct block *same_hash;
    uint64_t address, end, count;
    uint32_t instructions, id, *code;
    enum jump jump;
    struct block *successor[SUCCESSORS];
    uint64_t times[SUCCESSORS];
} block;

static block *table[TABLE], **blocks;
static uint32_t block_count;
static block *previous;
static int counting, counted_cpu = -1;
static uint64_t instructions, period, window, in_window, next_window;
static FILE *out;

/* Branches. */
static uint8_t taken_counter[HISTORY];
static uint32_t history;
static uint64_t target_of[TARGETS], branches, mispredicted, indirect, indirect_mispredicted;

static void predict(const block *from, const block *to) {
    if (from->jump == JUMP_CONDITIONAL) {
        uint32_t taken = to->address != from->end;
        uint8_t *counter = &taken_counter[((from->end >> 2) ^ history) % HISTORY];
        branches++;
        mispredicted += (*counter >= 2) != taken;
        if (taken && *counter < 3) {
            ++*counter;
        } else if (!taken && *counter) {
            --*counter;
        }
        history = history << 1 | taken;
    } else if (from->jump == JUMP_INDIRECT) {
        uint64_t *target = &target_of[((from->end >> 2) ^ (history << 2)) % TARGETS];
        indirect++;
        indirect_mispredicted += *target != to->address;
        *target = to->address;
    }
}

/* Caches. The ways of a set stand in order of use, the last used first. */
typedef struct cache {
    uint32_t sets, ways;
    uint64_t *tags; /* line number + 1, 0 for none */
    uint8_t *dirty;
    uint64_t misses, streamed, write_backs;
} cache;
static cache l1 = {.sets = 256, .ways = 2}, l2 = {.sets = 1024, .ways = 16};
static uint64_t loads, stores, stream[STREAMS];
static uint32_t next_stream;

/* Whether the line was there; it is then. *victim is the dirty line that made room, or 0. */
static int look_up(cache *c, uint64_t line, int write, uint64_t *victim) {
    size_t set = (size_t)(line % c->sets) * c->ways;
    uint64_t *tags = c->tags + set;
    uint8_t *dirty = c->dirty + set;
    uint32_t way = 0;
    while (way < c->ways - 1 && tags[way] != line) {
        way++;
    }
    int hit = tags[way] == line;
    uint8_t was_dirty = hit && dirty[way];
    *victim = !hit && dirty[way] ? tags[way] : 0;
    memmove(tags + 1, tags, way * sizeof *tags);
    memmove(dirty + 1, dirty, way);
    tags[0] = line;
    dirty[0] = was_dirty || write;
    return hit;
}

/* Whether a prefetcher would have seen the line come: one of the last streams was at one of the two lines before. */
static int streamed(uint64_t line) {
    for (int i = 0; i < STREAMS; i++) {
        if (stream[i] + 1 == line || stream[i] + 2 == line) {
            stream[i] = line;
            return 1;
        }
    }
    stream[next_stream++ % STREAMS] = line;
    return 0;
}

static void access_line(uint64_t line, int write) {
    uint64_t from_l1, from_l2;
    if (look_up(&l1, line, write, &from_l1)) {
        return;
    }
    int foreseen = streamed(line);
    l1.misses++;
    l1.streamed += (uint64_t)foreseen;
    if (!look_up(&l2, line, 0, &from_l2)) {
        l2.misses++;
        l2.streamed += (uint64_t)foreseen;
    }
    l2.write_backs += from_l2 != 0;
    if (from_l1) {
        l1.write_backs++;
        look_up(&l2, from_l1, 1, &from_l2);
        l2.write_backs += from_l2 != 0;
    }
}

static void on_memory(unsigned cpu, memory_info info, uint64_t address, void *argument) {
    (void)argument;
    if (!counting || (int)cpu != counted_cpu) {
        return;
    }
    int write = qemu_plugin_mem_is_store(info);
    uint64_t last = address + ((uint64_t)1 << qemu_plugin_mem_size_shift(info)) - 1;
    *(write ? &stores : &loads) += 1;
    access_line((address >> LINE_BITS) + 1, write);
    if (last >> LINE_BITS != address >> LINE_BITS) {
        access_line((last >> LINE_BITS) + 1, write);
    }
}

/* Counts the successor and keeps frequent ones in front. */
static void follow(block *from, block *to) {
    int i = 0;
    while (i < SUCCESSORS && from->successor[i] && from->successor[i] != to) {
        i++;
    }
    if (i == SUCCESSORS) {
        return;
    }
    from->successor[i] = to;
    from->times[i]++;
    if (i > 0 && from->times[i] > from->times[i - 1]) {
        uint64_t times = from->times[i];
        from->successor[i] = from->successor[i - 1];
        from->times[i] = from->times[i - 1];
        from->successor[i - 1] = to;
        from->times[i - 1] = times;
    }
}

static void sample(const block *b) {
    if (!in_window) {
        fprintf(out, "S");
    }
    in_window += b->instructions;
    fprintf(out, " %" PRIu32, b->id);
    if (in_window >= window) {
        fprintf(out, "\n");
        in_window = 0;
        next_window += period;
    }
}

static void on_block(unsigned cpu, void *argument) {
    if (!counting || (int)cpu != counted_cpu) {
        return;
    }
    block *b = argument;
    b->count++;
    instructions += b->instructions;
    if (previous) {
        follow(previous, b);
        predict(previous, b);
    }
    previous = b;
    if (period && instructions >= next_window) {
        sample(b);
    }
}

static void on_begin(unsigned cpu, void *argument) {
    (void)argument;
    if (counted_cpu < 0) {
        counted_cpu = (int)cpu;
        next_window = period / 2;
    }
    counting = 1;
    previous = NULL;
}

static void on_end(unsigned cpu, void *argument) {
    (void)argument;
    if ((int)cpu == counted_cpu) {
        counting = 0;
    }
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "blocks_plugin: out of memory\n");
        exit(1);
    }
    return memory;
}

static enum jump jump_of(uint32_t code) {
    if ((code & 0xff000010) == 0x54000000 || (code & 0x7c000000) == 0x34000000) { /* B.cond; CBZ, CBNZ, TBZ, TBNZ */
        return JUMP_CONDITIONAL;
    }
    /* BR and BLR; a RET comes back from where a BL was, which the core remembers. */
    return (code & 0xffdffc1f) == 0xd61f0000 ? JUMP_INDIRECT : JUMP_NONE;
}

/* QEMU translates a block again after it has emptied its cache: then it is the same one. */
static block *block_of(const struct qemu_plugin_tb *tb) {
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    size_t count = qemu_plugin_tb_n_insns(tb);
    uint32_t *code = allocate(count, sizeof *code);
    for (size_t i = 0; i < count; i++) {
        memcpy(&code[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof *code);
    }
    uint32_t hash = ((uint32_t)(address >> 2) * 2654435761u ^ (uint32_t)count) % TABLE;
    for (block *b = table[hash]; b; b = b->same_hash) {
        if (b->address == address && b->instructions == count && !memcmp(b->code, code, count * sizeof *code)) {
            free(code);
            return b;
        }
    }
    block *b = allocate(1, sizeof *b);
    *b = (block){.same_hash = table[hash],
                 .address = address,
                 .end = address + 4 * count,
                 .code = code,
                 .instructions = (uint32_t)count,
                 .id = block_count,
                 .jump = jump_of(code[count - 1])};
    table[hash] = b;
    if (!(block_count & (block_count - 1))) { /* 0 and powers of two */
        blocks = realloc(blocks, (2 * (size_t)block_count + 1) * sizeof *blocks);
        if (!blocks) {
            fprintf(stderr, "blocks_plugin: out of memory\n");
            exit(1);
        }
    }
    blocks[block_count++] = b;
    return b;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
    (void)id;
    block *b = block_of(tb);
    for (size_t i = 0; i < b->instructions; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        if (b->code[i] == MARK_CODE(MARK_BEGIN) || b->code[i] == MARK_CODE(MARK_END)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, b->code[i] == MARK_CODE(MARK_BEGIN) ? on_begin : on_end,
                                                   NO_REGISTERS, NULL);
        }
        if ((b->code[i] & 0x0a000000) == 0x08000000) { /* loads and stores */
            qemu_plugin_register_vcpu_mem_cb(insn, on_memory, NO_REGISTERS, MEMORY_READ_WRITE, NULL);
        }
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, b);
}

static void finish(plugin_id id, void *argument) {
    (void)id;
    (void)argument;
    if (in_window) {
        fprintf(out, "\n");
    }
    for (uint32_t i = 0; i < block_count; i++) {
        const block *b = blocks[i];
        if (!b->count) {
            continue;
        }
        fprintf(out, "B %" PRIu32 " %" PRIx64 " %" PRIu64, i, b->address, b->count);
        for (uint32_t k = 0; k < b->instructions; k++) {
            fprintf(out, " %08" PRIx32, b->code[k]);
        }
        fprintf(out, "\nE %" PRIu32, i);
        for (int k = 0; k < SUCCESSORS && b->successor[k]; k++) {
            fprintf(out, " %" PRIu32 ":%" PRIu64, b->successor[k]->id, b->times[k]);
        }
        fprintf(out, "\n");
    }
    fprintf(out,
            "T instructions %" PRIu64 " branches %" PRIu64 " mispredicted %" PRIu64 " indirect %" PRIu64
            " indirect_mispredicted %" PRIu64 " loads %" PRIu64 " stores %" PRIu64 " l1_misses %" PRIu64
            " l1_streamed %" PRIu64 " l1_write_backs %" PRIu64 " l2_misses %" PRIu64 " l2_streamed %" PRIu64
            " l2_write_backs %" PRIu64 "\n",
            instructions, branches, mispredicted, indirect, indirect_mispredicted, loads, stores, l1.misses,
            l1.streamed, l1.write_backs, l2.misses, l2.streamed, l2.write_backs);
    if (ferror(out) || fclose(out)) {
        fprintf(stderr, "blocks_plugin: the counts cannot be written\n");
        exit(1);
    }
}

static void observe(plugin_id id) {
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
}

static plugin_id own_id;

/* QEMU forgets all that it has translated, and translates it again with our calls in it. */
static void on_attach(unsigned cpu, void *argument) {
    (void)cpu;
    (void)argument;
    static int attached;
    if (!attached++) {
        qemu_plugin_reset(own_id, observe);
    }
}

static void wait_for_attach(plugin_id id, struct qemu_plugin_tb *tb) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t code;
        memcpy(&code, qemu_plugin_insn_data(insn), sizeof code);
        if (code == MARK_CODE(MARK_ATTACH)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_attach, NO_REGISTERS, NULL);
        }
    }
}

static void make_cache(cache *c) {
    c->tags = allocate((size_t)c->sets * c->ways, sizeof *c->tags);
    c->dirty = allocate((size_t)c->sets * c->ways, sizeof *c->dirty);
}

EXPORT int qemu_plugin_install(plugin_id id, const qemu_info *info, int argc, char **argv) {
    (void)info;
    int wait = 0;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "out=", 4)) {
            out = fopen(argv[i] + 4, "w");
        } else if (!strncmp(argv[i], "period=", 7)) {
            period = strtoull(argv[i] + 7, NULL, 10);
        } else if (!strncmp(argv[i], "window=", 7)) {
            window = strtoull(argv[i] + 7, NULL, 10);
        } else if (!strcmp(argv[i], "attach=mark")) {
            wait = 1;
        }
    }
    if (!out) {
        fprintf(stderr, "blocks_plugin: out=FILE is missing or cannot be written\n");
        return 1;
    }
    make_cache(&l1);
    make_cache(&l2);
    own_id = id;
    if (wait) {
        qemu_plugin_register_vcpu_tb_trans_cb(id, wait_for_attach);
    } else {
        observe(id);
    }
    return 0;
}
