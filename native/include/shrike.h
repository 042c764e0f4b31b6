/*
 * Shrike's C library: operations on strided views of float32 and of quantised codes, run by a small worker pool.
 *
 * Rules that hold for every operation:
 *  - int32_t shrike_<op>(context, params) returns SHRIKE_OK or an error status; with an error nothing was written.
 *  - The caller owns all memory; the library keeps no pointer after the call and allocates nothing during it.
 *  - Strides and sizes count elements (floats or one-byte codes). Pointers need only the alignment of their type.
 *  - Numbers are not trusted: whatever they are, a call gives a status and touches only what the bounds of its pointers
 *    allow. What packed weights and thresholds hold is trusted to be what the library wrote there.
 *  - Images are NHWC: element (n, y, x, c) lies at base + n * batch_stride + y * row_stride + x * pixel_stride + c. A
 *    pixel stride above the channel count describes a slice of a wider image.
 *  - A destination may be the same view as a source only where the operation says so; other overlap is undefined.
 *  - Results are the same bits for any number of threads. Floats may differ in the last bits between CPU tiers;
 *    operations on codes are the same bits on every tier.
 *  - Fields named reserved must be 0.
 */
#ifndef SHRIKE_H
#define SHRIKE_H

#include "shrike/activation.h"
#include "shrike/add_u8.h"
#include "shrike/base.h"
#include "shrike/codes.h"
#include "shrike/context.h"
#include "shrike/conv2d_f32.h"
#include "shrike/conv2d_q.h"
#include "shrike/copy_f32.h"
#include "shrike/elementwise_f32.h"
#include "shrike/letterbox_u8.h"
#include "shrike/lut_u8.h"
#include "shrike/matmul_f32.h"
#include "shrike/pool2d_f32.h"
#include "shrike/pool2d_u8.h"
#include "shrike/quantize_u8.h"
#include "shrike/reduce_f32.h"
#include "shrike/resize2d_f32.h"
#include "shrike/resize2d_u8.h"
#include "shrike/softmax_f32.h"
#include "shrike/view.h"

#endif
