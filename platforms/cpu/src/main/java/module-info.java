module dev.shrike.cpu {
    requires dev.shrike;
    requires org.bytedeco.javacpp;
    requires org.bytedeco.dnnl;
}
