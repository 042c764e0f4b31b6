package dev.shrike.calibration.activations;

import dev.shrike.DeviceException;
import dev.shrike.graph.ActivationCodes;
import dev.shrike.graph.Quantization;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * What values of a network are on each of several pictures, in native memory: floats, or one byte an element where the
 * value is quantised. A value is kept from its first {@link #put} to {@link #free}. The owner closes it; several
 * threads may read.
 */
public final class ActivationStore implements AutoCloseable {
    private final int pictures;
    private final Map<String, Entry> entries = new HashMap<>();
    private long bytes;
    private long mostBytes;

    private record Entry(Arena arena, MemorySegment memory, int elements, ActivationCodes codes) {
        long stride() {
            return codes == null ? (long) elements * Float.BYTES : elements;
        }
    }

    /** A store for that many pictures. */
    public ActivationStore(int pictures) {
        this.pictures = pictures;
    }

    /** Number of pictures. */
    public int pictures() {
        return pictures;
    }

    /** Most bytes that were held at one time. */
    public long mostBytes() {
        return mostBytes;
    }

    /** Whether the value is held. */
    public boolean holds(String value) {
        return entries.containsKey(value);
    }

    /** Elements of the value on one picture. */
    public int elements(String value) {
        return entry(value).elements();
    }

    /**
     * Keeps a value on one picture.
     *
     * @param how quantisation of the value, which its elements already obey, or null
     */
    public void put(String value, int picture, float[] elements, int count, Quantization how) {
        Entry entry = entries.computeIfAbsent(value, _ -> allocate(value, count, how));
        long at = picture * entry.stride();
        if (entry.codes() == null) {
            MemorySegment.copy(elements, 0, entry.memory(), ValueLayout.JAVA_FLOAT, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            entry.memory().set(ValueLayout.JAVA_BYTE, at + i, (byte) entry.codes().quantize(elements[i]));
        }
    }

    private Entry allocate(String value, int count, Quantization how) {
        ActivationCodes codes = how == null ? null : ActivationCodes.of(how);
        long size = (long) count * pictures * (codes == null ? Float.BYTES : 1);
        Arena arena = Arena.ofShared();
        try {
            Entry entry = new Entry(arena, arena.allocate(Math.max(1, size), 64), count, codes);
            bytes += size;
            mostBytes = Math.max(mostBytes, bytes);
            return entry;
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new DeviceException("out of memory: value '" + value + "' on " + pictures + " pictures needs " + size
                    + " bytes; use fewer pictures or a smaller crop", e);
        }
    }

    /** The elements of a value on one picture. */
    public void get(String value, int picture, float[] to) {
        Entry entry = entry(value);
        long at = picture * entry.stride();
        if (entry.codes() == null) {
            MemorySegment.copy(entry.memory(), ValueLayout.JAVA_FLOAT, at, to, 0, entry.elements());
            return;
        }
        float scale = entry.codes().scale();
        int zero = entry.codes().zero();
        for (int i = 0; i < entry.elements(); i++) {
            to[i] = scale * ((entry.memory().get(ValueLayout.JAVA_BYTE, at + i) & 0xff) - zero);
        }
    }

    private Entry entry(String value) {
        Entry entry = entries.get(value);
        if (entry == null) {
            throw new IllegalStateException("value '" + value + "' is not held");
        }
        return entry;
    }

    /** Forgets a value. */
    public void free(String value) {
        Entry entry = entries.remove(value);
        if (entry != null) {
            bytes -= entry.memory().byteSize();
            entry.arena().close();
        }
    }

    @Override
    public void close() {
        Map.copyOf(entries).keySet().forEach(this::free);
    }
}
