package dev.shrike.cpu.vendor;

import static org.bytedeco.dnnl.global.dnnl.*;

import dev.shrike.cpu.binding.BoundedPointer;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.cpu.steps.Step;
import dev.shrike.graph.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;

/** Float convolutions by oneDNN: bias, activation and residual in its kernel. */
record OneDnnFloats(OneDnn library) {
    private static final OneDnn.Types TYPES = new OneDnn.Types(dnnl_f32, dnnl_f32, dnnl_f32);

    /** The step of a convolution of dense tensors, or nothing where oneDNN has no quick implementation. */
    Optional<Step> convolution(ConvTask task, Function<View, BoundedPointer> location) {
        if (postOp(task.activation()).isEmpty()) {
            return Optional.empty();
        }
        float[] bias = task.bias() == null ? new float[task.outChannels()] : task.bias().toFloats();
        try (Arena temporary = Arena.ofConfined();
                dnnl_memory_desc_t biasForm = new dnnl_memory_desc_t();
                dnnl_memory_desc_t target = OneDnn.describe(task.target(), dnnl_f32)) {
            OneDnn.check(dnnl_memory_desc_init_by_tag(biasForm, 1, new long[] {bias.length}, dnnl_f32, dnnl_x),
                    "describe the bias");
            List<OneDnn.Argument> more = new ArrayList<>();
            more.add(new OneDnn.Argument(DNNL_ARG_BIAS, biasForm, library.copy(bias)));
            if (task.residual() != null) {
                int index = task.activation().kind() == Activation.Kind.NONE ? 0 : 1;
                more.add(new OneDnn.Argument(DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (index + 1) | DNNL_ARG_SRC_1, target,
                        OneDnn.locate(task.residual(), location)));
            }
            MemorySegment weights = temporary.allocateFrom(ValueLayout.JAVA_FLOAT, task.weights().toFloats());
            OneDnn.Form form = new OneDnn.Form("conv_f32", TYPES, weights, attributes(task, target), biasForm,
                    OneDnnFloats::isTrusted);
            return library.step(task, form, more, location);
        }
    }

    /**
     * Not the reference loops, which are slow, and no "gemm" or "x64:gemm:jit", which 2.7.1 takes on processors without
     * AVX2: with them results of small networks were wrong in the first digit.
     */
    private static boolean isTrusted(String implementation) {
        return !implementation.startsWith("ref") && !implementation.contains("gemm");
    }

    private static dnnl_primitive_attr attributes(ConvTask task, dnnl_memory_desc_t target) {
        dnnl_primitive_attr attributes = OneDnn.attributes();
        dnnl_post_ops ops = new dnnl_post_ops();
        OneDnn.check(dnnl_post_ops_create(ops), "create post-ops");
        Activation activation = task.activation();
        if (activation.kind() != Activation.Kind.NONE) {
            PostOp op = postOp(activation).orElseThrow();
            OneDnn.check(dnnl_post_ops_append_eltwise(ops, 1, op.algorithm(), op.alpha(), op.beta()),
                    "add an activation");
        }
        if (task.residual() != null) {
            OneDnn.check(dnnl_post_ops_append_binary(ops, dnnl_binary_add, target), "add a residual");
        }
        OneDnn.check(dnnl_primitive_attr_set_post_ops(attributes, ops), "set post-ops");
        dnnl_post_ops_destroy(ops);
        return attributes;
    }

    private record PostOp(int algorithm, float alpha, float beta) {}

    /** oneDNN's name for an activation; nothing where it has none. */
    private static Optional<PostOp> postOp(Activation activation) {
        return Optional.ofNullable(
                switch (activation.kind()) {
                    case NONE -> new PostOp(0, 0, 0);
                    case SILU -> new PostOp(dnnl_eltwise_swish, 1, 0);
                    case RELU -> new PostOp(dnnl_eltwise_relu, 0, 0);
                    case LEAKY_RELU -> new PostOp(dnnl_eltwise_relu, activation.alpha(), 0);
                    case SIGMOID -> new PostOp(dnnl_eltwise_logistic, 0, 0);
                    case TANH -> new PostOp(dnnl_eltwise_tanh, 0, 0);
                    case CLIP -> new PostOp(dnnl_eltwise_clip, activation.alpha(), activation.beta());
                    case HARD_SIGMOID, HARD_SWISH -> null;
                });
    }
}
