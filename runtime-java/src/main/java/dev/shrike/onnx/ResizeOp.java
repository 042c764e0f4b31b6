package dev.shrike.onnx;

import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.Arrays;
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
        draft.inputs().add(ROI, "");
        checkScales(draft);
        boolean grows = draft.constant(SCALES)
                .filter(scales -> Arrays.stream(scales.toLongs()).allMatch(scale -> scale >= 1))
                .isPresent();
        if (mode == Op.Resize.Mode.NEAREST && !grows) {
            throw draft.unsupported("opset " + draft.scope().opset() + " leaves open how to round where the picture"
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
        // The cubic coefficient and the extrapolated value belong to modes that are refused above.
        attributes.ignore("cubic_coeff_a", "extrapolation_value");
        if (attributes.flag("antialias", false) || attributes.flag("exclude_outside", false)) {
            throw draft.unsupported("antialias and exclude_outside are not supported");
        }
        String policy = attributes.string("keep_aspect_ratio_policy", "stretch");
        if (!policy.equals("stretch")) {
            throw draft.unsupported("keep_aspect_ratio_policy '" + policy + "' is not supported, only stretch");
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
        attributes.integers("axes").ifPresent(axes -> spreadScales(draft, axes));
        checkScales(draft);
        return new Op.Resize(mode, coordinates, nearest);
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

    // Opset 18 may give scales for some axes only; the others keep their size.
    private static void spreadScales(NodeDraft draft, long[] axes) {
        OptionalInt rank = draft.scope().rank(draft.input(0));
        Tensor scales = draft.constant(SCALES).orElse(null);
        if (rank.isEmpty() || scales == null) {
            throw draft.unsupported("attribute 'axes' is supported only with constant scales and an input of declared"
                    + " rank; run ONNX's shape inference over the model, or export without it");
        }
        if (scales.elements() != axes.length) {
            throw draft.broken("attribute 'axes' has " + axes.length + " entries for " + scales.elements() + " scales");
        }
        float[] all = new float[rank.getAsInt()];
        Arrays.fill(all, 1);
        for (int i = 0; i < axes.length; i++) {
            long axis = axes[i] < 0 ? axes[i] + all.length : axes[i];
            if (axis < 0 || axis >= all.length) {
                throw draft.broken("attribute 'axes' names dimension " + axes[i] + " of " + all.length);
            }
            all[(int) axis] = scales.floatAt(i);
        }
        draft.setConstant(SCALES, "scales", Tensor.ofFloats(Shape.of(all.length), all));
    }

    private static Op.Resize.Mode mode(NodeDraft draft) {
        String mode = draft.attributes().string("mode", "nearest");
        return switch (mode) {
            case "nearest" -> Op.Resize.Mode.NEAREST;
            case "linear" -> Op.Resize.Mode.LINEAR;
            default -> throw draft.unsupported("mode '" + mode + "' is not supported, only nearest and linear");
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
