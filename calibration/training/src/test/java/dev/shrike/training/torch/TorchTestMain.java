package dev.shrike.training.torch;

import static org.junit.platform.engine.discovery.ClassNameFilter.includeClassNamePatterns;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs the tests of this package in a process with PyTorch; a line of JSON for each. */
public final class TorchTestMain {
    private TorchTestMain() {}

    /** Runs those whose class matches the pattern. */
    public static void main(String[] arguments) {
        PrintStream results = System.out;
        System.setOut(System.err);
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectPackage(TorchTestMain.class.getPackageName()))
                .filters(includeClassNamePatterns(arguments[0])).build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                StringWriter trace = new StringWriter();
                result.getThrowable().ifPresent(e -> e.printStackTrace(new PrintWriter(trace)));
                if (test.isTest() || result.getStatus() == TestExecutionResult.Status.FAILED) {
                    results.println(line(Map.of("test", test.getLegacyReportingName() + " " + test.getUniqueId()
                            .replaceAll(".*class:[^\\]]*\\.", "").replace("]", ""), "status",
                            result.getStatus().toString(), "reason",
                            result.getThrowable().map(Throwable::getMessage).orElse(""), "trace",
                            trace.toString())));
                }
            }
        });
        results.flush();
        Runtime.getRuntime().halt(0);
    }

    private static String line(Map<String, String> fields) {
        try {
            return new ObjectMapper().writeValueAsString(fields);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
