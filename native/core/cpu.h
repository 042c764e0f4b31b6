/*
 * Feature bits that the tiers of kernels ask for.
 */
#ifndef SHRIKE_CPU_H
#define SHRIKE_CPU_H

#include "shrike.h"

#define SHRIKE_TIER_AVX2 (SHRIKE_CPU_AVX2 | SHRIKE_CPU_FMA)
#define SHRIKE_TIER_AVXVNNI (SHRIKE_CPU_AVXVNNI | SHRIKE_TIER_AVX2)
#define SHRIKE_TIER_AVX512 (SHRIKE_CPU_AVX512F | SHRIKE_TIER_AVX2)
#define SHRIKE_TIER_AVX512VNNI                                                                                         \
    (SHRIKE_CPU_AVX512BW | SHRIKE_CPU_AVX512VL | SHRIKE_CPU_AVX512VBMI | SHRIKE_CPU_AVX512VNNI | SHRIKE_TIER_AVX512)

#endif
