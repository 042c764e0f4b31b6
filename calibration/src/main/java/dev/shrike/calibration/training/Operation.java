package dev.shrike.calibration.training;

import dev.shrike.graph.Op;
import java.util.List;
import java.util.Set;

/** A step of a network forwards, and its gradient backwards. */
interface Operation {
    /** Computes {@code exact} of the result. */
    void forward();

    /** Adds to the gradients of what was read. */
    void backward();

    /** {@code y = a + b}. */
    record Add(Value a, Value b, Value y) implements Operation {
        @Override
        public void forward() {
            for (int i = 0; i < y.exact.length; i++) {
                y.exact[i] = a.shown[i] + b.shown[i];
            }
        }

        @Override
        public void backward() {
            for (int i = 0; i < y.exact.length; i++) {
                a.gradient[i] += y.gradient[i];
            }
            for (int i = 0; i < y.exact.length; i++) {
                b.gradient[i] += y.gradient[i];
            }
        }
    }

    /** {@code y = x}, perhaps with another rounding. */
    record Copy(Value x, Value y) implements Operation {
        @Override
        public void forward() {
            System.arraycopy(x.shown, 0, y.exact, 0, y.exact.length);
        }

        @Override
        public void backward() {
            for (int i = 0; i < y.exact.length; i++) {
                x.gradient[i] += y.gradient[i];
            }
        }
    }

    /** Channels of several values side by side. */
    record Concat(List<Value> parts, Value y) implements Operation {
        @Override
        public void forward() {
            int at = 0;
            for (Value part : parts) {
                for (int pixel = 0; pixel < y.pixels(); pixel++) {
                    System.arraycopy(part.shown, pixel * part.channels, y.exact, pixel * y.channels + at,
                            part.channels);
                }
                at += part.channels;
            }
        }

        @Override
        public void backward() {
            int at = 0;
            for (Value part : parts) {
                for (int pixel = 0; pixel < y.pixels(); pixel++) {
                    int to = pixel * part.channels;
                    int from = pixel * y.channels + at;
                    for (int i = 0; i < part.channels; i++) {
                        part.gradient[to + i] += y.gradient[from + i];
                    }
                }
                at += part.channels;
            }
        }
    }

    /** Every pixel {@code factor x factor} times. */
    record Enlarge(Value x, Value y, int factor) implements Operation {
        @Override
        public void forward() {
            for (int pixel = 0; pixel < y.pixels(); pixel++) {
                System.arraycopy(x.shown, from(pixel), y.exact, pixel * y.channels, y.channels);
            }
        }

        private int from(int pixel) {
            return (pixel / y.width / factor * x.width + pixel % y.width / factor) * x.channels;
        }

        @Override
        public void backward() {
            for (int pixel = 0; pixel < y.pixels(); pixel++) {
                int to = from(pixel);
                for (int i = 0; i < y.channels; i++) {
                    x.gradient[to + i] += y.gradient[pixel * y.channels + i];
                }
            }
        }
    }

    /** An activation by itself. */
    record Activation(Op.Unary unary, Value x, Value y) implements Operation {
        /** Those that have a gradient here. */
        static final Set<Op.Unary.Kind> KINDS = Set.of(Op.Unary.Kind.SILU, Op.Unary.Kind.SIGMOID, Op.Unary.Kind.RELU,
                Op.Unary.Kind.LEAKY_RELU);

        @Override
        public void forward() {
            switch (unary.kind()) {
                case SILU -> {
                    for (int i = 0; i < y.exact.length; i++) {
                        y.exact[i] = x.shown[i] * sigmoid(x.shown[i]);
                    }
                }
                case SIGMOID -> {
                    for (int i = 0; i < y.exact.length; i++) {
                        y.exact[i] = sigmoid(x.shown[i]);
                    }
                }
                default -> {
                    float slope = slope();
                    for (int i = 0; i < y.exact.length; i++) {
                        y.exact[i] = Math.max(0, x.shown[i]) + slope * Math.min(0, x.shown[i]);
                    }
                }
            }
        }

        private float slope() {
            return unary.kind() == Op.Unary.Kind.LEAKY_RELU ? unary.alpha() : 0;
        }

        @Override
        public void backward() {
            switch (unary.kind()) {
                case SILU -> {
                    for (int i = 0; i < y.exact.length; i++) {
                        float s = sigmoid(x.shown[i]);
                        x.gradient[i] += y.gradient[i] * s * (1 + x.shown[i] * (1 - s));
                    }
                }
                case SIGMOID -> {
                    for (int i = 0; i < y.exact.length; i++) {
                        x.gradient[i] += y.gradient[i] * y.exact[i] * (1 - y.exact[i]);
                    }
                }
                default -> {
                    float slope = slope();
                    for (int i = 0; i < y.exact.length; i++) {
                        x.gradient[i] += y.gradient[i] * (x.shown[i] > 0 ? 1 : slope);
                    }
                }
            }
        }

        /** To within 1e-4, by a continued fraction of tanh, which the compiler can vectorise. */
        static float sigmoid(float x) {
            float half = Math.min(4.97f, Math.max(-4.97f, 0.5f * x));
            float square = half * half;
            float above = half * (135135 + square * (17325 + square * (378 + square)));
            float below = 135135 + square * (62370 + square * (3150 + square * 28));
            return 0.5f + 0.5f * above / below;
        }
    }
}
