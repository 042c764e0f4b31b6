package dev.shrike.app.outputs.mqtt;

import dev.shrike.app.outputs.CameraControl;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Cameras whose detection can be switched, with a snapshot of a few bytes. */
final class SwitchedCameras implements CameraControl {
    static final byte[] JPEG = {(byte) 0xff, (byte) 0xd8, 0, 1, 2, (byte) 0xff, (byte) 0xd9};

    final AtomicInteger snapshots = new AtomicInteger();
    final AtomicInteger switched = new AtomicInteger();
    private final Map<String, Boolean> detecting = new ConcurrentHashMap<>();
    private final List<String> cameras;

    SwitchedCameras(String... cameras) {
        this.cameras = List.of(cameras);
        this.cameras.forEach(camera -> detecting.put(camera, true));
    }

    @Override
    public List<String> cameras() {
        return cameras;
    }

    @Override
    public boolean isDetecting(String camera) {
        return detecting.get(camera);
    }

    @Override
    public void detect(String camera, boolean on) {
        switched.incrementAndGet();
        detecting.replace(camera, on);
    }

    @Override
    public Optional<byte[]> snapshot(String camera) {
        snapshots.incrementAndGet();
        return Optional.of(JPEG);
    }
}
