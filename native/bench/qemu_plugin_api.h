/*
 * What the plugins here use of QEMU's plugin interface, version 1, so no QEMU source is wanted.
 */
#ifndef SHRIKE_QEMU_PLUGIN_API_H
#define SHRIKE_QEMU_PLUGIN_API_H

#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE_ADD 0
#define NO_REGISTERS 0
#define MEMORY_READ_WRITE 3

typedef uint64_t plugin_id;
typedef uint32_t memory_info;
typedef struct qemu_info qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_reset(plugin_id id, void (*body)(plugin_id));
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*body)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*body)(unsigned, void *), int flags,
                                          void *argument);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation, void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*body)(unsigned, void *), int flags,
                                            void *argument);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                      void (*body)(unsigned, memory_info, uint64_t, void *), int flags, int access,
                                      void *argument);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*body)(plugin_id, void *), void *argument);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *insn);
unsigned qemu_plugin_mem_size_shift(memory_info info);
_Bool qemu_plugin_mem_is_store(memory_info info);
void qemu_plugin_outs(const char *text);

#endif
