package dev.shrike.app.start;

import dev.shrike.calibration.activations.HeapGarbage;
import java.util.List;

/** What the command may do with its process and a library may not, since nobody else lives there. */
public final class OwnProcess {
    private static final List<String> JAVACPP_LIMITS =
            List.of("org.bytedeco.javacpp.maxBytes", "org.bytedeco.javacpp.maxPhysicalBytes");

    private OwnProcess() {}

    /** To be called before anything is loaded. */
    public static void prepare() {
        // JavaCPP counts the memory of the whole process, weights, arenas and GPU memory among it, against a limit that
        // it derives from the Java heap, and then fails allocations that would succeed.
        for (String property : JAVACPP_LIMITS) {
            if (System.getProperty(property) == null) {
                System.setProperty(property, "0");
            }
        }
        HeapGarbage.collectBy(System::gc);
    }
}
