/** The CPU engine: plans of native steps behind {@link dev.shrike.spi.Backend}. */
module dev.shrike.cpu {
    requires com.fasterxml.jackson.core;
    requires dev.shrike;
    requires org.bytedeco.javacpp;
    requires org.bytedeco.dnnl;

    provides dev.shrike.spi.Backend with
            dev.shrike.cpu.CpuBackend;
}
