package dev.shrike.graph.kernels;

import dev.shrike.graph.Indices;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;

/** Kernels of operations that order or accumulate elements along an axis. */
final class OrderKernels {
    private OrderKernels() {}

    /** Rows of {@code size} elements that lie {@code inner} apart. */
    private record Rows(int count, int size, int inner) {
        static Rows of(Shape shape, int axis) {
            int inner = Indices.product(shape, axis + 1, shape.rank());
            return new Rows(Indices.product(shape, 0, axis) * inner, (int) shape.dim(axis), inner);
        }

        /** Place of the first element of a row, where each row has {@code length} elements. */
        int first(int row, int length) {
            return row / inner * length * inner + row % inner;
        }
    }

    static ArrayKernel topK(Node node, Op.TopK op, Shape x, Shape out) {
        int axis = ArrayKernel.axis(op.axis(), x.rank());
        Rows rows = Rows.of(x, axis);
        int k = (int) out.dim(axis);
        double[] best = new double[k];
        int[] places = new int[k];
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int row = 0; row < rows.count; row++) {
                    choose(inputs[0], rows.first(row, rows.size));
                    int to = rows.first(row, k);
                    for (int i = 0; i < k; i++) {
                        outputs[0][to + i * rows.inner] = best[i];
                        if (outputs.length > 1) {
                            outputs[1][to + i * rows.inner] = places[i];
                        }
                    }
                }
            }

            /** Insertion into the best so far: almost all elements are no better than the last of them. */
            private void choose(double[] x, int from) {
                int count = 0;
                for (int i = 0; i < rows.size && k > 0; i++) {
                    double value = x[from + i * rows.inner];
                    if (count == k && !isBetter(value, best[k - 1])) {
                        continue;
                    }
                    int at = count == k ? k - 1 : count++;
                    for (; at > 0 && isBetter(value, best[at - 1]); at--) {
                        best[at] = best[at - 1];
                        places[at] = places[at - 1];
                    }
                    best[at] = value;
                    places[at] = i;
                }
            }

            private boolean isBetter(double value, double than) {
                return op.largest() ? value > than : value < than;
            }
        };
    }

    static ArrayKernel argExtreme(Node node, Op.ArgExtreme op, Shape x) {
        Rows rows = Rows.of(x, ArrayKernel.axis(op.axis(), x.rank()));
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                for (int row = 0; row < rows.count; row++) {
                    outputs[0][row] = extreme(rows, inputs[0], row, op.largest(), op.selectLast());
                }
            }
        };
    }

    private static int extreme(Rows rows, double[] x, int row, boolean largest, boolean last) {
        int from = rows.first(row, rows.size);
        int found = 0;
        for (int i = 1; i < rows.size; i++) {
            double value = x[from + i * rows.inner];
            double best = x[from + found * rows.inner];
            if ((largest ? value > best : value < best) || last && value == best) {
                found = i;
            }
        }
        return found;
    }

    static ArrayKernel hardmax(Node node, Op.Hardmax op, Shape x) {
        Rows rows = Rows.of(x, ArrayKernel.axis(op.axis(), x.rank()));
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                java.util.Arrays.fill(outputs[0], 0);
                for (int row = 0; row < rows.count; row++) {
                    int at = extreme(rows, inputs[0], row, true, false);
                    outputs[0][rows.first(row, rows.size) + at * rows.inner] = 1;
                }
            }
        };
    }

    static ArrayKernel cumSum(Node node, Op.CumSum op, Shape x) {
        return new ArrayKernel(node) {
            @Override
            public void run(double[][] inputs, double[][] outputs) {
                int axis = index(inputs[1][0], x.rank());
                int inner = 1;
                for (int d = axis + 1; d < x.rank(); d++) {
                    inner *= (int) x.dim(d);
                }
                int size = (int) x.dim(axis);
                int rows = size == 0 ? 0 : inputs[0].length / size;
                for (int row = 0; row < rows; row++) {
                    int from = row / inner * size * inner + row % inner;
                    accumulate(inputs[0], outputs[0], from, size, inner);
                }
            }

            private void accumulate(double[] x, double[] y, int from, int size, int inner) {
                double sum = 0;
                for (int i = 0; i < size; i++) {
                    int at = from + (op.reverse() ? size - 1 - i : i) * inner;
                    double before = sum;
                    sum += x[at];
                    y[at] = op.exclusive() ? before : sum;
                }
            }
        };
    }
}
