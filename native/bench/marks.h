/*
 * Instructions that do nothing on any aarch64 core (hints that no architecture has allocated) and tell the counting
 * plugin where the counted part of a program begins and ends.
 */
#ifndef SHRIKE_MARKS_H
#define SHRIKE_MARKS_H

#define MARK_BEGIN 104
#define MARK_END 105
/* From here on a plugin that waited for it looks at the program; comes before the begin, outside of what is counted. */
#define MARK_ATTACH 106
#define MARK_CODE(number) (0xd503201fu | (number) << 5)

#if defined(__aarch64__)
#define MARK_TEXT(number) #number
#define MARK(number) __asm__ volatile("hint #" MARK_TEXT(number)::: "memory")
#else
#define MARK(number) (void)0
#endif

#endif
