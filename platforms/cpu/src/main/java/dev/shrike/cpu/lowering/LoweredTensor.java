package dev.shrike.cpu.lowering;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Shape;
import dev.shrike.graph.quantization.QuantParams;
import java.util.Objects;

/**
 * A value of a lowered network.
 *
 * @param name name of the value, unique in its network
 * @param type element type that the model gives the value; codes stand for values of that type
 * @param shape dimensions, known and none of them 0
 * @param format what its elements are in memory
 */
public record LoweredTensor(String name, DataType type, Shape shape, Format format) {
    /** What the elements of a value are in memory. */
    public sealed interface Format {
        /** Elements of four bytes, float32, whole numbers and truth values too. */
        record Floats() implements Format {}

        /**
         * Codes of one byte.
         *
         * @param params what they stand for
         */
        record Codes(QuantParams params) implements Format {
            public Codes {
                Objects.requireNonNull(params, "params");
            }
        }

        /** Codes of one byte whose scale and zero point each run finds. */
        record DynamicCodes() implements Format {}
    }

    public LoweredTensor {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(format, "format");
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a value without a name");
        }
        if (!shape.dims().stream().allMatch(d -> d > 0 && d <= Integer.MAX_VALUE)) {
            throw new IllegalArgumentException("value '" + name + "' of shape " + shape);
        }
    }

    /** The dimensions, outermost first. */
    public int[] dims() {
        return shape.dims().stream().mapToInt(Math::toIntExact).toArray();
    }

    /** Bytes of one element. */
    public int elementBytes() {
        return isCodes() ? 1 : Float.BYTES;
    }

    /** Whether the elements are codes. */
    public boolean isCodes() {
        return switch (format) {
            case Format.Floats _ -> false;
            case Format.Codes _,Format.DynamicCodes _ -> true;
        };
    }
}
