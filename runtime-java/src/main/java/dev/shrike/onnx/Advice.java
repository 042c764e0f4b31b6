package dev.shrike.onnx;

/** What a user can do about an operator that Shrike does not have. */
final class Advice {
    private static final String OTHERWISE =
            "export the network without it, or cut the graph before this node (onnx.utils.extract_model)";

    private Advice() {}

    /** A sentence part that follows the complaint. */
    static String of(NodeDraft draft) {
        String domain = draft.domain();
        if (domain.equals(MicrosoftOps.DOMAIN) || domain.startsWith("ai.onnx.contrib")
                || domain.equals("com.ms.internal.nhwc")) {
            return "it comes from ONNX Runtime's optimiser or tools: save the model without optimisation, or at most at"
                    + " the level 'basic' (ORT_ENABLE_BASIC)";
        }
        if (domain.equals("ai.onnx.ml")) {
            return "it belongs to classical machine learning, not to a detector: " + OTHERWISE;
        }
        if (!domain.isEmpty() && !domain.equals("ai.onnx")) {
            return "the domain '" + domain + "' belongs to another tool's own operators; export the network with ONNX's"
                    + " standard operators only";
        }
        return switch (draft.opType()) {
            case "Loop", "Scan", "SequenceMap", "SequenceInsert", "SequenceEmpty", "SequenceAt", "SplitToSequence",
                    "SequenceConstruct", "ConcatFromSequence" ->
                "loops and sequences come from scripted models: trace the model instead (torch.onnx.export of the"
                        + " eager model, with a fixed input size), or run onnxsim over the file";
            case "NonZero", "Compress", "Unique" ->
                "the size of its result depends on the image: export without the selection of boxes (nms=False;"
                        + " Shrike does that itself), or cut the graph before this node";
            case "Attention", "RotaryEmbedding" ->
                "export with opset 17 to 22, where it is written as matrix products (opset=17)";
            case "LSTM", "GRU", "RNN" -> "recurrent layers are not supported: " + OTHERWISE;
            case "GridSample", "DeformConv", "RoiAlign", "MaxRoiPool", "AffineGrid" ->
                "sampling at computed places is not supported: replace the layer by a plain convolution or resizing and"
                        + " train again, or cut the graph before this node (onnx.utils.extract_model)";
            case "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial" ->
                "random numbers belong to training: call model.eval() and export again";
            case "Optional", "OptionalGetElement", "OptionalHasElement" ->
                "optional values come from scripted models: trace the model instead";
            default -> OTHERWISE;
        };
    }
}
