/** The {@code shrike} command. */
module dev.shrike.app {
    requires com.fasterxml.jackson.annotation;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;
    requires com.hivemq.client.mqtt;
    requires dev.shrike;
    requires dev.shrike.calibration;
    requires dev.shrike.sources;
    requires dev.shrike.training;
    requires info.picocli;
    requires io.prometheus.metrics.core;
    requires io.prometheus.metrics.model;
    requires io.prometheus.writer.text;
    // The MQTT client's: what is asked of it can be taken back by these types alone.
    requires io.reactivex.rxjava2;
    requires java.management;
    requires jdk.httpserver;
    requires jdk.management;
    requires jdk.unsupported;
    // Not shipped: MAVLink is for autopilots only.
    requires static mavlink;
    requires org.snakeyaml.engine.v2;
    requires org.bytedeco.javacpp;
    requires org.bytedeco.opencv;

    opens dev.shrike.app to
            info.picocli;
    opens dev.shrike.app.bench to
            info.picocli;
    opens dev.shrike.app.bench.report to
            com.fasterxml.jackson.databind;
    opens dev.shrike.app.bench.statistics to
            com.fasterxml.jackson.databind;
    opens dev.shrike.app.build to
            info.picocli;
    opens dev.shrike.app.catalogue to
            info.picocli;
    opens dev.shrike.app.compress to
            info.picocli,
            com.fasterxml.jackson.databind;
    opens dev.shrike.app.detect to
            info.picocli;
    opens dev.shrike.app.doctor to
            info.picocli;
    opens dev.shrike.app.prune to
            info.picocli;
    opens dev.shrike.app.quantize to
            info.picocli;
    opens dev.shrike.app.train to
            info.picocli;
    opens dev.shrike.app.serve to
            info.picocli;
    opens dev.shrike.app.val to
            info.picocli;
}
