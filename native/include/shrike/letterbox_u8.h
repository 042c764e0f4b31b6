/*
 * Frames of cameras as inputs of networks.
 */
#ifndef SHRIKE_API_LETTERBOX_U8_H
#define SHRIKE_API_LETTERBOX_U8_H

#include "context.h"

/* How the pixels of a frame lie in memory; the order is that of dev.shrike.PixelFormat. */
enum shrike_pixel_format {
    SHRIKE_PIXELS_BGR, /* 3 bytes a pixel */
    SHRIKE_PIXELS_RGB,
    SHRIKE_PIXELS_GREY, /* 1 byte a pixel */
    SHRIKE_PIXELS_YUYV, /* Y0 U Y1 V: 4 bytes for two pixels */
    SHRIKE_PIXELS_UYVY, /* U Y0 V Y1 */
    SHRIKE_PIXELS_NV12, /* a plane of Y, then U and V interleaved at half the width and height in rows as far apart */
    SHRIKE_PIXELS_I420, /* planes of Y, U and V; rows of the latter half as far apart, rounded up */
    SHRIKE_PIXELS_COUNT
};

/*
 * Writes a region of a frame into a network's input of out_height x out_width pixels and three channels: as BGR by
 * ITU-R BT.601 in limited range (20 bits, as in OpenCV; halves are rounded down: pixel (x, y) has the U and V of x /
 * 2), resized to inner_height x inner_width at (left, top) bilinearly in fixed point with 11 bits as OpenCV's
 * INTER_LINEAR, each byte times scale; fill everywhere else. All in one pass: no pixel is converted or resized that is
 * not needed. Strides of dst count floats; any order of its three dimensions will do.
 */
typedef struct shrike_letterbox_u8_f32_params {
    const uint8_t *src;
    float *dst;
    int32_t *workspace; /* 6 * inner_width + 4 * inner_height elements; may hold anything before and after */
    shrike_bounds src_bounds, dst_bounds, workspace_bounds;
    int64_t src_row_stride; /* bytes from one row of the first plane to the next, below 2^31 */
    int64_t dst_channel_stride, dst_row_stride, dst_pixel_stride;
    int32_t format;
    int32_t height, width; /* of the frame */
    int32_t region_top, region_left, region_height, region_width;
    int32_t out_height, out_width;
    int32_t top, left, inner_height, inner_width;
    int32_t red_first; /* 1: the channels of dst are red, green, blue; 0: blue, green, red */
    float scale, fill;
} shrike_letterbox_u8_f32_params;

SHRIKE_API int32_t shrike_letterbox_u8_f32(shrike_context *context, const shrike_letterbox_u8_f32_params *params);

#endif
