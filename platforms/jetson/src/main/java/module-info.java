/** The TensorRT engine: INT8 and FP16 engines on NVIDIA GPUs behind {@link dev.shrike.spi.Backend}. */
module dev.shrike.jetson {
    requires com.fasterxml.jackson.databind;
    requires dev.shrike;
    requires org.bytedeco.cuda;
    requires org.bytedeco.javacpp;
    requires org.bytedeco.tensorrt;

    provides dev.shrike.spi.Backend with
            dev.shrike.jetson.JetsonBackend;
}
