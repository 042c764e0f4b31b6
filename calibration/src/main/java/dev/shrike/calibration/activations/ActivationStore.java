package dev.shrike.calibration.activations;

import dev.shrike.graph.Quantization;
import dev.shrike.graph.quantization.QuantParams;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * What values of a network are on each of several images, outside the heap: floats, or one byte an element where the
 * value is quantised. A value is kept from its first {@link #put} to {@link #free}. The owner closes it; confined to
 * one thread.
 */
public final class ActivationStore implements AutoCloseable {
    private final int images;
    private final ActivationMemory memory;
    private final Map<String, Entry> entries = new HashMap<>();

    private record Entry(Storage storage, int elements, QuantParams codes) {
        long stride() {
            return codes == null ? (long) elements * Float.BYTES : elements;
        }
    }

    /** A store for that many images; others may share its memory. */
    public ActivationStore(int images, ActivationMemory memory) {
        this.images = images;
        this.memory = memory;
    }

    /** Number of images. */
    public int images() {
        return images;
    }

    /** Whether the value is held. */
    public boolean holds(String value) {
        return entries.containsKey(value);
    }

    /** Elements of the value on one image. */
    public int elements(String value) {
        return entry(value).elements();
    }

    /**
     * Keeps a value on one image.
     *
     * @param how quantisation of the value, which its elements already obey, or null
     * @throws dev.shrike.DeviceException if there is no memory left or the disk is full; says what needs how much
     */
    public void put(String value, int image, float[] elements, int count, Quantization how) {
        Entry entry = entries.computeIfAbsent(value, _ -> allocate(value, count, how));
        long at = image * entry.stride();
        MemorySegment part = entry.storage().begin(at, entry.stride());
        if (entry.codes() == null) {
            MemorySegment.copy(elements, 0, part, ValueLayout.JAVA_FLOAT, 0, count);
        } else {
            for (int i = 0; i < count; i++) {
                part.set(ValueLayout.JAVA_BYTE, i, (byte) entry.codes().quantize(elements[i]));
            }
        }
        entry.storage().keep(at, part);
    }

    private Entry allocate(String value, int count, Quantization how) {
        QuantParams codes = how == null ? null : QuantParams.of(how);
        return new Entry(memory.allocate("value '" + value + "' on " + images + " images", images,
                (long) count * (codes == null ? Float.BYTES : 1)), count, codes);
    }

    /** The elements of a value on one image. */
    public void get(String value, int image, float[] to) {
        Entry entry = entry(value);
        MemorySegment part = entry.storage().load(image * entry.stride(), entry.stride());
        if (entry.codes() == null) {
            MemorySegment.copy(part, ValueLayout.JAVA_FLOAT, 0, to, 0, entry.elements());
            return;
        }
        float scale = entry.codes().scale();
        int zero = entry.codes().zero();
        for (int i = 0; i < entry.elements(); i++) {
            to[i] = scale * ((part.get(ValueLayout.JAVA_BYTE, i) & 0xff) - zero);
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
            memory.free(entry.storage());
        }
    }

    @Override
    public void close() {
        Map.copyOf(entries).keySet().forEach(this::free);
    }
}
