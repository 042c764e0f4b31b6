/*
 * Pins the layout of every parameter struct: callers in other languages lay them out by these numbers. All pointers
 * are 8 bytes and fields are ordered so that there is no hidden padding, so each size is the sum of its fields.
 */
#include <stddef.h>

#include "shrike.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has an unexpected size")
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")

_Static_assert(sizeof(void *) == 8, "Shrike needs 64-bit pointers");
_Static_assert(sizeof(float) == 4, "float must be IEEE binary32");

SIZE(shrike_conv2d_f32_params, 272);
AT(shrike_conv2d_f32_params, src_bounds, 40);
AT(shrike_conv2d_f32_params, src_batch_stride, 120);
AT(shrike_conv2d_f32_params, residual_batch_stride, 168);
AT(shrike_conv2d_f32_params, batch, 192);
AT(shrike_conv2d_f32_params, out_height, 208);
AT(shrike_conv2d_f32_params, kernel_height, 224);
AT(shrike_conv2d_f32_params, pad_top, 240);
AT(shrike_conv2d_f32_params, activation, 256);
AT(shrike_conv2d_f32_params, reserved, 268);

SIZE(shrike_pool2d_f32_params, 168);
AT(shrike_pool2d_f32_params, src_bounds, 16);
AT(shrike_pool2d_f32_params, src_batch_stride, 48);
AT(shrike_pool2d_f32_params, batch, 96);
AT(shrike_pool2d_f32_params, out_height, 112);
AT(shrike_pool2d_f32_params, kernel_height, 120);
AT(shrike_pool2d_f32_params, pad_top, 136);
AT(shrike_pool2d_f32_params, dilation_height, 152);
AT(shrike_pool2d_f32_params, reserved, 164);

SIZE(shrike_resize2d_f32_params, 144);
AT(shrike_resize2d_f32_params, src_bounds, 16);
AT(shrike_resize2d_f32_params, batch, 96);
AT(shrike_resize2d_f32_params, mode, 120);
AT(shrike_resize2d_f32_params, scale_height, 132);
AT(shrike_resize2d_f32_params, reserved, 140);

SIZE(shrike_unary_f32_params, 208);
AT(shrike_unary_f32_params, src_bounds, 16);
AT(shrike_unary_f32_params, dims, 48);
AT(shrike_unary_f32_params, rank, 192);

SIZE(shrike_binary_f32_params, 272);
AT(shrike_binary_f32_params, a_bounds, 24);
AT(shrike_binary_f32_params, dims, 72);
AT(shrike_binary_f32_params, rank, 264);

SIZE(shrike_copy_f32_params, 200);
AT(shrike_copy_f32_params, src_bounds, 16);
AT(shrike_copy_f32_params, rank, 192);

SIZE(shrike_fill_f32_params, 128);
AT(shrike_fill_f32_params, dst_bounds, 8);
AT(shrike_fill_f32_params, rank, 120);

SIZE(shrike_softmax_f32_params, 200);
AT(shrike_softmax_f32_params, src_bounds, 16);
AT(shrike_softmax_f32_params, rank, 192);

SIZE(shrike_reduce_f32_params, 208);
AT(shrike_reduce_f32_params, src_bounds, 16);
AT(shrike_reduce_f32_params, axis_mask, 200);

SIZE(shrike_matmul_f32_params, 360);
AT(shrike_matmul_f32_params, a_bounds, 32);
AT(shrike_matmul_f32_params, batch_dims, 96);
AT(shrike_matmul_f32_params, m, 256);
AT(shrike_matmul_f32_params, a_row_stride, 280);
AT(shrike_matmul_f32_params, dst_row_stride, 328);
AT(shrike_matmul_f32_params, alpha, 344);
AT(shrike_matmul_f32_params, batch_rank, 352);

SIZE(shrike_conv2d_q_params, 456);
AT(shrike_conv2d_q_params, src_bounds, 80);
AT(shrike_conv2d_q_params, table, 40);
AT(shrike_conv2d_q_params, thresholds, 48);
AT(shrike_conv2d_q_params, workspace, 64);
AT(shrike_conv2d_q_params, src_range, 72);
AT(shrike_conv2d_q_params, src_batch_stride, 240);
AT(shrike_conv2d_q_params, residual_batch_stride, 288);
AT(shrike_conv2d_q_params, batch, 312);
AT(shrike_conv2d_q_params, out_height, 328);
AT(shrike_conv2d_q_params, kernel_height, 344);
AT(shrike_conv2d_q_params, pad_top, 360);
AT(shrike_conv2d_q_params, src_zero, 376);
AT(shrike_conv2d_q_params, output, 392);
AT(shrike_conv2d_q_params, residual_a, 404);
AT(shrike_conv2d_q_params, residual_low, 416);
AT(shrike_conv2d_q_params, activation, 424);
AT(shrike_conv2d_q_params, code_multiplier, 436);
AT(shrike_conv2d_q_params, residual_first, 444);
AT(shrike_conv2d_q_params, kernel, 448);
AT(shrike_conv2d_q_params, src_dynamic, 452);

SIZE(shrike_pool2d_u8_params, 152);
AT(shrike_pool2d_u8_params, src_bounds, 16);
AT(shrike_pool2d_u8_params, batch, 96);
AT(shrike_pool2d_u8_params, dilation_width, 148);

SIZE(shrike_resize2d_u8_params, 136);
AT(shrike_resize2d_u8_params, src_bounds, 16);
AT(shrike_resize2d_u8_params, coordinates, 120);
AT(shrike_resize2d_u8_params, scale_width, 132);

SIZE(shrike_lut_u8_params, 224);
AT(shrike_lut_u8_params, src_bounds, 24);
AT(shrike_lut_u8_params, dims, 72);
AT(shrike_lut_u8_params, rank, 216);

SIZE(shrike_add_u8_params, 288);
AT(shrike_add_u8_params, a_bounds, 24);
AT(shrike_add_u8_params, dims, 72);
AT(shrike_add_u8_params, rank, 264);
AT(shrike_add_u8_params, high, 284);

SIZE(shrike_quantize_f32_u8_params, 216);
AT(shrike_quantize_f32_u8_params, src_bounds, 16);
AT(shrike_quantize_f32_u8_params, rank, 192);
AT(shrike_quantize_f32_u8_params, reserved, 212);

SIZE(shrike_bounds, 16);
AT(shrike_bounds, after, 8);

SIZE(shrike_code_range, 8);
AT(shrike_code_range, zero, 4);

SIZE(shrike_quantize_dynamic_f32_u8_params, 224);
AT(shrike_quantize_dynamic_f32_u8_params, src_bounds, 24);
AT(shrike_quantize_dynamic_f32_u8_params, range, 16);
AT(shrike_quantize_dynamic_f32_u8_params, rank, 216);
AT(shrike_quantize_dynamic_f32_u8_params, reserved, 220);

SIZE(shrike_dequantize_u8_f32_params, 232);
AT(shrike_dequantize_u8_f32_params, src_bounds, 24);
AT(shrike_dequantize_u8_f32_params, range, 16);
AT(shrike_dequantize_u8_f32_params, rank, 216);
AT(shrike_dequantize_u8_f32_params, reserved, 228);
