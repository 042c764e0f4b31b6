package dev.shrike.jetson.binding;

/**
 * Values of TensorRT's enumerations, some of which are newer than the binding: of those it makes constants without a
 * name and with a wrong ordinal, so that neither serves.
 */
final class BindingEnums {
    private static final int INT32 = 3;
    private static final int HALF = 1;

    private BindingEnums() {}

    /** Name of a constant without its k, or {@code "UNKNOWN_47"} of one that has none. */
    static String name(String name, int value) {
        return name == null ? "UNKNOWN_" + value : name.substring(1);
    }

    /** Bytes of an element of a {@code DataType}. */
    static int bytes(int dataType) {
        return switch (dataType) {
            case 0, INT32 -> Float.BYTES;
            case HALF -> Short.BYTES;
            default -> 1;
        };
    }
}
