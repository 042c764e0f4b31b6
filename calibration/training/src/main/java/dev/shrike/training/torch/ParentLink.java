package dev.shrike.training.torch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.OperationInterruptedException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The child's end of the two pipes: a line of JSON for each event goes up, a line comes down after each epoch. When the
 * pipe from the parent ends, however the parent ended, this process ends too.
 */
final class ParentLink {
    private static final int ORPHANED = 3;

    private final ObjectMapper json = new ObjectMapper();
    private final PrintStream out;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    ParentLink(InputStream in, PrintStream out) {
        this.out = out;
        Thread.ofPlatform().daemon().name("parent").start(() -> listen(in));
    }

    private void listen(InputStream in) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                answers.add(line);
            }
        } catch (IOException e) {
            // The pipe is broken: the same as its end.
            System.err.println("the pipe from the parent is broken: " + e);
        }
        Runtime.getRuntime().halt(ORPHANED);
    }

    /** Tells the parent; keys and values follow each other. */
    void tell(String event, Object... fields) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", event);
        for (int i = 0; i < fields.length; i += 2) {
            line.put((String) fields[i], fields[i + 1]);
        }
        try {
            out.println(json.writeValueAsString(line));
            out.flush();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits for the parent; whether to go on. */
    boolean mayGoOn() {
        try {
            return answers.take().equals("next");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OperationInterruptedException("interrupted while the parent measured", e);
        }
    }
}
