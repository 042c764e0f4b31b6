package dev.shrike.app.outputs.mqtt;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The part of an MQTT 5 broker that a publisher meets: it takes connections, acknowledges and remembers what it gets,
 * and sends what a test wants. It forgets sessions, as a broker without a disk does when it is restarted.
 */
final class FakeBroker implements AutoCloseable {
    record Published(String topic, byte[] payload, int qos, boolean retain) {
        String text() {
            return new String(payload, StandardCharsets.UTF_8);
        }
    }

    record Connect(String clientId, String user, String password, String willTopic, String will, boolean willRetain) {}

    final List<Published> published = new CopyOnWriteArrayList<>();
    final List<Connect> connects = new CopyOnWriteArrayList<>();
    final List<String> subscriptions = new CopyOnWriteArrayList<>();
    private final Map<Socket, DataOutputStream> clients = new ConcurrentHashMap<>();
    private final int port;
    private ServerSocket server;
    /** Reason code of CONNACK; 0 lets clients in. */
    volatile int refusal;
    /** Reason code of PUBACK for topics that begin so. */
    volatile String refusedTopic = "\0";
    volatile boolean silent;
    volatile boolean refusesSubscriptions;

    FakeBroker() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        port = server.getLocalPort();
        start();
    }

    int port() {
        return port;
    }

    /** Listens again at the same port. */
    void restart() throws IOException {
        server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        start();
    }

    private void start() {
        ServerSocket listening = server;
        Thread.ofVirtual().start(() -> {
            while (!listening.isClosed()) {
                try {
                    Socket socket = listening.accept();
                    Thread.ofVirtual().start(() -> serve(socket));
                } catch (IOException e) {
                    return;
                }
            }
        });
    }

    private void serve(Socket socket) {
        try (socket) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            while (true) {
                int header = in.readUnsignedByte();
                byte[] body = in.readNBytes(length(in));
                answer(header, new Body(body), out, socket);
            }
        } catch (IOException e) {
            // The client is gone, or we are.
        } finally {
            clients.remove(socket);
        }
    }

    private void answer(int header, Body body, DataOutputStream out, Socket socket) throws IOException {
        switch (header >> 4) {
            case 1 -> connect(body, out, socket);
            case 3 -> publish(header, body, out);
            case 8 -> {
                int id = body.number();
                body.skip(body.length());
                ByteArrayOutputStream codes = new ByteArrayOutputStream();
                codes.write(new byte[] {(byte) (id >> 8), (byte) id, 0});
                while (body.hasMore()) {
                    subscriptions.add(body.text());
                    body.skip(1);
                    codes.write(refusesSubscriptions ? 0x87 : 1);
                }
                send(out, 0x90, codes.toByteArray());
            }
            case 12 -> send(out, 0xd0, new byte[0]);
            case 14 -> throw new EOFException("disconnected");
            default -> {
                // acknowledgements of what we sent
            }
        }
    }

    private void connect(Body body, DataOutputStream out, Socket socket) throws IOException {
        body.text();
        if (body.octet() != 5) {
            throw new IOException("not MQTT 5");
        }
        int flags = body.octet();
        body.number();
        body.skip(body.length());
        String id = body.text();
        String willTopic = null;
        String will = null;
        if ((flags & 4) != 0) {
            body.skip(body.length());
            willTopic = body.text();
            will = body.text();
        }
        String user = (flags & 0x80) != 0 ? body.text() : null;
        String password = (flags & 0x40) != 0 ? body.text() : null;
        connects.add(new Connect(id, user, password, willTopic, will, (flags & 0x20) != 0));
        send(out, 0x20, new byte[] {0, (byte) refusal, 0});
        if (refusal != 0) {
            throw new EOFException("refused");
        }
        clients.put(socket, out);
    }

    private void publish(int header, Body body, DataOutputStream out) throws IOException {
        int qos = header >> 1 & 3;
        String topic = body.text();
        int id = qos > 0 ? body.number() : 0;
        body.skip(body.length());
        boolean refused = topic.startsWith(refusedTopic);
        if (!refused && !silent) {
            published.add(new Published(topic, body.rest(), qos, (header & 1) != 0));
        }
        if (qos > 0 && !silent) {
            send(out, 0x40, refused ? new byte[] {(byte) (id >> 8), (byte) id, (byte) 0x87, 0}
                    : new byte[] {(byte) (id >> 8), (byte) id});
        }
    }

    /** Sends a message to every client, as if it had subscribed. */
    void send(String topic, byte[] payload, boolean retain) throws IOException {
        byte[] name = topic.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.write(name.length >> 8);
        body.write(name.length);
        body.writeBytes(name);
        body.write(0);
        body.writeBytes(payload);
        for (DataOutputStream out : clients.values()) {
            send(out, 0x30 | (retain ? 1 : 0), body.toByteArray());
        }
    }

    /** Sends octets that are no packet. */
    void sendRaw(byte[] octets) throws IOException {
        for (DataOutputStream out : clients.values()) {
            out.write(octets);
            out.flush();
        }
    }

    private static void send(DataOutputStream out, int header, byte[] body) throws IOException {
        synchronized (out) {
            ByteArrayOutputStream packet = new ByteArrayOutputStream();
            packet.write(header);
            int rest = body.length;
            do {
                packet.write(rest > 127 ? rest & 127 | 128 : rest);
                rest >>= 7;
            } while (rest > 0);
            packet.writeBytes(body);
            out.write(packet.toByteArray());
            out.flush();
        }
    }

    /** The newest value of each retained topic. */
    Map<String, String> retained() {
        Map<String, String> values = new TreeMap<>();
        published.stream().filter(Published::retain).forEach(one -> values.put(one.topic(), one.text()));
        return values;
    }

    List<String> texts(String topic) {
        return published.stream().filter(one -> one.topic().equals(topic)).map(Published::text).toList();
    }

    /** Ends all connections; new ones are taken. */
    void dropConnections() throws IOException {
        for (Socket socket : new ArrayList<>(clients.keySet())) {
            socket.close();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        dropConnections();
    }

    private static int length(DataInputStream in) throws IOException {
        int length = 0;
        for (int shift = 0; shift < 28; shift += 7) {
            int octet = in.readUnsignedByte();
            length |= (octet & 127) << shift;
            if (octet < 128) {
                return length;
            }
        }
        throw new IOException("a length of more than four octets");
    }

    /** Reads a packet's body. */
    private static final class Body {
        private final byte[] bytes;
        private int at;

        Body(byte[] bytes) {
            this.bytes = bytes;
        }

        int octet() {
            return bytes[at++] & 255;
        }

        int number() {
            return octet() << 8 | octet();
        }

        int length() {
            int length = 0;
            int shift = 0;
            int octet;
            do {
                octet = octet();
                length |= (octet & 127) << shift;
                shift += 7;
            } while (octet > 127);
            return length;
        }

        void skip(int count) {
            at += count;
        }

        String text() {
            int length = number();
            at += length;
            return new String(bytes, at - length, length, StandardCharsets.UTF_8);
        }

        byte[] rest() {
            return java.util.Arrays.copyOfRange(bytes, at, bytes.length);
        }

        boolean hasMore() {
            return at < bytes.length;
        }
    }
}
