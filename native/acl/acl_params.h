/*
 * The params of shrike_acl.h in the terms of ARM Compute Library, and what is wrong with them. Its shapes name the
 * innermost dimension first: an NHWC image is (channels, width, height, batch).
 */
#ifndef SHRIKE_ACL_PARAMS_H
#define SHRIKE_ACL_PARAMS_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "arm_compute/core/TensorInfo.h"
#include "arm_compute/core/Types.h"
#include "arm_compute/function_info/ActivationLayerInfo.h"

#include "shrike.h"
#include "shrike_acl.h"

/* What a binding writes by offset. */
static_assert(sizeof(shrike_acl_conv2d_params) == 192, "size of shrike_acl_conv2d_params");
static_assert(offsetof(shrike_acl_conv2d_params, weight_scale) == 32, "offset of weight_scale");
static_assert(offsetof(shrike_acl_conv2d_params, src_batch_stride) == 40, "offset of src_batch_stride");
static_assert(offsetof(shrike_acl_conv2d_params, batch) == 88, "offset of batch");
static_assert(offsetof(shrike_acl_conv2d_params, type) == 152, "offset of type");
static_assert(offsetof(shrike_acl_conv2d_params, src_scale) == 172, "offset of src_scale");
static_assert(offsetof(shrike_acl_conv2d_params, threads) == 188, "offset of threads");

namespace shrike_acl {

namespace acl = arm_compute;

enum Side { SOURCE, TARGET };

constexpr int32_t MAX_SIZE = 1 << 24;

/* Pixels below or right of the image that the windows reach, negative where they end before its edge. */
inline int64_t trailing_pad(int32_t size, int32_t out, int32_t kernel, int32_t stride, int32_t pad, int32_t dilation) {
    int64_t reach = static_cast<int64_t>(out - 1) * stride + static_cast<int64_t>(kernel - 1) * dilation + 1;
    return reach - size - pad;
}

inline bool are_sizes(const shrike_acl_conv2d_params &p) {
    for (int32_t size :
         {p.batch, p.height, p.width, p.channels, p.out_height, p.out_width, p.out_channels, p.groups, p.kernel_height,
          p.kernel_width, p.stride_height, p.stride_width, p.dilation_height, p.dilation_width}) {
        if (size < 1 || size > MAX_SIZE) {
            return false;
        }
    }
    return true;
}

/* The rows of an image follow one another, and so do its pixels. */
inline bool are_strides(int64_t batch, int64_t row, int64_t pixel, int32_t channels, int32_t width, int32_t height) {
    constexpr int64_t most = int64_t{1} << 40;
    return pixel >= channels && pixel <= most && row >= pixel * width && row <= most && batch >= row * height &&
           batch <= most;
}

inline bool is_scale(float scale) {
    return std::isfinite(scale) && scale > 0;
}

inline const char *contradiction_of_codes(const shrike_acl_conv2d_params &p) {
    int32_t low = p.type == SHRIKE_ACL_U8 ? 0 : -128, high = low + 255;
    if (!is_scale(p.src_scale) || !is_scale(p.dst_scale) || !p.weight_scale) {
        return "a scale is missing or not above 0";
    }
    for (int32_t i = 0; i < p.out_channels; i++) {
        if (!is_scale(p.weight_scale[i])) {
            return "a weight scale is not above 0";
        }
    }
    if (p.src_zero < low || p.src_zero > high || p.dst_zero < low || p.dst_zero > high) {
        return "a zero point is no code";
    }
    return p.activation == SHRIKE_ACTIVATION_NONE ? nullptr : "codes take no activation";
}

/* What makes no sense, or null. */
inline const char *contradiction(const shrike_acl_conv2d_params *params) {
    if (!params || !params->src || !params->dst || !params->weights) {
        return "params, src, dst or weights is null";
    }
    const shrike_acl_conv2d_params &p = *params;
    if (!are_sizes(p) || p.pad_top < 0 || p.pad_left < 0 || p.pad_top > MAX_SIZE || p.pad_left > MAX_SIZE) {
        return "a size is out of range";
    }
    if (p.threads < 1 || p.threads > SHRIKE_MAX_THREADS) {
        return "threads is not within 1..256";
    }
    if (!are_strides(p.src_batch_stride, p.src_row_stride, p.src_pixel_stride, p.channels, p.width, p.height) ||
        !are_strides(p.dst_batch_stride, p.dst_row_stride, p.dst_pixel_stride, p.out_channels, p.out_width,
                     p.out_height)) {
        return "strides overlap";
    }
    if (p.type < 0 || p.type >= SHRIKE_ACL_TYPE_COUNT || p.method < 0 || p.method >= SHRIKE_ACL_METHOD_COUNT ||
        p.activation < 0 || p.activation >= SHRIKE_ACTIVATION_COUNT) {
        return "type, method or activation is unknown";
    }
    return p.type == SHRIKE_ACL_F32 ? nullptr : contradiction_of_codes(p);
}

/* ARM Compute Library knows gaps only as padding of the innermost dimension, so rows and images have none of their
 * own. */
inline bool has_uniform_strides(const shrike_acl_conv2d_params &p) {
    return p.src_row_stride == p.src_pixel_stride * p.width && p.dst_row_stride == p.dst_pixel_stride * p.out_width &&
           (p.batch == 1 || (p.src_batch_stride == p.src_row_stride * p.height &&
                             p.dst_batch_stride == p.dst_row_stride * p.out_height));
}

inline acl::DataType data_type(const shrike_acl_conv2d_params &p) {
    switch (p.type) {
    case SHRIKE_ACL_U8:
        return acl::DataType::QASYMM8;
    case SHRIKE_ACL_S8:
        return acl::DataType::QASYMM8_SIGNED;
    default:
        return acl::DataType::F32;
    }
}

inline acl::TensorInfo image(const shrike_acl_conv2d_params &p, Side side) {
    bool source = side == SOURCE;
    size_t channels = static_cast<size_t>(source ? p.channels : p.out_channels);
    size_t width = static_cast<size_t>(source ? p.width : p.out_width);
    size_t height = static_cast<size_t>(source ? p.height : p.out_height), batch = static_cast<size_t>(p.batch);
    size_t gap = static_cast<size_t>(source ? p.src_pixel_stride : p.dst_pixel_stride) - channels;
    acl::TensorInfo info(acl::TensorShape(channels, width, height, batch), 1, data_type(p));
    if (gap > 0) {
        /* Bare strides will not do: functions of one value take an image without padding for one run of numbers. */
        info.extend_padding(acl::PaddingSize(0, gap, 0, 0));
    }
    info.set_data_layout(acl::DataLayout::NHWC);
    if (p.type != SHRIKE_ACL_F32) {
        info.set_quantization_info(source ? acl::QuantizationInfo(p.src_scale, p.src_zero)
                                          : acl::QuantizationInfo(p.dst_scale, p.dst_zero));
    }
    info.set_is_resizable(false);
    return info;
}

inline acl::TensorInfo weights(const shrike_acl_conv2d_params &p) {
    acl::TensorShape shape(static_cast<size_t>(p.channels), static_cast<size_t>(p.kernel_width),
                           static_cast<size_t>(p.kernel_height), static_cast<size_t>(p.out_channels));
    bool floats = p.type == SHRIKE_ACL_F32;
    acl::TensorInfo info(shape, 1, floats ? acl::DataType::F32 : acl::DataType::QSYMM8_PER_CHANNEL);
    info.set_data_layout(acl::DataLayout::NHWC);
    if (!floats) {
        info.set_quantization_info(
            acl::QuantizationInfo(std::vector<float>(p.weight_scale, p.weight_scale + p.out_channels)));
    }
    info.set_is_resizable(false);
    return info;
}

inline acl::TensorInfo bias(const shrike_acl_conv2d_params &p) {
    return acl::TensorInfo(acl::TensorShape(static_cast<size_t>(p.out_channels)), 1,
                           p.type == SHRIKE_ACL_F32 ? acl::DataType::F32 : acl::DataType::S32);
}

inline acl::PadStrideInfo padding(const shrike_acl_conv2d_params &p) {
    int64_t right = trailing_pad(p.width, p.out_width, p.kernel_width, p.stride_width, p.pad_left, p.dilation_width);
    int64_t bottom =
        trailing_pad(p.height, p.out_height, p.kernel_height, p.stride_height, p.pad_top, p.dilation_height);
    return acl::PadStrideInfo(static_cast<unsigned>(p.stride_width), static_cast<unsigned>(p.stride_height),
                              static_cast<unsigned>(p.pad_left), static_cast<unsigned>(right > 0 ? right : 0),
                              static_cast<unsigned>(p.pad_top), static_cast<unsigned>(bottom > 0 ? bottom : 0),
                              acl::DimensionRoundingType::FLOOR);
}

inline acl::Size2D dilation(const shrike_acl_conv2d_params &p) {
    return acl::Size2D(static_cast<size_t>(p.dilation_width), static_cast<size_t>(p.dilation_height));
}

/* Whether ARM Compute Library has the function; its hard sigmoid is none of its own. */
inline bool has_activation(const shrike_acl_conv2d_params &p) {
    return p.activation != SHRIKE_ACTIVATION_HARD_SIGMOID;
}

inline acl::ActivationLayerInfo activation(const shrike_acl_conv2d_params &p) {
    using Function = acl::ActivationLayerInfo::ActivationFunction;
    switch (p.activation) {
    case SHRIKE_ACTIVATION_SILU:
        return {Function::SWISH, 1};
    case SHRIKE_ACTIVATION_RELU:
        return {Function::RELU};
    case SHRIKE_ACTIVATION_LEAKY_RELU:
        return {Function::LEAKY_RELU, p.alpha};
    case SHRIKE_ACTIVATION_SIGMOID:
        return {Function::LOGISTIC};
    case SHRIKE_ACTIVATION_HARD_SWISH:
        return {Function::HARD_SWISH};
    case SHRIKE_ACTIVATION_TANH:
        return {Function::TANH, 1, 1};
    case SHRIKE_ACTIVATION_CLIP:
        return {Function::LU_BOUNDED_RELU, p.beta, p.alpha};
    default:
        return {};
    }
}

} // namespace shrike_acl

#endif
