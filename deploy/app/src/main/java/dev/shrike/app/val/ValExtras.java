package dev.shrike.app.val;

import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of YOLOv5's val.py that change nothing here, which a sentence says, or that there are not, refused so. */
final class ValExtras {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--workers", hidden = true, paramLabel = "N",
            description = "YOLOv5's processes that read images; changes nothing here.")
    private Integer workers;

    @Option(names = "--single-cls", hidden = true, description = "All classes as one; not there yet.")
    private boolean single;

    @Option(names = {"--save-txt", "--save-hybrid", "--save-conf"}, hidden = true,
            description = "Label files; 'shrike detect --save-txt' writes them.")
    private boolean labels;

    /**
     * One sentence for each that changes nothing.
     *
     * @throws ParameterException for those that would change what comes out
     */
    List<String> notes() {
        if (single) {
            throw new ParameterException(spec.commandLine(), "--single-cls is not there: classes are measured apart;"
                    + " give the data set one class, or look at the recall of each with --verbose");
        }
        if (labels) {
            throw new ParameterException(spec.commandLine(), "label files are written by 'shrike detect --save-txt'"
                    + " (--save-conf adds scores); here --save-json writes all detections");
        }
        return workers == null ? List.of()
                : List.of("--workers changes nothing: images are read by the thread that looks at them");
    }
}
