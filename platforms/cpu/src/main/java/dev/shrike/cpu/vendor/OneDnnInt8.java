package dev.shrike.cpu.vendor;

import static org.bytedeco.dnnl.global.dnnl.*;

import dev.shrike.cpu.binding.BoundedPointer;
import dev.shrike.cpu.binding.CpuFeatures;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.Epilogue;
import dev.shrike.cpu.lowering.QuantizedConv;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.cpu.steps.Step;
import dev.shrike.graph.Activation;
import dev.shrike.graph.quantization.Requantization;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;

/**
 * Convolutions of codes by oneDNN with the bits of our own kernels.
 *
 * <p>The sums are exact in int32 by VNNI; older instructions saturate pairs of products in 16 bits, so CPUs without
 * AVX-512 VNNI are refused. oneDNN subtracts the source's zero point from the taps inside the image only, as we do.
 * Its kernels then round as {@link Requantization} asks: the sum becomes a float32, is multiplied by the output scale
 * of its channel, an addition follows as an operation of its own, and codes are clamped and rounded half to even.
 */
final class OneDnnInt8 {
    /** The implementations that were compared bit for bit with the reference. */
    private static final String ISA = "avx512_core_vnni";

    private final OneDnn library;
    private final boolean exact;

    /** On a CPU with these features. */
    OneDnnInt8(OneDnn library, long features) {
        this.library = library;
        this.exact = CpuFeatures.AVX512VNNI.isIn(features);
    }

    /** The step of a convolution of dense tensors, or nothing where it would not give the same bits. */
    Optional<Step> convolution(ConvTask task, QuantizedConv codes, Function<View, BoundedPointer> location) {
        if (!exact || hasZeros(codes.weights().zero())
                || codes.epilogue() instanceof Epilogue.Activated
                || task.activation().kind() != Activation.Kind.NONE) {
            return Optional.empty();
        }
        int type = codes.toCodes() ? dnnl_u8 : dnnl_f32;
        int channels = task.outChannels();
        try (Arena temporary = Arena.ofConfined();
                dnnl_memory_desc_t perChannel = new dnnl_memory_desc_t();
                dnnl_memory_desc_t target = OneDnn.describe(task.target(), dnnl_f32)) {
            OneDnn.check(dnnl_memory_desc_init_by_tag(perChannel, 4, new long[] {1, channels, 1, 1}, dnnl_f32,
                    dnnl_nchw), "describe the offsets");
            List<OneDnn.Argument> more = new ArrayList<>();
            more.add(new OneDnn.Argument(DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | DNNL_ARG_SRC_1, perChannel,
                    library.copy(codes.epilogue().requantization().offset())));
            boolean realResidual = !codes.toCodes() && task.residual() != null;
            if (realResidual) {
                more.add(new OneDnn.Argument(DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * 2 | DNNL_ARG_SRC_1, target,
                        OneDnn.locate(task.residual(), location)));
            }
            dnnl_primitive_attr attributes = attributes(codes, perChannel, realResidual ? target : null);
            MemorySegment weights = temporary.allocateFrom(ValueLayout.JAVA_BYTE, codes.weights().codes());
            String name = "conv_u8 w" + codes.weights().bits() + "a" + codes.from().bits();
            OneDnn.Form form = new OneDnn.Form(name, new OneDnn.Types(dnnl_u8, dnnl_s8, type), weights, attributes,
                    null, implementation -> implementation.endsWith(":" + ISA));
            return library.step(task, form, more, location);
        }
    }

    private static boolean hasZeros(int[] zeros) {
        return Arrays.stream(zeros).anyMatch(zero -> zero != 0);
    }

    private static dnnl_primitive_attr attributes(
            QuantizedConv codes, dnnl_memory_desc_t perChannel, dnnl_memory_desc_t residual) {
        Requantization how = codes.epilogue().requantization();
        dnnl_primitive_attr attributes = OneDnn.attributes();
        if (codes.from().zero() != 0) {
            OneDnn.check(dnnl_primitive_attr_set_zero_points(attributes, DNNL_ARG_SRC, 1, 0,
                    new int[] {codes.from().zero()}), "set a zero point");
        }
        OneDnn.check(dnnl_primitive_attr_set_output_scales(attributes, how.multiplier().length, 1 << 1,
                how.multiplier()), "set scales");
        dnnl_post_ops ops = new dnnl_post_ops();
        OneDnn.check(dnnl_post_ops_create(ops), "create post-ops");
        OneDnn.check(dnnl_post_ops_append_binary(ops, dnnl_binary_add, perChannel), "add offsets");
        if (codes.toCodes() && (how.low() > 0 || how.high() < 255)) {
            // Before rounding it is the same as after it, because the bounds are whole.
            OneDnn.check(dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_clip, how.low(), how.high()),
                    "add a clamp");
        }
        if (residual != null) {
            OneDnn.check(dnnl_post_ops_append_binary(ops, dnnl_binary_add, residual), "add a residual");
        }
        OneDnn.check(dnnl_primitive_attr_set_post_ops(attributes, ops), "set post-ops");
        dnnl_post_ops_destroy(ops);
        return attributes;
    }
}
