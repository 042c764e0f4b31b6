package dev.shrike.sources;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * An RTSP server on loopback that repeats an H.264 clip inside the connection, and that can freeze, die and come back.
 * Each client is sent the clip from its first frame, which is a key frame.
 */
final class RtspServer implements AutoCloseable {
    private static final int MOST_PAYLOAD = 1_200;
    private static final long SECONDS_FROM_1900 = 2_208_988_800L;

    private final List<List<byte[]>> frames = new ArrayList<>();
    private final List<byte[]> parameters = new ArrayList<>();
    private final Set<Socket> clients = ConcurrentHashMap.newKeySet();
    private final String login;
    private final double rate;
    private final Object freezing = new Object();
    private ServerSocket socket;
    private volatile boolean frozen;
    /** Added to the wall clock that is reported. */
    volatile long clockOffsetSeconds;
    volatile boolean reportsClock;

    /** @param login {@code user:password}, or empty */
    RtspServer(Path clip, double rate, String login) throws IOException {
        this.login = login;
        this.rate = rate;
        readClip(clip);
        start(0);
    }

    private void readClip(Path clip) {
        FfmpegLibrary.require();
        AVFormatContext format = new AVFormatContext(null);
        if (avformat.avformat_open_input(format, clip.toString(), null, null) < 0
                || avformat.avformat_find_stream_info(format, (PointerPointer<?>) null) < 0) {
            throw new IllegalStateException("cannot read " + clip);
        }
        var video = format.streams(0).codecpar();
        byte[] extra = new byte[video.extradata_size()];
        new BytePointer(video.extradata()).get(extra);
        ByteBuffer description = ByteBuffer.wrap(extra).position(5);
        for (int kinds = 0; kinds < 2; kinds++) {
            int count = description.get() & 0x1f;
            for (int i = 0; i < count; i++) {
                byte[] unit = new byte[description.getShort() & 0xffff];
                description.get(unit);
                parameters.add(unit);
            }
        }
        AVPacket packet = avcodec.av_packet_alloc();
        while (avformat.av_read_frame(format, packet) >= 0) {
            byte[] bytes = new byte[packet.size()];
            packet.data().get(bytes);
            ByteBuffer units = ByteBuffer.wrap(bytes);
            List<byte[]> frame = new ArrayList<>();
            while (units.hasRemaining()) {
                byte[] unit = new byte[units.getInt()];
                units.get(unit);
                frame.add(unit);
            }
            frames.add(frame);
            avcodec.av_packet_unref(packet);
        }
        avcodec.av_packet_free(packet);
        avformat.avformat_close_input(format);
    }

    private void start(int port) throws IOException {
        socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        ServerSocket listening = socket;
        Thread.ofPlatform().daemon().name("rtsp-server").start(() -> {
            while (!listening.isClosed()) {
                try {
                    Socket client = listening.accept();
                    clients.add(client);
                    Thread.ofVirtual().start(() -> serve(client));
                } catch (IOException e) {
                    // closed
                }
            }
        });
    }

    String uri() {
        return "rtsp://127.0.0.1:" + port() + "/live";
    }

    int port() {
        return socket.getLocalPort();
    }

    /** As if stopped by a signal: connections stay, and the kernel goes on to accept some. */
    void freeze() {
        frozen = true;
    }

    void thaw() {
        synchronized (freezing) {
            frozen = false;
            freezing.notifyAll();
        }
    }

    private void awaitThaw() {
        synchronized (freezing) {
            while (frozen) {
                try {
                    freezing.wait();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    /** Ends the connections; the port stays open. */
    void drop() {
        clients.forEach(RtspServer::shut);
        clients.clear();
    }

    /** Closes the port and ends the connections. */
    void kill() throws IOException {
        socket.close();
        drop();
    }

    /** Opens the port again. */
    void restart() throws IOException {
        start(port());
    }

    private static void shut(Socket client) {
        try {
            client.close();
        } catch (IOException e) {
            // It is gone.
        }
    }

    private void serve(Socket client) {
        try (client) {
            InputStream in = new BufferedInputStream(client.getInputStream());
            for (String request = request(in); request != null; request = request(in)) {
                awaitThaw();
                answer(client, request);
            }
        } catch (IOException e) {
            // It is gone.
        } finally {
            clients.remove(client);
        }
    }

    private static String request(InputStream in) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int c = in.read(); c >= 0; c = in.read()) {
            if (c == '$' && text.size() == 0) {
                // A report of the receiver.
                in.read();
                in.readNBytes(in.read() << 8 | in.read());
                continue;
            }
            text.write(c);
            String now = text.toString(StandardCharsets.US_ASCII);
            if (now.endsWith("\r\n\r\n")) {
                return now;
            }
        }
        return null;
    }

    private void answer(Socket client, String request) throws IOException {
        String sequence = header(request, "CSeq");
        String method = request.substring(0, request.indexOf(' '));
        boolean open = method.equals("OPTIONS") || login.isEmpty() || header(request, "Authorization")
                .equals("Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)));
        if (!open) {
            send(client, "RTSP/1.0 401 Unauthorized\r\nCSeq: " + sequence
                    + "\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n\r\n");
        } else if (!method.equals("OPTIONS") && !request.split(" ")[1].contains("/live")) {
            send(client, "RTSP/1.0 404 Not Found\r\nCSeq: " + sequence + "\r\n\r\n");
        } else {
            String body = method.equals("DESCRIBE") ? description() : "";
            send(client, "RTSP/1.0 200 OK\r\nCSeq: " + sequence + "\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY\r\n"
                    + "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                    + "Content-Type: application/sdp\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            if (method.equals("PLAY")) {
                Thread.ofVirtual().start(() -> play(client));
            }
        }
    }

    private static String header(String request, String name) {
        for (String line : request.split("\r\n")) {
            if (line.startsWith(name + ": ")) {
                return line.substring(name.length() + 2);
            }
        }
        return "";
    }

    private String description() {
        Base64.Encoder base64 = Base64.getEncoder();
        return "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=clip\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                + "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets="
                + String.join(",", parameters.stream().map(base64::encodeToString).toList())
                + "\r\na=control:track\r\n";
    }

    private void play(Socket client) {
        try {
            int[] number = {1};
            long began = System.nanoTime();
            if (reportsClock) {
                sendReport(client);
            }
            for (long i = 0;; i++) {
                awaitThaw();
                int time = (int) (i * 90_000 / rate);
                List<byte[]> units = new ArrayList<>();
                if (i % frames.size() == 0) {
                    units.addAll(parameters);
                }
                units.addAll(frames.get((int) (i % frames.size())));
                for (int u = 0; u < units.size(); u++) {
                    sendUnit(client, units.get(u), number, time, u == units.size() - 1);
                }
                long due = began + Math.round((i + 1) * 1e9 / rate);
                if (System.nanoTime() - due > 1_000_000_000L) {
                    began += System.nanoTime() - due;
                }
                Thread.sleep(Math.max(0, (due - System.nanoTime()) / 1_000_000));
            }
        } catch (IOException | InterruptedException e) {
            shut(client);
        }
    }

    private void sendReport(Socket client) throws IOException {
        long millis = System.currentTimeMillis();
        ByteBuffer report = ByteBuffer.allocate(4 + 28);
        report.put((byte) '$').put((byte) 1).putShort((short) 28);
        report.put((byte) 0x80).put((byte) 200).putShort((short) 6).putInt(7);
        report.putInt((int) (millis / 1000 + clockOffsetSeconds + SECONDS_FROM_1900));
        report.putInt((int) ((millis % 1000 << 32) / 1000)).putInt(0).putInt(0).putInt(0);
        write(client, report.array());
    }

    private static void sendUnit(Socket client, byte[] unit, int[] number, int time, boolean last)
            throws IOException {
        if (unit.length <= MOST_PAYLOAD) {
            sendPacket(client, unit, number, time, last);
            return;
        }
        for (int at = 1; at < unit.length; at += MOST_PAYLOAD) {
            int length = Math.min(MOST_PAYLOAD, unit.length - at);
            boolean end = at + length == unit.length;
            byte[] part = new byte[length + 2];
            part[0] = (byte) (unit[0] & 0xe0 | 28);
            part[1] = (byte) (unit[0] & 0x1f | (at == 1 ? 0x80 : 0) | (end ? 0x40 : 0));
            System.arraycopy(unit, at, part, 2, length);
            sendPacket(client, part, number, time, last && end);
        }
    }

    private static void sendPacket(Socket client, byte[] payload, int[] number, int time, boolean marker)
            throws IOException {
        ByteBuffer packet = ByteBuffer.allocate(4 + 12 + payload.length);
        packet.put((byte) '$').put((byte) 0).putShort((short) (12 + payload.length));
        packet.put((byte) 0x80).put((byte) (96 | (marker ? 0x80 : 0))).putShort((short) number[0]++);
        packet.putInt(time).putInt(7).put(payload);
        write(client, packet.array());
    }

    private static void send(Socket client, String text) throws IOException {
        write(client, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void write(Socket client, byte[] bytes) throws IOException {
        synchronized (client) {
            client.getOutputStream().write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        thaw();
        kill();
    }
}
