package dev.shrike.calibration.prune;

import dev.shrike.calibration.linear.RidgeRegression;
import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.training.ChannelSensitivity;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How much of each channel of a layer the channels that are left do not predict linearly, while channels are removed
 * one by one: {@code 1 / (variance * inverse)} with the diagonal of the inverse covariance, which is brought up to date
 * at each removal (the optimal brain surgeon's update, Hassibi and Stork 1993).
 */
final class ChannelRedundancy {
    private static final double DAMPING = 1e-3;
    private static final double REMOVED = 1e30;

    private final Map<String, Layer> layers = new HashMap<>();

    private record Layer(double[] variances, double[] inverse) {
        double residual(int channel) {
            return Math.min(1, 1 / Math.max(Double.MIN_NORMAL,
                    variances[channel] * inverse[channel * variances.length + channel]));
        }

        void remove(int channel) {
            int n = variances.length;
            double pivot = inverse[channel * n + channel];
            double[] column = new double[n];
            for (int i = 0; i < n; i++) {
                column[i] = inverse[i * n + channel];
            }
            for (int i = 0; i < n; i++) {
                double factor = column[i] / pivot;
                for (int j = 0; factor != 0 && j < n; j++) {
                    inverse[i * n + j] -= factor * column[j];
                }
            }
            for (int i = 0; i < n; i++) {
                inverse[i * n + channel] = 0;
                inverse[channel * n + i] = 0;
            }
            inverse[channel * n + channel] = REMOVED;
        }
    }

    ChannelRedundancy(ChannelSensitivity measured) {
        measured.layers().forEach((name, channels) -> layers.put(name, layer(channels)));
    }

    private static Layer layer(ChannelSensitivity.Channels channels) {
        int n = channels.count();
        double[] covariance = channels.covariance();
        double[] variances = new double[n];
        double mean = 0;
        for (int i = 0; i < n; i++) {
            variances[i] = Math.max(covariance[i * n + i], 0);
            mean += variances[i] / n;
        }
        for (int i = 0; i < n; i++) {
            covariance[i * n + i] += DAMPING * mean + Double.MIN_NORMAL;
        }
        double[] factor = RidgeRegression.inverseFactor(covariance, n);
        double[] inverse = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                double sum = 0;
                for (int k = 0; k <= j; k++) {
                    sum += factor[k * n + i] * factor[k * n + j];
                }
                inverse[i * n + j] = sum;
                inverse[j * n + i] = sum;
            }
        }
        return new Layer(variances, inverse);
    }

    /** The mean share over the members of a unit that is not predicted. */
    double residual(List<ChannelDependencies.Member> members) {
        return members.stream().filter(member -> layers.containsKey(member.layer().name()))
                .mapToDouble(member -> layers.get(member.layer().name()).residual(member.index())).average().orElse(1);
    }

    void remove(List<ChannelDependencies.Member> members) {
        members.stream().filter(member -> layers.containsKey(member.layer().name()))
                .forEach(member -> layers.get(member.layer().name()).remove(member.index()));
    }
}
