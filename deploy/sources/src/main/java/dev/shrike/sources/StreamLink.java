package dev.shrike.sources;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** A stream of the network by FFmpeg. */
final class StreamLink implements Link {
    private static final int LOOK_MILLIS = 400;
    /** Not among them are lists of other files, and text that FFmpeg would play as a video. */
    private static final String FORMATS = "rtsp,sdp,rtp,mpegts,mpjpeg,mjpeg,flv,live_flv,hls,mov,matroska,avi,h264,hevc,"
            + "m4v,ogg,asf";

    private final StreamAddress address;
    private final SourceOptions options;
    private final FramePools pools;
    private final long[] number = new long[1];
    private volatile InterruptFlag connecting;
    private volatile boolean stopped;
    private String transport = "";

    StreamLink(StreamAddress address, SourceOptions options) {
        this.address = address.with(options);
        this.options = options;
        pools = new FramePools(options.camera());
    }

    @Override
    public Connection connect() throws LostException, InterruptedException {
        FfmpegLibrary.require();
        InterruptFlag interrupt = new InterruptFlag();
        connecting = interrupt;
        if (stopped) {
            interrupt.stop();
        }
        interrupt.allow(options.openTimeout().toNanos());
        try {
            FfmpegInput input = FfmpegInput.open(address.secretUri(), settings(),
                    !address.scheme().startsWith("rtsp"), options.decoder(), 1, interrupt);
            return new StreamConnection(input, interrupt, pools, options, number);
        } catch (FfmpegException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw lost(e);
        }
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("format_whitelist", FORMATS);
        settings.put("protocol_whitelist", "tcp,udp,rtp,tls,http,https,httpproxy,crypto,rtmp,rtmpt,rtmps");
        if (address.scheme().startsWith("rtsp")) {
            settings.put("rtsp_transport", options.transport().name().toLowerCase(Locale.ROOT));
            settings.put("allowed_media_types", "video");
            // It has none of its own; the interrupt flag comes before.
            Duration longest = options.openTimeout().compareTo(options.stallTimeout()) > 0
                    ? options.openTimeout()
                    : options.stallTimeout();
            settings.put("timeout", Long.toString(longest.plusSeconds(1).toNanos() / 1_000));
        } else {
            // Enough of the stream to know it; the default is 5 seconds of it.
            settings.put("probesize", "500000");
            settings.put("analyzeduration", "500000");
        }
        return settings;
    }

    private LostException lost(FfmpegException e) {
        return switch (e.kind()) {
            case REFUSED -> new LostException(options.user().isEmpty() && address.user().isEmpty()
                    ? "it asks for a user and a password"
                    : "user or password is refused", true);
            case NOT_FOUND -> new LostException(e.getMessage(), true);
            case INVALID -> new LostException("what it sends is no video: " + e.getMessage(), true);
            case INTERRUPTED -> new LostException("no answer within " + seconds(options.openTimeout()));
            case UNREACHABLE, OTHER -> new LostException("cannot be reached: " + e.getMessage());
        };
    }

    static String seconds(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() / 1000.0 + " s";
    }

    /**
     * A server that is stopped still has its connections accepted by the kernel, so one of RTSP is asked for its
     * options, which needs no password.
     */
    @Override
    public Presence presence() {
        if (address.scheme().equals("udp")) {
            return Presence.UNKNOWN;
        }
        String host = address.host().replaceAll("[\\[\\]]", "");
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, address.portOrDefault()), LOOK_MILLIS);
            if (address.scheme().equals("rtsp")) {
                socket.setSoTimeout(LOOK_MILLIS);
                socket.getOutputStream().write("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII));
                return socket.getInputStream().read() < 0 ? Presence.AWAY : Presence.THERE;
            }
            return Presence.THERE;
        } catch (IOException | IllegalArgumentException e) {
            return Presence.AWAY;
        }
    }

    @Override
    public void stop() {
        stopped = true;
        InterruptFlag flag = connecting;
        if (flag != null) {
            flag.stop();
        }
    }

    @Override
    public void free() {
        // A connection frees its own.
    }
}
