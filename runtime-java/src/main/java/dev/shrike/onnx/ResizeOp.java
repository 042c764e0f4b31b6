package dev.shrike.onnx;

import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.OptionalInt;

/** Resize with exactly one of scales and sizes, and no region of interest. */
final class ResizeOp {
    private static final int ROI = 1;
    private static final int SCALES = 2;
    private static final int SIZES = 3;

    private ResizeOp() {}

    /** Resize of opset 10 and Upsample of opset 9: X and scales, coordinates asymmetric. */
    static Op readUpsample(NodeDraft draft) {
        draft.expect(2, 2);
        if (draft.scope().opset() > 10) {
            throw draft.broken("opset " + draft.scope().opset() + " has no such operator or inputs");
        }
        Op.Resize.Mode mode = mode(draft);
        if (mode == Op.Resize.Mode.CUBIC) {
            throw draft.unsupported("opset " + draft.scope().opset() + " has no mode 'cubic'");
        }
        draft.inputs().add(ROI, "");
        checkScales(draft);
        boolean grows = draft.constant(SCALES)
                .filter(scales -> Arrays.stream(scales.toLongs()).allMatch(scale -> scale >= 1))
                .isPresent();
        if (mode == Op.Resize.Mode.NEAREST && !grows) {
            throw draft.unsupported("opset " + draft.scope().opset() + " leaves open how to round where the image"
                    + " shrinks; export it again with opset 17");
        }
        return new Op.Resize(mode, Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR);
    }

    static Op read(NodeDraft draft) {
        if (draft.scope().opset() < 11) {
            return readUpsample(draft);
        }
        draft.expect(1, 4);
        Attributes attributes = draft.attributes();
        Op.Resize.Mode mode = mode(draft);
        Op.Resize.Coordinates coordinates = coordinates(draft);
        Op.Resize.Nearest nearest = nearest(draft);
        // The extrapolated value belongs to coordinates that are refused above.
        attributes.ignore("extrapolation_value");
        float coefficient = attributes.floating("cubic_coeff_a", -0.75f);
        boolean cubic = mode == Op.Resize.Mode.CUBIC;
        boolean excludes = attributes.flag("exclude_outside", false) && cubic;
        if (attributes.flag("antialias", false) && mode != Op.Resize.Mode.NEAREST) {
            throw draft.unsupported("antialias is not supported; export with antialias=False");
        }
        String policy = attributes.string("keep_aspect_ratio_policy", "stretch");
        if (!policy.equals("stretch")) {
            throw draft.unsupported("keep_aspect_ratio_policy '" + policy + "' is not supported, only stretch; give"
                    + " the sizes that come out of it");
        }
        // Only tf_crop_and_resize looks at the region.
        if (draft.hasInput(ROI)) {
            draft.setInput(ROI, "");
        }
        dropIfEmpty(draft, SCALES);
        dropIfEmpty(draft, SIZES);
        if (draft.hasInput(SCALES) == draft.hasInput(SIZES)) {
            throw draft.broken("needs exactly one of scales and sizes, has "
                    + (draft.hasInput(SCALES) ? "both" : "neither"));
        }
        attributes.integers("axes").ifPresent(axes -> spread(draft, axes));
        checkScales(draft);
        return new Op.Resize(mode, coordinates, nearest, cubic ? coefficient : -0.75f, excludes);
    }

    private static void dropIfEmpty(NodeDraft draft, int index) {
        if (draft.constant(index).filter(tensor -> tensor.elements() == 0).isPresent()) {
            draft.setInput(index, "");
        }
    }

    private static void checkScales(NodeDraft draft) {
        Optional<Tensor> scales = draft.constant(SCALES);
        if (scales.isEmpty()) {
            return;
        }
        for (long i = 0; i < scales.get().elements(); i++) {
            double scale = scales.get().doubleAt(i);
            if (!(scale > 0 && scale <= Integer.MAX_VALUE)) {
                throw draft.broken("scale " + i + " is " + scale + ", must be positive");
            }
        }
    }

    // Opset 18 may give scales or sizes for some axes only; the others keep their size.
    private static void spread(NodeDraft draft, long[] axes) {
        OptionalInt rank = draft.scope().rank(draft.input(0));
        if (rank.isEmpty()) {
            throw draft.unsupported("attribute 'axes' is supported only with an input of known rank; run ONNX's shape"
                    + " inference over the model, or export without it");
        }
        int[] places = new int[axes.length];
        BitSet seen = new BitSet();
        for (int i = 0; i < axes.length; i++) {
            long axis = axes[i] < 0 ? axes[i] + rank.getAsInt() : axes[i];
            if (axis < 0 || axis >= rank.getAsInt() || seen.get((int) axis)) {
                throw draft.broken("attribute 'axes' names dimension " + axes[i] + " of " + rank.getAsInt()
                        + ", or one twice");
            }
            seen.set((int) axis);
            places[i] = (int) axis;
        }
        if (draft.hasInput(SIZES)) {
            spreadSizes(draft, places, rank.getAsInt());
        } else {
            spreadScales(draft, places, rank.getAsInt());
        }
    }

    private static void spreadScales(NodeDraft draft, int[] axes, int rank) {
        Tensor scales = draft.scope()
                .value(draft.input(SCALES))
                .orElseThrow(() -> draft.unsupported("attribute 'axes' is supported only with constant scales; export"
                        + " without it"));
        if (scales.elements() != axes.length) {
            throw draft.broken("attribute 'axes' has " + axes.length + " entries for " + scales.elements() + " scales");
        }
        float[] all = new float[rank];
        Arrays.fill(all, 1);
        for (int i = 0; i < axes.length; i++) {
            all[axes[i]] = scales.floatAt(i);
        }
        draft.setConstant(SCALES, "scales", Tensor.ofFloats(Shape.of(rank), all));
    }

    /** Sizes of all dimensions: those of the input, with the given ones in their places. */
    private static void spreadSizes(NodeDraft draft, int[] axes, int rank) {
        Expansion nodes = new Expansion(draft);
        String[] sizes = new String[rank];
        for (int d = 0; d < rank; d++) {
            sizes[d] = nodes.sizes("size_" + d, draft.input(0), d, d + 1);
        }
        for (int i = 0; i < axes.length; i++) {
            sizes[axes[i]] = nodes.node("given_" + i, new Op.Gather(0), draft.input(SIZES), nodes.vector("at", i));
        }
        draft.setInput(SIZES, nodes.node("sizes", new Op.Concat(0), sizes));
    }

    private static Op.Resize.Mode mode(NodeDraft draft) {
        String mode = draft.attributes().string("mode", "nearest");
        return switch (mode) {
            case "nearest" -> Op.Resize.Mode.NEAREST;
            case "linear" -> Op.Resize.Mode.LINEAR;
            case "cubic" -> Op.Resize.Mode.CUBIC;
            default -> throw draft.broken("attribute 'mode' is '" + mode + "', must be nearest, linear or cubic");
        };
    }

    private static Op.Resize.Coordinates coordinates(NodeDraft draft) {
        String coordinates = draft.attributes().string("coordinate_transformation_mode", "half_pixel");
        return switch (coordinates) {
            case "asymmetric" -> Op.Resize.Coordinates.ASYMMETRIC;
            case "half_pixel" -> Op.Resize.Coordinates.HALF_PIXEL;
            case "pytorch_half_pixel" -> Op.Resize.Coordinates.PYTORCH_HALF_PIXEL;
            case "align_corners" -> Op.Resize.Coordinates.ALIGN_CORNERS;
            default -> throw draft.unsupported("coordinate_transformation_mode '" + coordinates
                    + "' is not supported, only asymmetric, half_pixel, pytorch_half_pixel and align_corners");
        };
    }

    private static Op.Resize.Nearest nearest(NodeDraft draft) {
        String nearest = draft.attributes().string("nearest_mode", "round_prefer_floor");
        return switch (nearest) {
            case "floor" -> Op.Resize.Nearest.FLOOR;
            case "ceil" -> Op.Resize.Nearest.CEIL;
            case "round_prefer_floor" -> Op.Resize.Nearest.ROUND_PREFER_FLOOR;
            case "round_prefer_ceil" -> Op.Resize.Nearest.ROUND_PREFER_CEIL;
            default -> throw draft.broken("attribute 'nearest_mode' is '" + nearest
                    + "', must be floor, ceil, round_prefer_floor or round_prefer_ceil");
        };
    }
}
