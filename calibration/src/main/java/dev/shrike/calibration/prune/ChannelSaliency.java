package dev.shrike.calibration.prune;

import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.prune.channels.ConstantChannels;
import dev.shrike.calibration.training.ChannelSensitivity;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/** Scores of the units of a network by a criterion; the lower a score the less is lost with the unit. */
public final class ChannelSaliency {
    private final ChannelDependencies dependencies;
    private final ChannelSensitivity measured;
    private final Map<String, double[]> byLayer = new HashMap<>();
    private final Map<String, double[][]> effects = new HashMap<>();
    private boolean folded;

    /**
     * Scores of a network's units.
     *
     * @param measured what channels are on images; null for criteria that need none
     */
    public ChannelSaliency(ChannelDependencies dependencies, ChannelSensitivity measured) {
        this.dependencies = dependencies;
        this.measured = measured;
    }

    /**
     * The score of each removable unit.
     *
     * @param seed of random ones
     * @throws IllegalArgumentException if the criterion needs images and nothing was measured
     */
    public Map<Integer, Double> scores(Criterion criterion, long seed) {
        if (criterion.needsImages() && measured == null) {
            throw new IllegalArgumentException("criterion " + criterion.text() + " needs images");
        }
        Map<Integer, Double> scores = new TreeMap<>();
        SplittableRandom random = new SplittableRandom(seed);
        for (int unit : dependencies.removable()) {
            List<ChannelDependencies.Member> members = dependencies.members(unit).stream()
                    .filter(member -> !criterion.needsImages()
                            || measured.layers().containsKey(member.layer().name()))
                    .toList();
            if (!members.isEmpty()) {
                scores.put(unit, switch (criterion) {
                    case RANDOM -> random.nextDouble();
                    case FISHER, OBS -> fisher(members);
                    case TAYLOR -> taylor(members);
                    default -> members.stream().mapToDouble(member -> layer(criterion, member.layer())[member.index()])
                            .average().orElseThrow();
                });
            }
        }
        return scores;
    }

    /**
     * The mean norm of the weights that read each removable unit, over the layers that do; a unit that no layer reads
     * has no score.
     *
     * @param criterion L1 or L2
     */
    public Map<Integer, Double> readingWeights(Criterion criterion) {
        if (criterion != Criterion.L1 && criterion != Criterion.L2) {
            throw new IllegalArgumentException("weights that read a channel have the norms l1 and l2, not "
                    + criterion.text());
        }
        int power = criterion == Criterion.L1 ? 1 : 2;
        Map<Integer, Double> sums = new TreeMap<>();
        Map<Integer, Integer> counts = new HashMap<>();
        for (Node node : dependencies.graph().nodes()) {
            int[] read = ConstantChannels.read(dependencies, node);
            if (read == null || !(node.op() instanceof Op.Conv conv) || conv.group() != 1) {
                continue;
            }
            Tensor weights = dependencies.graph().constants().get(node.input(1));
            int area = Math.toIntExact(weights.elements() / weights.shape().dim(0) / read.length);
            double[] norms = new double[read.length];
            for (int i = 0; i < weights.elements(); i++) {
                norms[i / area % read.length] += Math.pow(Math.abs(weights.doubleAt(i)), power);
            }
            for (int i = 0; i < read.length; i++) {
                sums.merge(read[i], power == 1 ? norms[i] : Math.sqrt(norms[i]), Double::sum);
                counts.merge(read[i], 1, Integer::sum);
            }
        }
        sums.keySet().retainAll(dependencies.removable());
        sums.replaceAll((unit, sum) -> sum / counts.get(unit));
        return sums;
    }

    /** Whether scales of batch normalisations were asked for where they are folded into filters. */
    public boolean scalesAreFolded() {
        return folded;
    }

    private double[] layer(Criterion criterion, Node layer) {
        return byLayer.computeIfAbsent(layer.name(), _ -> switch (criterion) {
            case L1 -> norms(layer, 1);
            case L2 -> norms(layer, 2);
            case FPGM -> distances(filters(layer));
            case BN_SCALE -> scales(layer);
            case ACTIVATION_MEAN -> rootMeanSquares(measured.layers().get(layer.name()));
            case ACTIVATION_DEVIATION -> deviations(measured.layers().get(layer.name()));
            case HRANK -> measured.layers().get(layer.name()).ranks();
            case MUTUAL_INFORMATION -> information(measured.layers().get(layer.name()).imageMeans(),
                    measured.scores());
            case TAYLOR, FISHER, OBS, RANDOM -> throw new IllegalStateException(criterion.text());
        });
    }

    /** Filters of a layer, one an output channel. */
    private double[][] filters(Node layer) {
        Tensor weights = dependencies.graph().constants().get(layer.input(1));
        int axis = ChannelDependencies.outputAxis(layer);
        int at = axis < 0 ? axis + weights.shape().rank() : axis;
        int outputs = Math.toIntExact(weights.shape().dim(at));
        int inner = 1;
        for (int i = at + 1; i < weights.shape().rank(); i++) {
            inner *= Math.toIntExact(weights.shape().dim(i));
        }
        float[] all = weights.toFloats();
        double[][] filters = new double[outputs][all.length / outputs];
        int[] filled = new int[outputs];
        for (int i = 0; i < all.length; i++) {
            int output = i / inner % outputs;
            filters[output][filled[output]++] = all[i];
        }
        return filters;
    }

    private double[] norms(Node layer, int power) {
        return Arrays.stream(filters(layer)).mapToDouble(filter -> power == 1
                ? Arrays.stream(filter).map(Math::abs).sum()
                : Math.sqrt(Arrays.stream(filter).map(w -> w * w).sum())).toArray();
    }

    private static double[] distances(double[][] filters) {
        double[] sums = new double[filters.length];
        for (int i = 0; i < filters.length; i++) {
            for (int j = 0; j < i; j++) {
                double square = 0;
                for (int k = 0; k < filters[i].length; k++) {
                    double difference = filters[i][k] - filters[j][k];
                    square += difference * difference;
                }
                sums[i] += Math.sqrt(square);
                sums[j] += Math.sqrt(square);
            }
        }
        return sums;
    }

    private double[] scales(Node layer) {
        Graph graph = dependencies.graph();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.BatchNormalization && node.input(0).equals(layer.output())) {
                float[] scale = graph.constants().get(node.input(1)).toFloats();
                double[] absolute = new double[scale.length];
                Arrays.setAll(absolute, i -> Math.abs(scale[i]));
                return absolute;
            }
        }
        folded = true;
        return norms(layer, 2);
    }

    private static double[] deviations(ChannelSensitivity.Channels channels) {
        double[] covariance = channels.covariance();
        double[] deviations = new double[channels.count()];
        Arrays.setAll(deviations, i -> Math.sqrt(Math.max(0, covariance[i * channels.count() + i])));
        return deviations;
    }

    private static double[] rootMeanSquares(ChannelSensitivity.Channels channels) {
        double[] means = channels.means();
        double[] deviations = deviations(channels);
        double[] absolute = new double[means.length];
        Arrays.setAll(absolute, i -> Math.sqrt(means[i] * means[i] + deviations[i] * deviations[i]));
        return absolute;
    }

    /** Mutual information in nats of two numbers an image, by equally filled bins. */
    private static double[] information(double[][] images, double[] scores) {
        int count = images.length;
        int bins = Math.max(2, (int) Math.sqrt(count / 5.0));
        int[] wanted = bins(scores, bins);
        double[] information = new double[images[0].length];
        for (int channel = 0; channel < information.length; channel++) {
            double[] own = new double[count];
            for (int p = 0; p < count; p++) {
                own[p] = images[p][channel];
            }
            information[channel] = information(bins(own, bins), wanted, bins);
        }
        return information;
    }

    private static double information(int[] a, int[] b, int bins) {
        double[] joint = new double[bins * bins];
        double[] first = new double[bins];
        double[] second = new double[bins];
        for (int i = 0; i < a.length; i++) {
            joint[a[i] * bins + b[i]] += 1.0 / a.length;
            first[a[i]] += 1.0 / a.length;
            second[b[i]] += 1.0 / a.length;
        }
        double sum = 0;
        for (int i = 0; i < joint.length; i++) {
            sum += joint[i] == 0 ? 0 : joint[i] * Math.log(joint[i] / first[i / bins] / second[i % bins]);
        }
        return sum;
    }

    private static int[] bins(double[] values, int bins) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            order.add(i);
        }
        order.sort(java.util.Comparator.comparingDouble((Integer i) -> values[i]));
        int[] numbers = new int[values.length];
        for (int rank = 0; rank < values.length; rank++) {
            numbers[order.get(rank)] = (int) ((long) rank * bins / values.length);
        }
        return numbers;
    }

    private double[] summedEffects(List<ChannelDependencies.Member> members) {
        double[] sums = null;
        for (ChannelDependencies.Member member : members) {
            double[][] own = effects.computeIfAbsent(member.layer().name(),
                    name -> measured.layers().get(name).effects());
            sums = sums == null ? new double[own.length] : sums;
            for (int probe = 0; probe < own.length; probe++) {
                sums[probe] += own[probe][member.index()];
            }
        }
        return sums;
    }

    private double fisher(List<ChannelDependencies.Member> members) {
        return Arrays.stream(summedEffects(members)).map(effect -> effect * effect).average().orElseThrow() / 2;
    }

    private double taylor(List<ChannelDependencies.Member> members) {
        return Arrays.stream(summedEffects(members)).map(Math::abs).average().orElseThrow();
    }
}
