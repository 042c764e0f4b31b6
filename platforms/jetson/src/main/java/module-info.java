/** The TensorRT engine: INT8 and FP16 engines on NVIDIA GPUs behind {@link dev.shrike.spi.Backend}. */
module dev.shrike.jetson {
    requires com.fasterxml.jackson.databind;
    requires dev.shrike;
    requires org.bytedeco.cuda;
    requires org.bytedeco.javacpp;
    requires org.bytedeco.tensorrt;

    // For the description of engines, a record that is written as JSON, and the kind of calibration in it.
    opens dev.shrike.jetson.engine to
            com.fasterxml.jackson.databind;
    opens dev.shrike.jetson.binding to
            com.fasterxml.jackson.databind;

    provides dev.shrike.spi.Backend with
            dev.shrike.jetson.JetsonBackend;
}
