/** Shrike: object detection behind one {@link dev.shrike.Detector}, and the graph that engines run. */
module dev.shrike {
    requires com.google.protobuf;
    requires java.desktop;
    requires org.bytedeco.javacpp;
    requires static org.bytedeco.opencv;

    exports dev.shrike;
    exports dev.shrike.files to
            dev.shrike.calibration,
            dev.shrike.cpu,
            dev.shrike.jetson,
            dev.shrike.app,
            dev.shrike.sources,
            dev.shrike.training;
    exports dev.shrike.graph;
    exports dev.shrike.graph.evaluation;
    exports dev.shrike.graph.inference;
    exports dev.shrike.graph.kernels;
    exports dev.shrike.graph.passes;
    exports dev.shrike.graph.quantization;
    exports dev.shrike.heads;
    exports dev.shrike.onnx;
    exports dev.shrike.spi;
    exports dev.shrike.vision;

    uses dev.shrike.spi.Backend;
}
