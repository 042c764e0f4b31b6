package dev.shrike.cpu.file;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Op;
import dev.shrike.graph.Window;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Operations as JSON objects: {@code kind}, the name of the operation, and a field for each of its parameters, which is
 * named as in {@link Op}.
 */
final class OpRecord {
    private OpRecord() {}

    /** The record of an operation; a tensor among its parameters is added to the constants. */
    static Map<String, Object> write(Op op, TensorRecord.Writer constants) {
        return switch (op) {
            case Op.Conv(Window window, int group, Activation activation) ->
                record("Conv", "window", window(window), "group", group, "activation", activation(activation));
            case Op.BatchNormalization(float epsilon) -> record("BatchNormalization", "epsilon", epsilon);
            case Op.MatMul() -> record("MatMul");
            case Op.Gemm(float alpha, float beta, boolean transA, boolean transB) ->
                record("Gemm", "alpha", alpha, "beta", beta, "transA", transA, "transB", transB);
            case Op.Unary(Op.Unary.Kind kind, float alpha, float beta) ->
                record("Unary", "function", kind, "alpha", alpha, "beta", beta);
            case Op.Binary(Op.Binary.Kind kind) -> record("Binary", "function", kind);
            case Op.Clip() -> record("Clip");
            case Op.Cast(DataType to) -> record("Cast", "to", to);
            case Op.Softmax(int axis) -> record("Softmax", "axis", axis);
            case Op.MaxPool(Window window, boolean ceilMode) ->
                record("MaxPool", "window", window(window), "ceilMode", ceilMode);
            case Op.AveragePool(Window window, boolean ceilMode, boolean countIncludePad) ->
                record("AveragePool", "window", window(window), "ceilMode", ceilMode, "countIncludePad",
                        countIncludePad);
            case Op.GlobalAveragePool() -> record("GlobalAveragePool");
            case Op.Reduce(Op.Reduce.Kind kind, boolean keepDims) ->
                record("Reduce", "function", kind, "keepDims", keepDims);
            case Op.Resize resize -> resize(resize);
            case Op.Concat(int axis) -> record("Concat", "axis", axis);
            case Op.Split(int axis) -> record("Split", "axis", axis);
            case Op.Slice() -> record("Slice");
            case Op.Reshape(boolean allowZero) -> record("Reshape", "allowZero", allowZero);
            case Op.Transpose(List<Integer> permutation) -> record("Transpose", "permutation", permutation);
            case Op.Flatten(int axis) -> record("Flatten", "axis", axis);
            case Op.Squeeze() -> record("Squeeze");
            case Op.Unsqueeze() -> record("Unsqueeze");
            case Op.Pad(Op.Pad.Mode mode) -> record("Pad", "mode", mode);
            case Op.SpaceToDepth(int blockSize) -> record("SpaceToDepth", "blockSize", blockSize);
            case Op.GatherElements(int axis) -> record("GatherElements", "axis", axis);
            case Op.GatherNd(int batchDims) -> record("GatherNd", "batchDims", batchDims);
            case Op.ScatterElements(int axis, Op.Reduction reduction) ->
                record("ScatterElements", "axis", axis, "reduction", reduction);
            case Op.ScatterNd(Op.Reduction reduction) -> record("ScatterNd", "reduction", reduction);
            case Op.TopK(int axis, boolean largest) -> record("TopK", "axis", axis, "largest", largest);
            case Op.ArgExtreme(boolean largest, int axis, boolean keepDims, boolean selectLast) ->
                record("ArgExtreme", "largest", largest, "axis", axis, "keepDims", keepDims, "selectLast", selectLast);
            case Op.Hardmax(int axis) -> record("Hardmax", "axis", axis);
            case Op.OneHot(int axis) -> record("OneHot", "axis", axis);
            case Op.Trilu(boolean upper) -> record("Trilu", "upper", upper);
            case Op.CumSum(boolean exclusive, boolean reverse) ->
                record("CumSum", "exclusive", exclusive, "reverse", reverse);
            case Op.DepthToSpace(int blockSize, boolean depthColumnRow) ->
                record("DepthToSpace", "blockSize", blockSize, "depthColumnRow", depthColumnRow);
            case Op.ShapeOf(int start, int end) -> record("ShapeOf", "start", start, "end", end);
            case Op.Gather(int axis) -> record("Gather", "axis", axis);
            case Op.Range() -> record("Range");
            case Op.Expand() -> record("Expand");
            case Op.Tile() -> record("Tile");
            case Op.Where() -> record("Where");
            case Op.ConstantOfShape(var value) -> record("ConstantOfShape", "value", constants.add(value));
            case Op.Identity() -> record("Identity");
            case Op.QuantizeLinear(int axis, DataType type) ->
                type == null ? record("QuantizeLinear", "axis", axis)
                        : record("QuantizeLinear", "axis", axis, "type", type);
            case Op.DequantizeLinear(int axis) -> record("DequantizeLinear", "axis", axis);
            case Op.DynamicQuantizeLinear() -> record("DynamicQuantizeLinear");
            case Op.DynamicQuant() -> record("DynamicQuant");
            case Op.Quant(boolean signed, boolean narrow, String roundingMode) ->
                record("Quant", "signed", signed, "narrow", narrow, "roundingMode", roundingMode);
            case Op.BipolarQuant() -> record("BipolarQuant");
            case Op.Trunc(String roundingMode) -> record("Trunc", "roundingMode", roundingMode);
        };
    }

    /** The entry of the tensor among an operation's parameters, if it has one. */
    static Optional<Fields> tensor(Fields op) {
        return op.has("value") ? Optional.of(op.object("value")) : Optional.empty();
    }

    /**
     * The operation of a record.
     *
     * @param section the bytes of the constants
     * @throws ModelException if there is no such operation, or a parameter is missing or wrong
     */
    static Op read(Fields op, MemorySegment section) {
        try {
            return known(op, section);
        } catch (IllegalArgumentException e) {
            throw new ModelException(op.where() + ": " + e.getMessage(), e);
        }
    }

    private static Op known(Fields op, MemorySegment section) {
        return switch (op.text("kind")) {
            case "Conv" -> new Op.Conv(window(op.object("window")), op.integer("group"),
                    activation(op.object("activation")));
            case "BatchNormalization" -> new Op.BatchNormalization(op.real("epsilon"));
            case "MatMul" -> new Op.MatMul();
            case "Gemm" -> new Op.Gemm(op.real("alpha"), op.real("beta"), op.flag("transA"), op.flag("transB"));
            case "Unary" ->
                new Op.Unary(op.choice("function", Op.Unary.Kind.class), op.real("alpha"), op.real("beta"));
            case "Binary" -> new Op.Binary(op.choice("function", Op.Binary.Kind.class));
            case "Clip" -> new Op.Clip();
            case "Cast" -> new Op.Cast(op.choice("to", DataType.class));
            case "Softmax" -> new Op.Softmax(op.integer("axis"));
            case "MaxPool" -> new Op.MaxPool(window(op.object("window")), op.flag("ceilMode"));
            case "AveragePool" -> new Op.AveragePool(window(op.object("window")), op.flag("ceilMode"),
                    op.flag("countIncludePad"));
            case "GlobalAveragePool" -> new Op.GlobalAveragePool();
            case "Reduce" -> new Op.Reduce(op.choice("function", Op.Reduce.Kind.class), op.flag("keepDims"));
            case "Resize" -> resize(op);
            case "Concat" -> new Op.Concat(op.integer("axis"));
            case "Split" -> new Op.Split(op.integer("axis"));
            case "Slice" -> new Op.Slice();
            case "Reshape" -> new Op.Reshape(op.flag("allowZero"));
            case "Transpose" -> new Op.Transpose(integers(op, "permutation"));
            case "Flatten" -> new Op.Flatten(op.integer("axis"));
            case "Squeeze" -> new Op.Squeeze();
            case "Unsqueeze" -> new Op.Unsqueeze();
            // Files of before there were modes have none.
            case "Pad" -> op.has("mode") ? new Op.Pad(op.choice("mode", Op.Pad.Mode.class)) : new Op.Pad();
            case "SpaceToDepth" -> new Op.SpaceToDepth(op.integer("blockSize"));
            case "GatherElements" -> new Op.GatherElements(op.integer("axis"));
            case "GatherNd" -> new Op.GatherNd(op.integer("batchDims"));
            case "ScatterElements" ->
                new Op.ScatterElements(op.integer("axis"), op.choice("reduction", Op.Reduction.class));
            case "ScatterNd" -> new Op.ScatterNd(op.choice("reduction", Op.Reduction.class));
            case "TopK" -> new Op.TopK(op.integer("axis"), op.flag("largest"));
            case "ArgExtreme" -> new Op.ArgExtreme(op.flag("largest"), op.integer("axis"), op.flag("keepDims"),
                    op.flag("selectLast"));
            case "Hardmax" -> new Op.Hardmax(op.integer("axis"));
            case "OneHot" -> new Op.OneHot(op.integer("axis"));
            case "Trilu" -> new Op.Trilu(op.flag("upper"));
            case "CumSum" -> new Op.CumSum(op.flag("exclusive"), op.flag("reverse"));
            case "DepthToSpace" -> new Op.DepthToSpace(op.integer("blockSize"), op.flag("depthColumnRow"));
            case "ShapeOf" -> new Op.ShapeOf(op.integer("start"), op.integer("end"));
            case "Gather" -> new Op.Gather(op.integer("axis"));
            case "Range" -> new Op.Range();
            case "Expand" -> new Op.Expand();
            case "Tile" -> new Op.Tile();
            case "Where" -> new Op.Where();
            case "ConstantOfShape" -> new Op.ConstantOfShape(TensorRecord.read(op.object("value"), section));
            case "Identity" -> new Op.Identity();
            case "QuantizeLinear" -> new Op.QuantizeLinear(op.integer("axis"),
                    op.has("type") ? op.choice("type", DataType.class) : null);
            case "DequantizeLinear" -> new Op.DequantizeLinear(op.integer("axis"));
            case "DynamicQuantizeLinear" -> new Op.DynamicQuantizeLinear();
            case "DynamicQuant" -> new Op.DynamicQuant();
            case "Quant" -> new Op.Quant(op.flag("signed"), op.flag("narrow"), op.text("roundingMode"));
            case "BipolarQuant" -> new Op.BipolarQuant();
            case "Trunc" -> new Op.Trunc(op.text("roundingMode"));
            default -> throw new ModelException(
                    op.where() + ": there is no operation '" + op.text("kind") + "'");
        };
    }

    private static Map<String, Object> resize(Op.Resize resize) {
        Map<String, Object> fields = record("Resize", "mode", resize.mode(), "coordinates", resize.coordinates(),
                "nearest", resize.nearest());
        if (resize.isFilter()) {
            fields.put("cubicCoefficient", resize.cubicCoefficient());
            fields.put("excludeOutside", resize.excludeOutside());
        }
        return fields;
    }

    private static Op.Resize resize(Fields op) {
        Op.Resize plain = new Op.Resize(op.choice("mode", Op.Resize.Mode.class),
                op.choice("coordinates", Op.Resize.Coordinates.class), op.choice("nearest", Op.Resize.Nearest.class));
        return op.has("cubicCoefficient")
                ? new Op.Resize(plain.mode(), plain.coordinates(), plain.nearest(), op.real("cubicCoefficient"),
                        op.flag("excludeOutside"))
                : plain;
    }

    private static Map<String, Object> record(String kind, Object... parameters) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kind", kind);
        for (int i = 0; i < parameters.length; i += 2) {
            fields.put((String) parameters[i], parameters[i + 1]);
        }
        return fields;
    }

    /** Sizes as height, width; pads as top, left, bottom, right. */
    private static Map<String, Object> window(Window w) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kernel", List.of(w.kernelHeight(), w.kernelWidth()));
        fields.put("stride", List.of(w.strideHeight(), w.strideWidth()));
        fields.put("pads", List.of(w.padTop(), w.padLeft(), w.padBottom(), w.padRight()));
        fields.put("dilation", List.of(w.dilationHeight(), w.dilationWidth()));
        fields.put("autoPad", w.autoPad());
        return fields;
    }

    private static Window window(Fields fields) {
        List<Integer> kernel = integers(fields, "kernel", 2);
        List<Integer> stride = integers(fields, "stride", 2);
        List<Integer> pads = integers(fields, "pads", 4);
        List<Integer> dilation = integers(fields, "dilation", 2);
        return new Window(kernel.get(0), kernel.get(1), stride.get(0), stride.get(1), pads.get(0), pads.get(1),
                pads.get(2), pads.get(3), dilation.get(0), dilation.get(1),
                fields.choice("autoPad", Window.AutoPad.class));
    }

    private static Map<String, Object> activation(Activation activation) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("function", activation.kind());
        fields.put("alpha", activation.alpha());
        fields.put("beta", activation.beta());
        return fields;
    }

    private static Activation activation(Fields fields) {
        return new Activation(fields.choice("function", Activation.Kind.class), fields.real("alpha"),
                fields.real("beta"));
    }

    private static List<Integer> integers(Fields fields, String name, int count) {
        List<Integer> integers = integers(fields, name);
        if (integers.size() != count) {
            throw new ModelException(fields.where() + ": '" + name + "' has " + integers.size() + " numbers, not "
                    + count);
        }
        return integers;
    }

    private static List<Integer> integers(Fields fields, String name) {
        List<Integer> integers = new ArrayList<>();
        for (long number : fields.numbers(name)) {
            if (number != (int) number) {
                throw new ModelException(fields.where() + ": '" + name + "' has " + number
                        + ", which does not fit 32 bits");
            }
            integers.add((int) number);
        }
        return integers;
    }
}
