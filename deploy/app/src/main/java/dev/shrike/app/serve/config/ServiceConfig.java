package dev.shrike.app.serve.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the service is to do.
 *
 * @param engine what runs the network
 * @param cameras cameras that are used
 * @param outputs where it tells what it sees
 * @param page the page; empty if there is none
 * @param log what is logged
 * @param limits bounds
 * @param shown all settings by path, as people may see them
 * @param secrets values that nobody may see
 * @param notes what people should know about the configuration
 */
public record ServiceConfig(Engine engine, List<Camera> cameras, Outputs outputs, Optional<Page> page, Log log,
        Limits limits, Map<String, String> shown, Set<String> secrets, List<String> notes) {
    public ServiceConfig {
        cameras = List.copyOf(cameras);
        secrets = Set.copyOf(secrets);
        notes = List.copyOf(notes);
    }

    /**
     * What runs the network.
     *
     * @param weights file or name of the model
     * @param imageSize side of its input; 0 is the model's own
     * @param iou overlap above which the weaker of two boxes is dropped
     * @param name of the engine; empty for the best
     * @param threads of the processor; 0 is one for each core
     * @param each whether each camera has one of its own
     * @param buildSeconds time that opening it may take
     */
    public record Engine(String weights, int imageSize, double iou, String name, int threads, boolean each,
            int buildSeconds) {}

    /**
     * What is reported.
     *
     * @param confidence lowest score
     * @param maxDetections most detections of a frame
     * @param classes names or ids; none means all
     */
    public record Detecting(double confidence, int maxDetections, List<String> classes) {
        public Detecting {
            classes = List.copyOf(classes);
        }
    }

    /**
     * How objects are followed.
     *
     * @param enabled whether they are
     * @param highScore detections from this score on are matched first
     * @param lowScore detections from this score on go on with a track
     * @param newScore detections from this score on begin a track
     * @param hits frames with an object before it is told
     * @param lostSeconds how long an object may be unseen
     * @param acrossClasses whether a track may go on with detections of another class
     * @param endOnLost whether tracks end when their camera is lost
     */
    public record Tracking(boolean enabled, double highScore, double lowScore, double newScore, int hits,
            double lostSeconds, boolean acrossClasses, boolean endOnLost) {}

    /**
     * A camera.
     *
     * @param id its name
     * @param source its URI; may hold a password
     * @param user of the stream, empty for none
     * @param password of the stream, empty for none
     * @param transport of RTSP, tcp or udp
     * @param width to ask for; 0 is its own
     * @param height to ask for; 0 is its own
     * @param fps to ask for; 0 is its own
     * @param rotate degrees clockwise
     * @param mirror whether left and right are swapped
     * @param loop whether a file begins again at its end
     * @param detecting what is reported
     * @param tracking how objects are followed
     */
    public record Camera(String id, String source, String user, String password, String transport, int width,
            int height, double fps, int rotate, boolean mirror, boolean loop, Detecting detecting,
            Tracking tracking) {
        @Override
        public String toString() {
            return "camera " + id;
        }
    }

    /**
     * Where the service tells what it sees; empty texts switch off.
     *
     * @param stdout whether JSON lines go to the standard output
     * @param stdoutFrames whether each frame is among them
     * @param socket path of a unix socket
     * @param socketFrames whether each frame is told there
     * @param file a file of JSON lines
     * @param mqtt the broker
     * @param mavlink the autopilot
     * @param metrics whether there are figures for Prometheus
     */
    public record Outputs(boolean stdout, boolean stdoutFrames, String socket, boolean socketFrames, LineFile file,
            Mqtt mqtt, Mavlink mavlink, boolean metrics) {}

    /**
     * A file of JSON lines.
     *
     * @param path its path; empty for none
     * @param rotateBytes size at which another file is begun
     * @param keep full files that are kept
     * @param frames whether each frame is told there
     */
    public record LineFile(String path, long rotateBytes, int keep, boolean frames) {}

    /**
     * An MQTT broker.
     *
     * @param broker its URI; empty for none
     * @param user at the broker
     * @param password at the broker
     * @param authorities file of certificates; empty for those of Java
     * @param clientId name at the broker
     * @param prefix first part of topics
     * @param discovery first part of discovery topics; empty for none
     * @param frames whether each frame's detections are told
     * @param outboxBytes memory for what waits
     */
    public record Mqtt(String broker, String user, String password, String authorities, String clientId, String prefix,
            String discovery, boolean frames, long outboxBytes) {
        @Override
        public String toString() {
            return "mqtt";
        }
    }

    /**
     * An autopilot.
     *
     * @param host of it; empty for none
     * @param port of UDP
     * @param camera that looks down
     * @param label class of the target
     * @param horizontalDegrees angle that the image spans from left to right
     * @param verticalDegrees angle that it spans from top to bottom
     * @param systemId id of the vehicle
     * @param componentId id of this computer
     */
    public record Mavlink(String host, int port, String camera, String label, double horizontalDegrees,
            double verticalDegrees, int systemId, int componentId) {}

    /**
     * The page.
     *
     * @param address to listen at
     * @param port TCP port; 0 takes a free one
     * @param token what a visitor must know; empty for nothing
     * @param hosts further names that it is called by
     * @param previewFps most images a second
     * @param previewWidth widest image in pixels
     * @param previewQuality quality of its JPEG
     */
    public record Page(String address, int port, String token, List<String> hosts, double previewFps,
            int previewWidth, int previewQuality) {
        public Page {
            hosts = List.copyOf(hosts);
        }

        @Override
        public String toString() {
            return "page at " + address + ":" + port;
        }
    }

    /**
     * What is logged.
     *
     * @param level debug, info, warning or error
     * @param repeatSeconds shortest time between lines about the same fault
     * @param state folder for the reason of the last failure, if there is one
     */
    public record Log(String level, int repeatSeconds, Optional<Path> state) {}

    /**
     * Bounds.
     *
     * @param stallSeconds time that a frame may take
     * @param failures detections that may fail one after another
     * @param streams most images and lists that are watched at once
     * @param connectionsPerAddress most requests at once of one address
     * @param writeSeconds time after which a client that takes nothing is cut
     */
    public record Limits(int stallSeconds, int failures, int streams, int connectionsPerAddress, int writeSeconds) {}
}
