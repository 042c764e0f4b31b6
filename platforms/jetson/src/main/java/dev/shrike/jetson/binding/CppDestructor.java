package dev.shrike.jetson.binding;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Deletes objects of C++ whose destructor is the first virtual function of their class, as those of TensorRT that have
 * no {@code destroy()}. In the C++ ABI of Linux (Itanium's) entry 1 of the virtual table then is what {@code delete}
 * calls.
 */
final class CppDestructor {
    private static final long DELETING = 1;

    private CppDestructor() {}

    /** Deletes the object; nobody may use it afterwards. */
    static void delete(long object) {
        MemorySegment table = MemorySegment.ofAddress(object).reinterpret(ValueLayout.ADDRESS.byteSize())
                .get(ValueLayout.ADDRESS, 0).reinterpret((DELETING + 1) * ValueLayout.ADDRESS.byteSize());
        MemorySegment destructor = table.getAtIndex(ValueLayout.ADDRESS, DELETING);
        try {
            Linker.nativeLinker().downcallHandle(destructor, FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG))
                    .invokeExact(object);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
