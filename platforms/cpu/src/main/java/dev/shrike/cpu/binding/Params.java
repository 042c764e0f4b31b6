package dev.shrike.cpu.binding;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The fields of one parameter struct of {@code shrike.h}, in C's order and alignment. A field is written {@code type
 * name} or {@code type name[n]} with the types {@code pointer}, {@code bounds}, {@code i64}, {@code i32}, {@code u32}
 * and {@code f32}. What native code may reach by a pointer {@code x} is in the bounds {@code x_bounds}.
 */
public final class Params {
    private record Field(String type, int count, long offset) {}

    private static final String BOUNDS = "bounds";

    private final String name;
    private final Map<String, Field> fields = new LinkedHashMap<>();
    private long size;

    private Params(String name, String declaration) {
        this.name = name;
        long largest = 1;
        for (String part : declaration.strip().split("\\s*[,;]\\s*")) {
            String[] words = part.split("\\s+");
            int bracket = words[1].indexOf('[');
            int count = bracket < 0 ? 1 : Integer.parseInt(words[1].substring(bracket + 1, words[1].length() - 1));
            String field = bracket < 0 ? words[1] : words[1].substring(0, bracket);
            long width = width(words[0]);
            size = Math.ceilDiv(size, width) * width;
            fields.put(field, new Field(words[0], count, size));
            size += (words[0].equals(BOUNDS) ? 2 * width : width) * count;
            largest = Math.max(largest, width);
        }
        size = Math.ceilDiv(size, largest) * largest;
    }

    private static long width(String type) {
        return switch (type) {
            case "pointer", "i64", BOUNDS -> 8;
            case "i32", "u32", "f32" -> 4;
            default -> throw new IllegalArgumentException("field type " + type);
        };
    }

    private static final String IMAGE_STRIDES =
            "i64 src_batch_stride, i64 src_row_stride, i64 src_pixel_stride,"
                    + "i64 dst_batch_stride, i64 dst_row_stride, i64 dst_pixel_stride,";

    private static final String SRC_DST =
            "pointer src, pointer dst, bounds src_bounds, bounds dst_bounds,";

    private static final String A_B_DST =
            "pointer a, pointer b, pointer dst, bounds a_bounds, bounds b_bounds, bounds dst_bounds,";

    private static final String SRC_DST_RANGE =
            "pointer src, pointer dst, pointer range, bounds src_bounds, bounds dst_bounds, bounds range_bounds,";

    public static final Params CONV2D = new Params(
            "shrike_conv2d_f32_params",
            "pointer src, pointer dst, pointer weights, pointer bias, pointer residual,"
                    + "bounds src_bounds, bounds dst_bounds, bounds weights_bounds, bounds bias_bounds,"
                    + "bounds residual_bounds," + IMAGE_STRIDES
                    + "i64 residual_batch_stride, i64 residual_row_stride, i64 residual_pixel_stride,"
                    + "i32 batch, i32 height, i32 width, i32 channels,"
                    + "i32 out_height, i32 out_width, i32 out_channels, i32 groups,"
                    + "i32 kernel_height, i32 kernel_width, i32 stride_height, i32 stride_width,"
                    + "i32 pad_top, i32 pad_left, i32 dilation_height, i32 dilation_width,"
                    + "i32 activation, f32 alpha, f32 beta, i32 reserved");

    public static final Params POOL2D = new Params(
            "shrike_pool2d_f32_params",
            SRC_DST + IMAGE_STRIDES
                    + "i32 batch, i32 height, i32 width, i32 channels, i32 out_height, i32 out_width,"
                    + "i32 kernel_height, i32 kernel_width, i32 stride_height, i32 stride_width,"
                    + "i32 pad_top, i32 pad_left, i32 pad_bottom, i32 pad_right,"
                    + "i32 dilation_height, i32 dilation_width, i32 count_include_pad, i32 reserved");

    public static final Params RESIZE2D = new Params(
            "shrike_resize2d_f32_params",
            SRC_DST + IMAGE_STRIDES
                    + "i32 batch, i32 height, i32 width, i32 channels, i32 out_height, i32 out_width,"
                    + "i32 mode, i32 coordinates, i32 nearest, f32 scale_height, f32 scale_width, i32 reserved");

    public static final Params UNARY = new Params(
            "shrike_unary_f32_params",
            SRC_DST + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6],"
                    + "i32 rank, i32 kind, f32 alpha, f32 beta");

    public static final Params BINARY = new Params(
            "shrike_binary_f32_params",
            A_B_DST + "i64 dims[6], i64 a_strides[6], i64 b_strides[6], i64 dst_strides[6],"
                    + "i32 rank, i32 kind");

    public static final Params COPY = new Params(
            "shrike_copy_f32_params",
            SRC_DST + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6], i32 rank, i32 reserved");

    public static final Params FILL = new Params(
            "shrike_fill_f32_params",
            "pointer dst, bounds dst_bounds, i64 dims[6], i64 dst_strides[6], i32 rank, f32 value");

    public static final Params SOFTMAX = new Params(
            "shrike_softmax_f32_params",
            SRC_DST + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6], i32 rank, i32 axis");

    public static final Params REDUCE = new Params(
            "shrike_reduce_f32_params",
            SRC_DST + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6],"
                    + "i32 rank, i32 kind, u32 axis_mask, i32 reserved");

    public static final Params MATMUL = new Params(
            "shrike_matmul_f32_params",
            "pointer a, pointer b, pointer bias, pointer dst, bounds a_bounds, bounds b_bounds, bounds bias_bounds,"
                    + "bounds dst_bounds, i64 batch_dims[4], i64 a_batch_strides[4],"
                    + "i64 b_batch_strides[4], i64 bias_batch_strides[4], i64 dst_batch_strides[4],"
                    + "i64 m, i64 n, i64 k, i64 a_row_stride, i64 a_column_stride, i64 b_row_stride,"
                    + "i64 b_column_stride, i64 bias_row_stride, i64 bias_column_stride, i64 dst_row_stride,"
                    + "i64 dst_column_stride, f32 alpha, f32 beta, i32 batch_rank, i32 reserved");

    public static final Params CONV2D_Q = new Params(
            "shrike_conv2d_q_params",
            "pointer src, pointer dst, pointer weights, pointer multiplier, pointer offset, pointer table,"
                    + "pointer thresholds, pointer residual, pointer workspace, pointer src_range,"
                    + "bounds src_bounds, bounds dst_bounds, bounds weights_bounds, bounds multiplier_bounds,"
                    + "bounds offset_bounds, bounds table_bounds, bounds thresholds_bounds, bounds residual_bounds,"
                    + "bounds workspace_bounds, bounds src_range_bounds," + IMAGE_STRIDES
                    + "i64 residual_batch_stride, i64 residual_row_stride, i64 residual_pixel_stride,"
                    + "i32 batch, i32 height, i32 width, i32 channels,"
                    + "i32 out_height, i32 out_width, i32 out_channels, i32 groups,"
                    + "i32 kernel_height, i32 kernel_width, i32 stride_height, i32 stride_width,"
                    + "i32 pad_top, i32 pad_left, i32 dilation_height, i32 dilation_width,"
                    + "i32 src_zero, i32 src_bits, i32 weight_bits, i32 weight_bipolar, i32 output, i32 low, i32 high,"
                    + "f32 residual_a, f32 residual_b, f32 residual_c, i32 residual_low, i32 residual_high,"
                    + "i32 activation, f32 alpha, f32 beta, f32 code_multiplier, f32 code_offset,"
                    + "i32 residual_first, i32 kernel, i32 src_dynamic");

    public static final Params POOL2D_U8 = new Params(
            "shrike_pool2d_u8_params",
            SRC_DST + IMAGE_STRIDES
                    + "i32 batch, i32 height, i32 width, i32 channels, i32 out_height, i32 out_width,"
                    + "i32 kernel_height, i32 kernel_width, i32 stride_height, i32 stride_width,"
                    + "i32 pad_top, i32 pad_left, i32 dilation_height, i32 dilation_width");

    public static final Params RESIZE2D_U8 = new Params(
            "shrike_resize2d_u8_params",
            SRC_DST + IMAGE_STRIDES
                    + "i32 batch, i32 height, i32 width, i32 channels, i32 out_height, i32 out_width,"
                    + "i32 coordinates, i32 nearest, f32 scale_height, f32 scale_width");

    public static final Params LUT_U8 = new Params(
            "shrike_lut_u8_params",
            "pointer src, pointer dst, pointer table, bounds src_bounds, bounds dst_bounds, bounds table_bounds,"
                    + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6],"
                    + "i32 rank, i32 reserved");

    public static final Params ADD_U8 = new Params(
            "shrike_add_u8_params",
            A_B_DST + "i64 dims[6], i64 a_strides[6], i64 b_strides[6], i64 dst_strides[6],"
                    + "i32 rank, f32 scale_a, f32 scale_b, f32 offset, i32 low, i32 high");

    public static final Params QUANTIZE = new Params(
            "shrike_quantize_f32_u8_params",
            SRC_DST + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6],"
                    + "i32 rank, f32 scale, i32 zero, i32 low, i32 high, i32 reserved");

    public static final Params QUANTIZE_MEASURED = new Params(
            "shrike_quantize_dynamic_f32_u8_params",
            SRC_DST_RANGE + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6],"
                    + "i32 rank, i32 reserved");

    public static final Params DEQUANTIZE = new Params(
            "shrike_dequantize_u8_f32_params",
            SRC_DST_RANGE + "i64 dims[6], i64 src_strides[6], i64 dst_strides[6],"
                    + "i32 rank, f32 scale, i32 zero, i32 reserved");

    public static final Params LETTERBOX = new Params(
            "shrike_letterbox_u8_f32_params",
            "pointer src, pointer dst, pointer workspace,"
                    + "bounds src_bounds, bounds dst_bounds, bounds workspace_bounds,"
                    + "i64 src_row_stride, i64 dst_channel_stride, i64 dst_row_stride, i64 dst_pixel_stride,"
                    + "i32 format, i32 height, i32 width,"
                    + "i32 region_top, i32 region_left, i32 region_height, i32 region_width,"
                    + "i32 out_height, i32 out_width, i32 top, i32 left, i32 inner_height, i32 inner_width,"
                    + "i32 red_first, f32 scale, f32 fill");

    /** Of {@code shrike_acl.h}. */
    public static final Params ACL_CONV2D = new Params(
            "shrike_acl_conv2d_params",
            "pointer src, pointer dst, pointer weights, pointer bias, pointer weight_scale," + IMAGE_STRIDES
                    + "i32 batch, i32 height, i32 width, i32 channels,"
                    + "i32 out_height, i32 out_width, i32 out_channels, i32 groups,"
                    + "i32 kernel_height, i32 kernel_width, i32 stride_height, i32 stride_width,"
                    + "i32 pad_top, i32 pad_left, i32 dilation_height, i32 dilation_width, i32 type, i32 method,"
                    + "i32 activation, f32 alpha, f32 beta, f32 src_scale, f32 dst_scale, i32 src_zero, i32 dst_zero,"
                    + "i32 threads");

    /** The C name of the struct. */
    public String name() {
        return name;
    }

    /** Size of the struct in bytes. */
    public long size() {
        return size;
    }

    /** Offset of a field in bytes, for those who write it often. */
    public long offset(String field) {
        return fields.get(field).offset();
    }

    /** The fields in order, each as {@code type name[count]} with the count left out where it is 1. */
    java.util.List<String> declaration() {
        return fields.entrySet().stream()
                .map(e -> e.getValue().type() + " " + e.getKey()
                        + (e.getValue().count() == 1 ? "" : "[" + e.getValue().count() + "]"))
                .toList();
    }

    /** A struct of zeros. */
    public Writer allocate(Arena arena) {
        return new Writer(arena.allocate(size, 8));
    }

    /** Sets fields by name. */
    public final class Writer {
        private final MemorySegment memory;

        private Writer(MemorySegment memory) {
            this.memory = memory;
        }

        public MemorySegment memory() {
            return memory;
        }

        public Writer set(String field, long value) {
            return set(field, 0, value);
        }

        public Writer set(String field, int index, long value) {
            if (fields.containsKey(field + "_bounds")) {
                throw new IllegalArgumentException(name + "." + field + " is a pointer with bounds");
            }
            return put(field, index, value);
        }

        private Writer put(String field, int index, long value) {
            Field f = field(field, index);
            if (width(f.type()) == 8) {
                memory.set(ValueLayout.JAVA_LONG, f.offset() + 8L * index, value);
            } else {
                memory.set(ValueLayout.JAVA_INT, f.offset() + 4L * index, Math.toIntExact(value));
            }
            return this;
        }

        /** Sets a pointer and its bounds to a whole buffer. */
        public Writer point(String field, MemorySegment buffer) {
            return point(field, BoundedPointer.to(buffer));
        }

        /** Sets a pointer and its bounds. */
        public Writer point(String field, BoundedPointer to) {
            Field bounds = field(field + "_bounds", 0);
            memory.set(ValueLayout.JAVA_LONG, bounds.offset(), to.before());
            memory.set(ValueLayout.JAVA_LONG, bounds.offset() + Long.BYTES, to.after());
            return put(field, 0, to.address());
        }

        public Writer setFloat(String field, float value) {
            Field f = field(field, 0);
            if (!f.type().equals("f32")) {
                throw new IllegalArgumentException(name + "." + field + " is no float");
            }
            memory.set(ValueLayout.JAVA_FLOAT, f.offset(), value);
            return this;
        }

        public Writer setAll(String field, long[] values) {
            for (int i = 0; i < values.length; i++) {
                set(field, i, values[i]);
            }
            return this;
        }

        /** Batch, row and pixel stride of an NCHW view with the channels innermost. */
        public Writer setImage(String prefix, View view) {
            int[] dims = view.dims();
            // The stride of a dimension of size 1 says nothing, but the library wants one that is sound.
            long pixel = dims[3] == 1 ? dims[1] : view.strides()[3];
            long row = dims[2] == 1 ? pixel * dims[3] : view.strides()[2];
            long batch = dims[0] == 1 ? row * dims[2] : view.strides()[0];
            return set(prefix + "_batch_stride", batch)
                    .set(prefix + "_row_stride", row)
                    .set(prefix + "_pixel_stride", pixel);
        }

        private Field field(String field, int index) {
            Field f = fields.get(field);
            if (f == null || index >= f.count()) {
                throw new IllegalArgumentException(name + " has no " + field + "[" + index + "]");
            }
            return f;
        }
    }
}
