package dev.shrike.sources;

import dev.shrike.PixelFormat;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How to open a source. What a kind of source has no use for is refused when it is opened, so that nothing is silently
 * without effect.
 *
 * @param width wanted width in pixels, 0 for what the source has; a camera must have it, other sources are not resized
 * @param height wanted height, 0 if and only if the width is
 * @param rate frames a second that a camera is asked for; of other sources the most that are given; 0 for all
 * @param rotation degrees that the frames are turned clockwise: 0, 90, 180, 270
 * @param mirror whether the frames are mirrored, left to right, after they were turned
 * @param loop whether files begin again at their end
 * @param realTime whether files are played at the pace of their time stamps, as if a camera sent them
 * @param user for streams; empty if there is none. One in the URI counts if this is empty
 * @param password for streams, kept out of every text
 * @param transport what RTSP travels on
 * @param openTimeout longest time for one attempt to connect
 * @param stallTimeout longest time without a frame before a running source counts as lost
 * @param decoder name of FFmpeg's decoder to try first, such as {@code "h264_v4l2m2m"}; empty for the usual choice
 * @param format pixel format that a camera is asked for; empty for the best it has
 * @param camera id that the frames bear
 */
public record SourceOptions(int width, int height, double rate, int rotation, boolean mirror, boolean loop,
        boolean realTime, String user, String password, Transport transport, Duration openTimeout,
        Duration stallTimeout, String decoder, Optional<PixelFormat> format, String camera) {
    /** What RTSP travels on. */
    public enum Transport {
        /** Inside the connection of RTSP itself: nothing is lost, and no port has to be open. */
        TCP,
        /** Datagrams: less delay on a bad network, and damaged frames. */
        UDP
    }

    private static final int LARGEST = 1 << 15;
    private static final Duration LONGEST = Duration.ofHours(1);

    /** Everything as the source has it; RTSP over TCP; 5 seconds to connect, 4 without a frame. */
    public static final SourceOptions DEFAULTS = new SourceOptions(0, 0, 0, 0, false, false, false, "", "",
            Transport.TCP, Duration.ofSeconds(5), Duration.ofSeconds(4), "", Optional.empty(), "");

    /** @throws IllegalArgumentException if a value is out of its range; says which */
    public SourceOptions {
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(password, "password");
        Objects.requireNonNull(transport, "transport");
        Objects.requireNonNull(decoder, "decoder");
        Objects.requireNonNull(format, "format");
        Objects.requireNonNull(camera, "camera");
        if (width < 0 || height < 0 || width > LARGEST || height > LARGEST || width == 0 != (height == 0)) {
            throw new IllegalArgumentException("size " + width + "x" + height + " is not within 1 to " + LARGEST);
        }
        if (!(rate >= 0 && rate <= 1000)) {
            throw new IllegalArgumentException("rate " + rate + " is not within 0 to 1000 frames a second");
        }
        if (rotation != 0 && rotation != 90 && rotation != 180 && rotation != 270) {
            throw new IllegalArgumentException("rotation " + rotation + " is none of 0, 90, 180, 270");
        }
        if (user.isEmpty() && !password.isEmpty()) {
            throw new IllegalArgumentException("a password without a user");
        }
        requireTime("time to connect", openTimeout);
        requireTime("time without a frame", stallTimeout);
        if (!decoder.matches("[A-Za-z0-9_-]*")) {
            throw new IllegalArgumentException("'" + decoder + "' is no name of a decoder");
        }
    }

    private static void requireTime(String name, Duration time) {
        if (time.compareTo(Duration.ofMillis(100)) < 0 || time.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + " " + time + " is not within 0.1 s to an hour");
        }
    }

    /** A builder that begins with {@link #DEFAULTS}. */
    public static Builder builder() {
        return new Builder(DEFAULTS);
    }

    /** A builder that begins with these. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** All but user and password. */
    @Override
    public String toString() {
        return "SourceOptions[size=" + width + "x" + height + ", rate=" + rate + ", rotation=" + rotation + ", mirror="
                + mirror + ", loop=" + loop + ", realTime=" + realTime + ", transport=" + transport + ", openTimeout="
                + openTimeout + ", stallTimeout=" + stallTimeout + ", decoder=" + decoder + ", format="
                + format.map(Enum::name).orElse("") + ", camera=" + camera + "]";
    }

    /** Makes options, one setting after another. Confined to one thread. */
    public static final class Builder {
        private int width;
        private int height;
        private double rate;
        private int rotation;
        private boolean mirror;
        private boolean loop;
        private boolean realTime;
        private String user;
        private String password;
        private Transport transport;
        private Duration openTimeout;
        private Duration stallTimeout;
        private String decoder;
        private Optional<PixelFormat> format;
        private String camera;

        private Builder(SourceOptions from) {
            width = from.width;
            height = from.height;
            rate = from.rate;
            rotation = from.rotation;
            mirror = from.mirror;
            loop = from.loop;
            realTime = from.realTime;
            user = from.user;
            password = from.password;
            transport = from.transport;
            openTimeout = from.openTimeout;
            stallTimeout = from.stallTimeout;
            decoder = from.decoder;
            format = from.format;
            camera = from.camera;
        }

        /** Wanted size in pixels, 0 and 0 for what the source has. */
        public Builder size(int wantedWidth, int wantedHeight) {
            width = wantedWidth;
            height = wantedHeight;
            return this;
        }

        /** Frames a second. */
        public Builder rate(double framesPerSecond) {
            rate = framesPerSecond;
            return this;
        }

        /** Degrees clockwise. */
        public Builder rotation(int degrees) {
            rotation = degrees;
            return this;
        }

        /** Whether left and right change places. */
        public Builder mirror(boolean mirrored) {
            mirror = mirrored;
            return this;
        }

        /** Whether files begin again at their end. */
        public Builder loop(boolean looped) {
            loop = looped;
            return this;
        }

        /** Whether files are played at the pace of their time stamps. */
        public Builder realTime(boolean paced) {
            realTime = paced;
            return this;
        }

        /** User and password of a stream. */
        public Builder credentials(String name, String secret) {
            user = name;
            password = secret;
            return this;
        }

        /** What RTSP travels on. */
        public Builder transport(Transport carrier) {
            transport = carrier;
            return this;
        }

        /** Longest time for one attempt to connect. */
        public Builder openTimeout(Duration longest) {
            openTimeout = longest;
            return this;
        }

        /** Longest time without a frame. */
        public Builder stallTimeout(Duration longest) {
            stallTimeout = longest;
            return this;
        }

        /** Decoder to try first. */
        public Builder decoder(String name) {
            decoder = name;
            return this;
        }

        /** Pixel format that a camera is asked for. */
        public Builder format(PixelFormat wanted) {
            format = Optional.of(wanted);
            return this;
        }

        /** Id that the frames bear. */
        public Builder camera(String id) {
            camera = id;
            return this;
        }

        /**
         * The options.
         *
         * @throws IllegalArgumentException if a value is out of its range
         */
        public SourceOptions build() {
            return new SourceOptions(width, height, rate, rotation, mirror, loop, realTime, user, password, transport,
                    openTimeout, stallTimeout, decoder, format, camera);
        }
    }
}
