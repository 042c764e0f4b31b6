package dev.shrike.app.train;

import dev.shrike.training.PruneSchedule;
import dev.shrike.training.QuantizedTraining;
import dev.shrike.training.SparseTraining;
import dev.shrike.training.Teaching;
import dev.shrike.training.TrainingMethods;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Options of {@code shrike train} beyond fine-tuning: penalties that make a network sparse ({@code --sparse}), pruning
 * and fine-tuning in turn ({@code --prune-schedule}), rounding that it learns ({@code --scheme}, {@code --qat}), and a
 * teacher ({@code --teacher}). What they say goes into {@link dev.shrike.training.TrainingOptions} and from there into
 * the
 * job of the child process.
 */
@Command
final class MethodOptions {
    private static final String NO_TEACHER = "none";
    private static final double USUAL_FACTOR = 0.0005;
    /** Schemes whose weights move by so little that statistics need not follow. */
    private static final Pattern SEVERAL_BITS = Pattern.compile("(?i)\\s*w[3-8]a[3-8]\\s*");
    private static final int WIDEST = 8;
    private static final int MOST_GIGA = 1_000_000;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--sparse", paramLabel = "METHOD",
            description = "Draw gammas of batch normalisation to 0, for 'shrike prune --criterion bn-scale': constant,"
                    + " cosine (falls but for the smaller half), filter-wise (more for small ones) or compute-weighted"
                    + " (more where multiplications are many).")
    private String sparse;

    @Option(names = "--sparse-factor", paramLabel = "F",
            description = "Factor of the penalty of --sparse (default: 0.0005).")
    private Double factor;

    @Option(names = "--prune-schedule", split = ",", paramLabel = "SHARE",
            description = "Prune and fine-tune in turn: shares of the parameters that are left after each round,"
                    + " such as"
                    + " 0.7,0.5,0.35. Each round takes --epochs.")
    private Double[] schedule;

    @Option(names = "--scheme", paramLabel = "wXaY|auto",
            description = "Train a network of X bits a weight and Y bits an activation, 1 to 8 each, the first and last"
                    + " layers 8; weights of 1 bit are -1 and +1 times a scale for each output channel. It"
                    + " is quantised as 'shrike quantize' does and learns on from there; each epoch is"
                    + " measured with the integer engine. auto chooses the width of each layer, see --avg-bits.")
    private String scheme;

    @Option(names = "--avg-bits", paramLabel = "BITS",
            description = "Bits a weight on the average, for --scheme auto; with --qat nipq bits an"
                    + " activation too.")
    private Double averageBits;

    @Option(names = "--bops", paramLabel = "GIGA",
            description = "Bit operations an image, multiplications times the bits of both factors, in thousand"
                    + " millions: for --scheme auto --qat nipq, in place of --avg-bits.")
    private Double bitOperations;

    @Option(names = "--qat", paramLabel = "lsq|drgs|nipq",
            description = "How rounding is learned: with learned steps (lsq), or besides with scaled gradients and"
                    + " rounding in the direction of the last update (drgs), or with noise while the width of each"
                    + " layer is learned, for --scheme auto (nipq) (default: lsq).")
    private String method;

    @Option(names = "--quantized", paramLabel = "Q.onnx",
            description = "Start from this quantised form of the model, as 'shrike quantize' or an earlier run"
                    + " wrote it,"
                    + " instead of quantising it anew.")
    private String quantized;

    @Option(names = "--calibration-images", hidden = true, paramLabel = "N", defaultValue = "128",
            description = "Images to quantise with before training (default: ${DEFAULT-VALUE}).")
    private int calibration;

    @Option(names = "--no-correction", hidden = true,
            description = "Let codes of weights change in the last epoch too.")
    private boolean noCorrection;

    @Option(names = "--teacher", paramLabel = "T.onnx",
            description = "Learn from this detector too. One with a head of the same form is followed closely, of any"
                    + " other one what it detects is taken for labels. With --scheme the float network is the teacher"
                    + " unless this says 'none'.")
    private String teacher;

    @Option(names = "--no-labels", description = "Learn from the teacher alone; --data needs no labels then.")
    private boolean noLabels;

    @Option(names = "--teacher-weight", hidden = true, paramLabel = "W", defaultValue = "1",
            description = "Weight of what the teacher's head says (default: ${DEFAULT-VALUE}).")
    private double headWeight;

    @Option(names = "--feature-weight", hidden = true, paramLabel = "W", defaultValue = "0.5",
            description = "Weight of the values that the teacher's head reads (default: ${DEFAULT-VALUE}).")
    private double featureWeight;

    @Option(names = "--freeze-bn", negatable = true, hidden = true,
            description = "Normalise by the statistics that batch normalisation has, not by those of each batch"
                    + " (default: with --scheme of 3 bits and more).")
    private Boolean freezeStatistics;

    /** Complains of options that do not fit each other. */
    void check() {
        if (factor != null && sparse == null) {
            throw usage("--sparse-factor is for --sparse; give its method");
        }
        if (scheme == null && (method != null || averageBits != null || bitOperations != null || quantized != null)) {
            throw usage((method != null ? "--qat" : averageBits != null ? "--avg-bits"
                    : bitOperations != null ? "--bops" : "--quantized")
                    + " is for --scheme; give the widths, such as --scheme w4a4");
        }
        checkBudget("auto".equalsIgnoreCase(scheme), "nipq".equalsIgnoreCase(method));
        if (scheme != null && (sparse != null || schedule != null)) {
            throw usage((sparse != null ? "--sparse" : "--prune-schedule") + " is for float networks: train and prune"
                    + " first, then train the result with --scheme");
        }
        if (noLabels && (teacher == null && scheme == null || NO_TEACHER.equals(teacher))) {
            throw usage("--no-labels needs a --teacher");
        }
    }

    private void checkBudget(boolean auto, boolean learned) {
        if (learned && (!auto || averageBits == null == (bitOperations == null))) {
            throw usage("--qat nipq learns the widths: give --scheme auto and one of --avg-bits and --bops");
        }
        if (bitOperations != null && !learned) {
            throw usage("--bops is for --scheme auto --qat nipq");
        }
        if (bitOperations != null && !(bitOperations > 0 && bitOperations <= MOST_GIGA)) {
            throw usage("--bops " + bitOperations + " is not above 0 and at most a million");
        }
        if (averageBits != null && !auto) {
            throw usage("--avg-bits is for --scheme auto");
        }
        if (auto && averageBits == null && bitOperations == null && quantized == null) {
            throw usage("--scheme auto needs --avg-bits");
        }
        if (averageBits != null && !(averageBits >= 2 && averageBits <= WIDEST)) {
            throw usage("--avg-bits " + averageBits + " is not within 2 to 8");
        }
    }

    /** Whether the network is to be rounded, which goes with other habits of learning. */
    boolean isQuantized() {
        return scheme != null;
    }

    /** Whether labels are learned. */
    boolean needsLabels() {
        return !noLabels;
    }

    /** The rounds of pruning, if there are any. */
    Optional<PruneSchedule> schedule() {
        if (schedule == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(PruneSchedule.of(schedule));
        } catch (IllegalArgumentException e) {
            throw usage("--prune-schedule: " + e.getMessage());
        }
    }

    /** What is done beside learning labels. */
    TrainingMethods methods() {
        try {
            SparseTraining penalty = sparse == null ? null
                    : new SparseTraining(SparseTraining.Method.of(sparse), factor == null ? USUAL_FACTOR : factor);
            return new TrainingMethods(penalty, rounding(), teaching(), freezesStatistics());
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    private boolean freezesStatistics() {
        return freezeStatistics != null ? freezeStatistics
                : scheme != null && SEVERAL_BITS.matcher(scheme).matches();
    }

    private QuantizedTraining rounding() {
        if (scheme == null) {
            return null;
        }
        return new QuantizedTraining(scheme.equalsIgnoreCase("auto") ? "auto" : QuantizedTraining.scheme(scheme),
                averageBits == null ? 0 : averageBits, bitOperations == null ? 0 : bitOperations,
                method == null ? QuantizedTraining.Method.LSQ : QuantizedTraining.Method.of(method),
                quantized == null ? null : Path.of(quantized).toAbsolutePath().toString(), calibration, !noCorrection);
    }

    private Teaching teaching() {
        if (NO_TEACHER.equals(teacher) || teacher == null && scheme == null) {
            return null;
        }
        return new Teaching(teacher == null ? Teaching.ITSELF : Path.of(teacher).toAbsolutePath().toString(),
                headWeight, featureWeight, !noLabels);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
