/** Frames from cameras, streams and files, live detection on the newest of them, and tracking. */
module dev.shrike.sources {
    requires transitive dev.shrike;
    requires org.bytedeco.ffmpeg;
    requires org.bytedeco.javacpp;

    exports dev.shrike.live;
    exports dev.shrike.sources;
    exports dev.shrike.tracking;
}
