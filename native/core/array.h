/*
 * Arrays whose length the compiler knows.
 */
#ifndef SHRIKE_ARRAY_H
#define SHRIKE_ARRAY_H

#include <stddef.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))

#endif
