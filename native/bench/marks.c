/* The marks as functions, for programs that are not written in C. */
#include "marks.h"

void mark_attach(void) {
    MARK(MARK_ATTACH);
}

void mark_begin(void) {
    MARK(MARK_BEGIN);
}

void mark_end(void) {
    MARK(MARK_END);
}
