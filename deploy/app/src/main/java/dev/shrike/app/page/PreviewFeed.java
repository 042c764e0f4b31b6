package dev.shrike.app.page;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.StageTimes;
import dev.shrike.vision.Images;
import dev.shrike.vision.PreviewImage;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The live image of one camera. Nothing is copied, drawn or encoded while nobody watches; while somebody does, at
 * most so many images a second, on a thread of its own, so that the loop only pays for making the frame small.
 */
public final class PreviewFeed {
    private final String camera;
    private final long intervalNanos;
    private final int quality;
    private final PreviewImage image;
    private int viewers;
    private long due;
    private boolean encoding;
    private Frame small;
    private Detections boxes;
    private byte[] newest = {};
    private long number;
    private boolean closed;
    private long encoded;

    /**
     * @param rate most images a second
     * @param width of the widest image in pixels
     * @param quality of the JPEG
     */
    public PreviewFeed(String camera, double rate, int width, int quality) {
        this.camera = camera;
        this.quality = quality;
        intervalNanos = Math.round(TimeUnit.SECONDS.toNanos(1) / rate);
        image = new PreviewImage(width);
        due = System.nanoTime();
    }

    /** Whether an image is wanted now: somebody watches, the last one is long enough ago and encoded. */
    public synchronized boolean wanted(long now) {
        return viewers > 0 && !encoding && !closed && now - due >= 0;
    }

    /** Takes a frame with what is to be drawn; only after {@link #wanted}. The frame is not kept. */
    public void offer(Frame frame, List<Detection> drawn) {
        Frame made = image.of(frame);
        float scale = (float) made.width() / frame.width();
        List<Detection> scaled = drawn.stream().map(one -> new Detection(one.classId(), one.label(), one.score(),
                one.x1() * scale, one.y1() * scale, one.x2() * scale, one.y2() * scale)).toList();
        synchronized (this) {
            long now = System.nanoTime();
            // The mean rate stays the wanted one although frames come at their own times.
            due = Math.max(due + intervalNanos, now - intervalNanos);
            small = made;
            boxes = new Detections(made.width(), made.height(), frame.captured(), new StageTimes(0, 0, 0),
                    scaled);
            encoding = true;
            notifyAll();
        }
    }

    /** Somebody watches from here on. */
    synchronized void enter() {
        viewers++;
        if (viewers == 1) {
            due = System.nanoTime();
            Thread.ofPlatform().daemon().name("shrike-preview " + camera).start(this::encode);
        }
    }

    /** Somebody watches no more. */
    synchronized void leave() {
        viewers--;
        if (viewers == 0) {
            newest = new byte[0];
            notifyAll();
        }
    }

    /** Images that were encoded so far. */
    public synchronized long encoded() {
        return encoded;
    }

    /** How many watch. */
    public synchronized int viewers() {
        return viewers;
    }

    /** Ends all streams. */
    public synchronized void close() {
        closed = true;
        notifyAll();
    }

    /**
     * An image.
     *
     * @param number counted from 1
     * @param jpeg its file
     */
    record Image(long number, byte[] jpeg) {}

    /** The first image with a higher number, if one comes in time. */
    synchronized Optional<Image> await(long after, long millis) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!closed && (number <= after || newest.length == 0)) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                return Optional.empty();
            }
            wait(left);
        }
        return closed ? Optional.empty() : Optional.of(new Image(number, newest));
    }

    /** The next image, if one comes in time; for somebody who wants one only. */
    public Optional<byte[]> snapshot(long millis) throws InterruptedException {
        long before;
        synchronized (this) {
            before = number;
        }
        enter();
        try {
            return await(before, millis).map(Image::jpeg);
        } finally {
            leave();
        }
    }

    private void encode() {
        while (true) {
            Frame frame;
            Detections drawn;
            synchronized (this) {
                while (!encoding && viewers > 0 && !closed) {
                    try {
                        wait();
                    } catch (InterruptedException e) {
                        return;
                    }
                }
                if (viewers == 0 || closed) {
                    encoding = false;
                    return;
                }
                frame = small;
                drawn = boxes;
            }
            byte[] jpeg = {};
            try {
                Images.draw(frame, drawn);
                jpeg = PreviewImage.jpeg(frame, quality);
            } catch (ShrikeException e) {
                // This image is left out; the detections do not depend on it.
            }
            synchronized (this) {
                encoding = false;
                if (jpeg.length > 0) {
                    newest = jpeg;
                    number++;
                    encoded++;
                    notifyAll();
                }
            }
        }
    }
}
