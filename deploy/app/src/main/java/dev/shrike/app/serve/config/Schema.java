package dev.shrike.app.serve.config;

import java.util.List;

/** All that can be set, with its defaults: what is read, printed and documented comes from here. */
final class Schema {
    /** The newest version of the configuration that this program knows. */
    static final ConfigVersion VERSION = new ConfigVersion(1, 0);

    private static final Kind TEXT = new Kind.Text();
    private static final Kind SECRET = new Kind.Secret();
    private static final Kind FLAG = new Kind.Flag();
    private static final Kind UNIT = new Kind.Real(0, 1);

    private static final Section MODEL = new Section("model", "The network",
            new Setting("weights", TEXT, "yolov5s", "file (.onnx, .shrike, .engine) or name of a model, see"
                    + " 'shrike models'"),
            new Setting("image_size", whole(0, 16384), 0L, "side of the network's input in pixels; 0 is the model's"
                    + " own"),
            new Setting("confidence", UNIT, 0.25, "lowest score that is reported"),
            new Setting("iou", UNIT, 0.45, "overlap above which the weaker of two boxes is dropped"),
            new Setting("max_detections", whole(1, 100_000), 300L, "most detections of a frame"),
            new Setting("classes", new Kind.Texts(), List.of(), "names or ids of the classes to report; none means"
                    + " all"));

    private static final Section ENGINE = new Section("engine", "What runs the network",
            new Setting("name", TEXT, "", "cpu or tensorrt; empty takes the best that is here"),
            new Setting("threads", whole(0, 256), 0L, "threads of the processor; 0 is one for each core"),
            new Setting("sharing", choice("shared", "each"), "shared", "one engine that cameras take turns with, or"
                    + " one each, which takes that many times the memory"),
            new Setting("build_timeout", whole(10, 86_400), 3600L, "seconds that opening an engine may take, building"
                    + " it included"));

    private static final Section TRACKING = new Section("tracking", "Following objects from frame to frame",
            new Setting("enabled", FLAG, true, "whether objects are followed"),
            new Setting("high_score", UNIT, 0.5, "detections from this score on are matched first"),
            new Setting("low_score", UNIT, 0.1, "detections from this score on go on with a track that nothing better"
                    + " was found for"),
            new Setting("new_score", UNIT, 0.6, "detections from this score on begin a track"),
            new Setting("hits", whole(1, 1000), 3L, "frames with an object before it is told"),
            new Setting("lost_seconds", new Kind.Real(0, 3600), 1.5, "seconds that an object may be unseen before its"
                    + " track ends"),
            new Setting("across_classes", FLAG, false, "whether a track may go on with detections of another class"),
            new Setting("end_on_lost", FLAG, false, "whether all tracks end at once when their camera is lost; else"
                    + " after lost_seconds"));

    private static final Section CAMERA = new Section("cameras", "Cameras by name (a-z, 0-9, - and _)", true, List.of(
            new Setting("source", TEXT, "", "what to open: /dev/video0, rtsp://HOST/PATH, csi://0, a file, a folder or"
                    + " test://pattern"),
            new Setting("enabled", FLAG, true, "whether it is used"),
            new Setting("user", SECRET, "", "user of the stream"),
            new Setting("password", SECRET, "", "password of the stream"),
            new Setting("transport", choice("tcp", "udp"), "tcp", "how RTSP brings its packets"),
            new Setting("width", whole(0, 16384), 0L, "width to ask the camera for in pixels; 0 is its own"),
            new Setting("height", whole(0, 16384), 0L, "height to ask the camera for in pixels; 0 is its own"),
            new Setting("fps", new Kind.Real(0, 1000), 0.0, "frames a second to ask the camera for; 0 is its own"),
            new Setting("rotate", choice("0", "90", "180", "270"), "0", "degrees to turn frames clockwise"),
            new Setting("mirror", FLAG, false, "whether left and right are swapped"),
            new Setting("loop", FLAG, false, "whether a file begins again at its end")),
            List.of(MODEL.perCamera("confidence", "max_detections", "classes"), TRACKING.perCamera()));

    private static final Section OUTPUTS = new Section("outputs", "Where it tells what it sees", false, List.of(),
            List.of(
                    new Section("stdout", "JSON lines on the standard output",
                            new Setting("enabled", FLAG, false, "whether it is used"),
                            new Setting("frames", FLAG, true,
                                    "whether each frame's detections are told, besides events and the"
                                            + " state of cameras")),
                    new Section("socket", "JSON lines for whoever connects to a unix socket",
                            new Setting("path", TEXT, "", "path of the socket; empty switches it off"),
                            new Setting("frames", FLAG, true,
                                    "whether each frame's detections are told, besides events and the"
                                            + " state of cameras")),
                    new Section("file", "JSON lines in a file",
                            new Setting("path", TEXT, "", "path of the file; empty switches it off"),
                            new Setting("rotate_megabytes", whole(1, 100_000), 16L, "size at which another file is"
                                    + " begun"),
                            new Setting("keep", whole(0, 1000), 4L, "full files that are kept"),
                            new Setting("frames", FLAG, true,
                                    "whether each frame's detections are told, besides events and the"
                                            + " state of cameras")),
                    new Section("mqtt", "MQTT 5",
                            new Setting("broker", TEXT, "", "mqtt://HOST:PORT or mqtts://HOST:PORT; empty switches it"
                                    + " off"),
                            new Setting("user", SECRET, "", "user at the broker"),
                            new Setting("password", SECRET, "", "password at the broker"),
                            new Setting("authorities", TEXT, "", "PEM file of the certificates to trust; empty takes"
                                    + " those of Java"),
                            new Setting("client_id", TEXT, "", "name at the broker; empty makes one up"),
                            new Setting("prefix", TEXT, "shrike", "first part of all topics"),
                            new Setting("discovery", TEXT, "homeassistant", "first part of Home Assistant's discovery"
                                    + " topics; empty switches it off"),
                            new Setting("frames", FLAG, false, "whether each frame's detections are told, besides"
                                    + " events"),
                            new Setting("outbox_megabytes", whole(1, 1024), 16L, "memory for what waits for the broker;"
                                    + " what does not fit is dropped and counted")),
                    new Section("mavlink", "LANDING_TARGET for an autopilot (needs the MAVLink jar, see the guide)",
                            new Setting("host", TEXT, "", "host of the autopilot; empty switches it off"),
                            new Setting("port", whole(1, 65_535), 14_550L, "its UDP port"),
                            new Setting("camera", TEXT, "", "the camera that looks down"),
                            new Setting("label", TEXT, "", "class of the target"),
                            new Setting("horizontal_degrees", new Kind.Real(1, 179), 62.2, "angle that the image spans"
                                    + " from left to right"),
                            new Setting("vertical_degrees", new Kind.Real(1, 179), 48.8, "angle that it spans from top"
                                    + " to bottom"),
                            new Setting("system_id", whole(1, 255), 1L, "id of the vehicle"),
                            new Setting("component_id", whole(1, 255), 191L, "id of this computer")),
                    new Section("metrics", "Figures for Prometheus at /metrics of the page",
                            new Setting("enabled", FLAG, true, "whether they are there"))));

    private static final Section PAGE = new Section("page", "The page for a browser", false, List.of(
            new Setting("enabled", FLAG, true, "whether it is there"),
            new Setting("address", TEXT, "127.0.0.1", "address to listen at; 0.0.0.0 or :: for all, which needs a"
                    + " token"),
            new Setting("port", whole(0, 65_535), 8080L, "TCP port; 0 takes a free one, which the log tells"),
            new Setting("token", SECRET, "", "what a visitor must know, at least 16 characters; empty lets in everyone"
                    + " who reaches a loopback address"),
            new Setting("hosts", new Kind.Texts(), List.of(), "further names that the page is called by")),
            List.of(new Section("preview", "The live image, which is made only while somebody watches",
                    new Setting("fps", new Kind.Real(0.1, 30), 5.0, "most images a second of a camera"),
                    new Setting("width", whole(64, 4096), 640L, "widest image in pixels"),
                    new Setting("quality", whole(1, 100), 70L, "quality of its JPEG"))));

    private static final Section LOG = new Section("log", "What is logged, to the error output",
            new Setting("level", choice("debug", "info", "warning", "error"), "info", "what is left out"),
            new Setting("repeat_seconds", whole(1, 86_400), 60L, "shortest time between lines about the same fault"),
            new Setting("state", TEXT, "", "folder for the reason of the last failure; empty is systemd's"
                    + " StateDirectory, or none"));

    private static final Section LIMITS = new Section("limits", "Bounds",
            new Setting("stall_seconds", whole(2, 3600), 20L, "time that a frame may take before the loop counts as"
                    + " frozen and the watchdog is left without food"),
            new Setting("failures", whole(1, 1000), 10L, "detections that may fail one after another before the"
                    + " service ends for its supervisor to start it again"),
            new Setting("streams", whole(1, 1000), 32L, "most images and lists that are watched at once"),
            new Setting("connections_per_address", whole(1, 1000), 16L, "most requests at once of one address"),
            new Setting("write_seconds", whole(1, 60), 4L, "time after which a client that takes nothing is cut"));

    /** The whole configuration. */
    static final Section ROOT = new Section("", "", false,
            List.of(new Setting("version", TEXT, VERSION.toString(), "version of this file's form; a newer program"
                    + " reads older ones")),
            List.of(MODEL, ENGINE, CAMERA, TRACKING, OUTPUTS, PAGE, LOG, LIMITS));

    /** What was renamed, oldest first. */
    static final List<Migration> MIGRATIONS = List.of();

    private Schema() {}

    private static Kind whole(long least, long most) {
        return new Kind.Whole(least, most);
    }

    private static Kind choice(String... words) {
        return new Kind.Choice(List.of(words));
    }
}
