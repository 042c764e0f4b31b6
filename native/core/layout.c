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

SIZE(shrike_conv2d_f32_params, 192);
AT(shrike_conv2d_f32_params, src_batch_stride, 40);
AT(shrike_conv2d_f32_params, residual_batch_stride, 88);
AT(shrike_conv2d_f32_params, batch, 112);
AT(shrike_conv2d_f32_params, out_height, 128);
AT(shrike_conv2d_f32_params, kernel_height, 144);
AT(shrike_conv2d_f32_params, pad_top, 160);
AT(shrike_conv2d_f32_params, activation, 176);
AT(shrike_conv2d_f32_params, reserved, 188);

SIZE(shrike_pool2d_f32_params, 136);
AT(shrike_pool2d_f32_params, src_batch_stride, 16);
AT(shrike_pool2d_f32_params, batch, 64);
AT(shrike_pool2d_f32_params, out_height, 80);
AT(shrike_pool2d_f32_params, kernel_height, 88);
AT(shrike_pool2d_f32_params, pad_top, 104);
AT(shrike_pool2d_f32_params, dilation_height, 120);
AT(shrike_pool2d_f32_params, reserved, 132);

SIZE(shrike_resize2d_f32_params, 112);
AT(shrike_resize2d_f32_params, batch, 64);
AT(shrike_resize2d_f32_params, mode, 88);
AT(shrike_resize2d_f32_params, scale_height, 100);
AT(shrike_resize2d_f32_params, reserved, 108);

SIZE(shrike_unary_f32_params, 176);
AT(shrike_unary_f32_params, dims, 16);
AT(shrike_unary_f32_params, rank, 160);

SIZE(shrike_binary_f32_params, 224);
AT(shrike_binary_f32_params, dims, 24);
AT(shrike_binary_f32_params, rank, 216);

SIZE(shrike_copy_f32_params, 168);
AT(shrike_copy_f32_params, rank, 160);

SIZE(shrike_fill_f32_params, 112);
AT(shrike_fill_f32_params, rank, 104);

SIZE(shrike_softmax_f32_params, 168);
AT(shrike_softmax_f32_params, rank, 160);

SIZE(shrike_reduce_f32_params, 176);
AT(shrike_reduce_f32_params, axis_mask, 168);

SIZE(shrike_matmul_f32_params, 296);
AT(shrike_matmul_f32_params, batch_dims, 32);
AT(shrike_matmul_f32_params, m, 192);
AT(shrike_matmul_f32_params, a_row_stride, 216);
AT(shrike_matmul_f32_params, dst_row_stride, 264);
AT(shrike_matmul_f32_params, alpha, 280);
AT(shrike_matmul_f32_params, batch_rank, 288);

SIZE(shrike_conv2d_q_params, 304);
AT(shrike_conv2d_q_params, table, 40);
AT(shrike_conv2d_q_params, thresholds, 48);
AT(shrike_conv2d_q_params, workspace, 64);
AT(shrike_conv2d_q_params, src_range, 72);
AT(shrike_conv2d_q_params, src_batch_stride, 80);
AT(shrike_conv2d_q_params, residual_batch_stride, 128);
AT(shrike_conv2d_q_params, workspace_bytes, 152);
AT(shrike_conv2d_q_params, batch, 160);
AT(shrike_conv2d_q_params, out_height, 176);
AT(shrike_conv2d_q_params, kernel_height, 192);
AT(shrike_conv2d_q_params, pad_top, 208);
AT(shrike_conv2d_q_params, src_zero, 224);
AT(shrike_conv2d_q_params, output, 240);
AT(shrike_conv2d_q_params, residual_a, 252);
AT(shrike_conv2d_q_params, residual_low, 264);
AT(shrike_conv2d_q_params, activation, 272);
AT(shrike_conv2d_q_params, code_multiplier, 284);
AT(shrike_conv2d_q_params, residual_first, 292);
AT(shrike_conv2d_q_params, kernel, 296);
AT(shrike_conv2d_q_params, src_measured, 300);

SIZE(shrike_pool2d_u8_params, 120);
AT(shrike_pool2d_u8_params, batch, 64);
AT(shrike_pool2d_u8_params, dilation_width, 116);

SIZE(shrike_resize2d_u8_params, 104);
AT(shrike_resize2d_u8_params, coordinates, 88);
AT(shrike_resize2d_u8_params, scale_width, 100);

SIZE(shrike_map_u8_params, 176);
AT(shrike_map_u8_params, dims, 24);
AT(shrike_map_u8_params, rank, 168);

SIZE(shrike_add_u8_params, 240);
AT(shrike_add_u8_params, dims, 24);
AT(shrike_add_u8_params, rank, 216);
AT(shrike_add_u8_params, high, 236);

SIZE(shrike_quantize_f32_u8_params, 184);
AT(shrike_quantize_f32_u8_params, rank, 160);
AT(shrike_quantize_f32_u8_params, reserved, 180);

SIZE(shrike_code_range, 8);
AT(shrike_code_range, zero, 4);

SIZE(shrike_quantize_measured_f32_u8_params, 176);
AT(shrike_quantize_measured_f32_u8_params, range, 16);
AT(shrike_quantize_measured_f32_u8_params, rank, 168);
AT(shrike_quantize_measured_f32_u8_params, reserved, 172);

SIZE(shrike_dequantize_u8_f32_params, 184);
AT(shrike_dequantize_u8_f32_params, range, 16);
AT(shrike_dequantize_u8_f32_params, rank, 168);
AT(shrike_dequantize_u8_f32_params, reserved, 180);
