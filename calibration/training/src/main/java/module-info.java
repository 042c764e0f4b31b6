/** Fine-tuning, sparse and quantisation-aware training, distillation: libtorch in a child process. */
module dev.shrike.training {
    requires com.fasterxml.jackson.databind;
    requires transitive dev.shrike.calibration;
    requires transitive dev.shrike;
    requires static org.bytedeco.javacpp;
    requires static org.bytedeco.pytorch;

    exports dev.shrike.training;
    exports dev.shrike.training.data;
}
