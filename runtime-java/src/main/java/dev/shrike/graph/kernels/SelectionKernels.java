package dev.shrike.graph.kernels;

import dev.shrike.graph.Broadcast;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Indices;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import java.util.Arrays;
import java.util.List;

/** Kernels of operations that pick and place elements. */
final class SelectionKernels {
    private SelectionKernels() {}

    static ArrayKernel gatherElements(Node node, Op.GatherElements op, Shape x, Shape indices) {
        AtElements at = new AtElements(ArrayKernel.axis(op.axis(), x.rank()), x, indices);
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int i = 0; i < at.bases.length; i++) {
                    outputs[0][i] = inputs[0][at.bases[i] + index(inputs[1][i], at.size) * at.stride];
                }
            }
        };
    }

    static ArrayKernel scatterElements(Node node, Op.ScatterElements op, Shape x, Shape indices) {
        AtElements at = new AtElements(ArrayKernel.axis(op.axis(), x.rank()), x, indices);
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                System.arraycopy(inputs[0], 0, outputs[0], 0, inputs[0].length);
                for (int i = 0; i < at.bases.length; i++) {
                    join(op.reduction(), outputs[0], at.bases[i] + index(inputs[1][i], at.size) * at.stride,
                            inputs[2][i]);
                }
            }
        };
    }

    /** Where the elements of indices lie in the input, but for the axis. */
    private static final class AtElements {
        private final int[] bases;
        private final int stride;
        private final long size;

        AtElements(int axis, Shape x, Shape indices) {
            long[] strides = Indices.strides(x);
            stride = (int) strides[axis];
            size = x.dim(axis);
            strides[axis] = 0;
            bases = Indices.strided(indices, strides, 0);
        }
    }

    private static void join(Op.Reduction reduction, double[] to, int at, double value) {
        to[at] = switch (reduction) {
            case NONE -> value;
            case ADD -> to[at] + value;
            case MUL -> to[at] * value;
            case MIN -> Math.min(to[at], value);
            case MAX -> Math.max(to[at], value);
        };
    }

    static ArrayKernel gather(Node node, Op.Gather op, Shape x, Shape indices) {
        int axis = ArrayKernel.axis(op.axis(), x.rank());
        int size = (int) x.dim(axis);
        int outer = Indices.product(x, 0, axis);
        int inner = Indices.product(x, axis + 1, x.rank());
        int count = Math.toIntExact(indices.elements());
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int i = 0; i < outer * count; i++) {
                    int from = i / count * size + index(inputs[1][i % count], size);
                    System.arraycopy(inputs[0], from * inner, outputs[0], i * inner, inner);
                }
            }
        };
    }

    static ArrayKernel gatherNd(Node node, Op.GatherNd op, Shape x, Shape indices) {
        int batches = Indices.product(x, 0, op.batchDims());
        int length = (int) indices.dim(-1);
        int tuples = Indices.product(indices, 0, indices.rank() - 1);
        int block = Indices.product(x, op.batchDims(), x.rank());
        int inner = Indices.product(x, op.batchDims() + length, x.rank());
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int t = 0; t < tuples; t++) {
                    int from = t / (tuples / batches) * block;
                    int stride = block;
                    for (int d = 0; d < length; d++) {
                        long size = x.dim(op.batchDims() + d);
                        int at = index(inputs[1][t * length + d], size);
                        stride /= (int) size;
                        from += at * stride;
                    }
                    System.arraycopy(inputs[0], from, outputs[0], t * inner, inner);
                }
            }
        };
    }

    static ArrayKernel scatterNd(Node node, Op.ScatterNd op, Shape x, Shape indices) {
        int length = (int) indices.dim(-1);
        int tuples = Indices.product(indices, 0, indices.rank() - 1);
        int inner = Indices.product(x, length, x.rank());
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                System.arraycopy(inputs[0], 0, outputs[0], 0, inputs[0].length);
                for (int t = 0; t < tuples; t++) {
                    int to = 0;
                    for (int d = 0; d < length; d++) {
                        to = to * (int) x.dim(d) + index(inputs[1][t * length + d], x.dim(d));
                    }
                    for (int i = 0; i < inner; i++) {
                        join(op.reduction(), outputs[0], to * inner + i, inputs[2][t * inner + i]);
                    }
                }
            }
        };
    }

    static ArrayKernel oneHot(Node node, Op.OneHot op, Shape out) {
        int axis = ArrayKernel.axis(op.axis(), out.rank());
        int depth = (int) out.dim(axis);
        int inner = Indices.product(out, axis + 1, out.rank());
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int i = 0; i < outputs[0].length; i++) {
                    double index = inputs[0][i / (depth * inner) * inner + i % inner];
                    long wanted = (long) (index < 0 ? index + depth : index);
                    outputs[0][i] = inputs[2][wanted == i / inner % depth ? 1 : 0];
                }
            }
        };
    }

    static ArrayKernel trilu(Node node, Op.Trilu op, Shape x) {
        long columns = x.dim(-1);
        long rows = x.dim(-2);
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                double k = inputs.length > 1 && inputs[1] != null ? inputs[1][0] : 0;
                for (int i = 0; i < inputs[0].length; i++) {
                    double diagonal = i % columns - i / columns % rows - k;
                    boolean kept = op.upper() ? diagonal >= 0 : diagonal <= 0;
                    outputs[0][i] = kept ? inputs[0][i] : 0;
                }
            }
        };
    }

    static ArrayKernel where(Node node, List<Shape> inputs, Shape out) {
        int[][] places = inputs.stream().map(shape -> Broadcast.indices(shape, out)).toArray(int[][]::new);
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] in, double[][] outputs) {
                for (int i = 0; i < outputs[0].length; i++) {
                    int chosen = in[0][places[0][i]] != 0 ? 1 : 2;
                    outputs[0][i] = in[chosen][places[chosen][i]];
                }
            }
        };
    }

    static ArrayKernel tile(Node node, Shape x, Shape out) {
        long[] strides = Indices.strides(x);
        long[] outStrides = Indices.strides(out);
        int[] places = new int[Math.toIntExact(out.elements())];
        Arrays.setAll(places, i -> {
            long place = 0;
            for (int d = 0; d < strides.length; d++) {
                place += i / outStrides[d] % x.dim(d) * strides[d];
            }
            return (int) place;
        });
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int i = 0; i < places.length; i++) {
                    outputs[0][i] = inputs[0][places[i]];
                }
            }
        };
    }

    static ArrayKernel cast(Node node, Op.Cast op) {
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int i = 0; i < outputs[0].length; i++) {
                    double value = inputs[0][i];
                    outputs[0][i] = op.to() == DataType.BOOL ? value != 0 ? 1 : 0
                            : op.to().isFloating() ? value : (long) value;
                }
            }
        };
    }
}
