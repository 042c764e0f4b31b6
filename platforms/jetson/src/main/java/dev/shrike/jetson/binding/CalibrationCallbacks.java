package dev.shrike.jetson.binding;

import dev.shrike.DeviceException;
import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** What both calibrators do when C++ calls. After an exception it is as if there were no more images. */
final class CalibrationCallbacks {
    private final TensorRt.CalibrationFeed feed;
    private final Upcalls upcalls = new Upcalls();
    private BytePointer cache;

    CalibrationCallbacks(TensorRt.CalibrationFeed feed) {
        this.feed = feed;
    }

    /** What a feed threw, or null. */
    Throwable thrown() {
        return upcalls.thrown();
    }

    void rethrow() {
        upcalls.rethrow();
    }

    /** A batch, whose address goes to the first of the bindings. */
    boolean next(PointerPointer<?> bindings, PointerPointer<?> names, int count) {
        return upcalls.attempt(() -> {
            if (count != 1) {
                throw new DeviceException("the network has " + count + " inputs");
            }
            long address = feed.next(names.getString(0));
            if (address != 0) {
                bindings.put(0, new CudaLibrary.Address(address));
            }
            return address != 0;
        }, false);
    }

    /** Results of an earlier calibration, whose bytes live until the next call. */
    Pointer cached(LongPointer length) {
        byte[] bytes = upcalls.attempt(feed::cached, new byte[0]);
        return upcalls.attempt(() -> {
            length.put(bytes.length);
            cache = bytes.length == 0 ? null : new BytePointer(bytes);
            return cache;
        }, null);
    }

    void keep(Pointer bytes, long length) {
        upcalls.attempt(() -> {
            byte[] copy = new byte[Math.toIntExact(length)];
            MemorySegment.ofAddress(bytes.address()).reinterpret(length).asByteBuffer().get(copy);
            feed.keep(copy);
            return true;
        }, false);
    }
}
