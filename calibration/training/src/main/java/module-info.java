/** Fine-tuning, sparse and quantisation-aware training, distillation: libtorch in a child process. */
module dev.shrike.training {
    requires transitive dev.shrike.calibration;
    requires transitive dev.shrike;

    exports dev.shrike.training;
}
