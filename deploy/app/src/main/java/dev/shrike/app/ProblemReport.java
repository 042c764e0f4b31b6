package dev.shrike.app;

import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.Problem;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Lists what was left out of a run, each kind with its number and its first cases. */
public final class ProblemReport {
    private static final int SHOWN = 5;

    private ProblemReport() {}

    /** Lines for people, none if nothing was left out; of each kind the first few. */
    public static List<String> lines(List<Problem> problems) {
        Map<Problem.Kind, List<Problem>> kinds = new EnumMap<>(Problem.Kind.class);
        problems.forEach(problem -> kinds.computeIfAbsent(problem.kind(), _ -> new ArrayList<>()).add(problem));
        List<String> lines = new ArrayList<>();
        kinds.forEach((kind, all) -> {
            lines.add(all.size() + " x " + kind.title() + ":");
            all.stream().limit(SHOWN).forEach(problem -> lines.add("  " + problem.message()));
            if (all.size() > SHOWN) {
                lines.add("  … and " + (all.size() - SHOWN) + " more; --strict lists all");
            }
        });
        return lines;
    }

    /**
     * Lists all problems and ends the run if there is one.
     *
     * @param what where they are
     * @throws DataSetException if there is a problem
     */
    public static void requireNone(Console console, String what, List<Problem> problems) {
        if (problems.isEmpty()) {
            return;
        }
        problems.forEach(problem -> console.note(problem.message()));
        throw new DataSetException(what + ": " + problems.size() + (problems.size() == 1 ? " problem" : " problems")
                + ", listed above; without --strict what is broken is left out and counted");
    }
}
