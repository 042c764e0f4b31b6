/*
 * A convolution is one function of ARM Compute Library with its four tensors. Source and target are the caller's
 * memory; the gaps of a slice of a wider image are described as padding to the right of the channels, which kernels
 * skip, and closed to more of it. Weights and bias are copies; whatever form the function made of the weights during
 * prepare() replaces them.
 */
#include "shrike_acl.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "arm_compute/core/Version.h"
#include "arm_compute/runtime/NEON/functions/NEConvolutionLayer.h"
#include "arm_compute/runtime/NEON/functions/NEGEMMConvolutionLayer.h"
#include "arm_compute/runtime/Scheduler.h"
#include "arm_compute/runtime/Tensor.h"

#include "acl_params.h"

namespace acl = arm_compute;

namespace {

thread_local char message[512] = "";

int32_t failure(int32_t status, const std::string &text) {
    std::snprintf(message, sizeof message, "%s", text.c_str());
    return status;
}

/* What runs or packs uses the library's one scheduler. */
std::mutex scheduler_mutex;

void use_threads(int32_t threads) {
    acl::IScheduler &scheduler = acl::Scheduler::get();
    if (scheduler.num_threads() != static_cast<unsigned>(threads)) {
        scheduler.set_num_threads(static_cast<unsigned>(threads));
    }
}

/* Every exception of a body becomes a status. */
template <typename Body> int32_t guarded(Body body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return failure(SHRIKE_ACL_ENOMEM, "out of memory");
    } catch (const std::exception &e) {
        return failure(SHRIKE_ACL_EFAILED, e.what());
    }
}

const char *method_name(acl::ConvolutionMethod method) {
    switch (method) {
    case acl::ConvolutionMethod::GEMM:
        return "gemm";
    case acl::ConvolutionMethod::GEMM_CONV2D:
        return "gemm_conv2d";
    case acl::ConvolutionMethod::DIRECT:
        return "direct";
    case acl::ConvolutionMethod::WINOGRAD:
        return "winograd";
    case acl::ConvolutionMethod::FFT:
        return "fft";
    default:
        return "other";
    }
}

/* [O][I][H][W] to [O][H][W][I], which is what NHWC means for weights. */
template <typename T> void reorder(const shrike_acl_conv2d_params &p, T *to) {
    const T *from = static_cast<const T *>(p.weights);
    int64_t taps = static_cast<int64_t>(p.kernel_height) * p.kernel_width;
    for (int64_t o = 0; o < p.out_channels; o++) {
        for (int64_t i = 0; i < p.channels; i++) {
            for (int64_t t = 0; t < taps; t++) {
                to[(o * taps + t) * p.channels + i] = from[(o * p.channels + i) * taps + t];
            }
        }
    }
}

} // namespace

struct shrike_acl_conv2d {
    acl::Tensor src, dst, weights, bias;
    std::unique_ptr<acl::IFunction> function;
    const char *kernel = "gemm";
    int32_t threads = 1;

    explicit shrike_acl_conv2d(const shrike_acl_conv2d_params &p) : threads(p.threads) {
        src.allocator()->init(shrike_acl::image(p, shrike_acl::SOURCE));
        dst.allocator()->init(shrike_acl::image(p, shrike_acl::TARGET));
        weights.allocator()->init(shrike_acl::weights(p));
        bias.allocator()->init(shrike_acl::bias(p));
    }

    /* What the functions say before anything is configured. */
    acl::Status validate(const shrike_acl_conv2d_params &p) const {
        const acl::ITensorInfo *b = p.bias ? bias.info() : nullptr;
        auto valid =
            p.method == SHRIKE_ACL_GEMM ? acl::NEGEMMConvolutionLayer::validate : acl::NEConvolutionLayer::validate;
        return valid(src.info(), weights.info(), b, dst.info(), shrike_acl::padding(p), acl::WeightsInfo(),
                     shrike_acl::dilation(p), shrike_acl::activation(p), false, 1);
    }

    void import_images(const shrike_acl_conv2d_params &p) {
        for (acl::Status status :
             {src.allocator()->import_memory(const_cast<void *>(p.src)), dst.allocator()->import_memory(p.dst)}) {
            if (!status) {
                throw std::runtime_error(status.error_description());
            }
        }
    }

    template <typename Function> void configure(const shrike_acl_conv2d_params &p) {
        auto made = std::make_unique<Function>(nullptr);
        made->configure(&src, &weights, p.bias ? &bias : nullptr, &dst, shrike_acl::padding(p), acl::WeightsInfo(),
                        shrike_acl::dilation(p), shrike_acl::activation(p), false, 1);
        function = std::move(made);
    }

    void fill_constants(const shrike_acl_conv2d_params &p) {
        weights.allocator()->allocate();
        if (p.type == SHRIKE_ACL_F32) {
            reorder(p, reinterpret_cast<float *>(weights.buffer()));
        } else {
            reorder(p, reinterpret_cast<int8_t *>(weights.buffer()));
        }
        if (p.bias) {
            bias.allocator()->allocate();
            std::memcpy(bias.buffer(), p.bias, static_cast<size_t>(p.out_channels) * 4);
        }
    }

    void set_up(const shrike_acl_conv2d_params &p) {
        import_images(p);
        if (p.method == SHRIKE_ACL_GEMM) {
            configure<acl::NEGEMMConvolutionLayer>(p);
        } else {
            kernel = method_name(acl::NEConvolutionLayer::get_convolution_method(
                src.info(), weights.info(), dst.info(), shrike_acl::padding(p), acl::WeightsInfo(),
                shrike_acl::dilation(p), shrike_acl::activation(p), false));
            configure<acl::NEConvolutionLayer>(p);
        }
        fill_constants(p);
        function->prepare();
        if (!weights.is_used()) {
            weights.allocator()->free();
        }
    }
};

uint32_t shrike_acl_abi_version(void) {
    return SHRIKE_ACL_ABI_VERSION;
}

const char *shrike_acl_version(void) {
    /* "arm_compute_version=v24.11 Build options: .." */
    static const std::string version = [] {
        std::string text = acl::build_information();
        size_t begin = text.find("=v"), end = text.find(' ');
        return begin == std::string::npos || end < begin ? text : text.substr(begin + 2, end - begin - 2);
    }();
    return version.c_str();
}

const char *shrike_acl_message(void) {
    return message;
}

int32_t shrike_acl_conv2d_create(const shrike_acl_conv2d_params *params, shrike_acl_conv2d **out) {
    if (!out) {
        return failure(SHRIKE_ACL_EINVAL, "no place for the result");
    }
    *out = nullptr;
    if (const char *wrong = shrike_acl::contradiction(params)) {
        return failure(SHRIKE_ACL_EINVAL, wrong);
    }
    if (!shrike_acl::has_activation(*params)) {
        return failure(SHRIKE_ACL_EUNSUPPORTED, "no such activation");
    }
    if (params->groups != 1) {
        return failure(SHRIKE_ACL_EUNSUPPORTED, "no grouped convolutions");
    }
    if (!shrike_acl::has_uniform_strides(*params)) {
        return failure(SHRIKE_ACL_EUNSUPPORTED, "no gaps between rows or images");
    }
    return guarded([&] {
        std::lock_guard<std::mutex> lock(scheduler_mutex);
        use_threads(params->threads);
        auto made = std::make_unique<shrike_acl_conv2d>(*params);
        if (acl::Status status = made->validate(*params); !status) {
            return failure(SHRIKE_ACL_EUNSUPPORTED, status.error_description());
        }
        made->set_up(*params);
        *out = made.release();
        return static_cast<int32_t>(SHRIKE_ACL_OK);
    });
}

int32_t shrike_acl_conv2d_run(shrike_acl_conv2d *convolution) {
    if (!convolution) {
        return failure(SHRIKE_ACL_EINVAL, "no convolution");
    }
    return guarded([&] {
        std::lock_guard<std::mutex> lock(scheduler_mutex);
        use_threads(convolution->threads);
        convolution->function->run();
        return static_cast<int32_t>(SHRIKE_ACL_OK);
    });
}

const char *shrike_acl_conv2d_kernel(const shrike_acl_conv2d *convolution) {
    return convolution ? convolution->kernel : "";
}

void shrike_acl_conv2d_destroy(shrike_acl_conv2d *convolution) {
    std::lock_guard<std::mutex> lock(scheduler_mutex);
    delete convolution;
}
