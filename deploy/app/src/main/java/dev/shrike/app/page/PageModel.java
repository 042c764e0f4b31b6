package dev.shrike.app.page;

import java.util.Optional;

/** What the page shows; from any thread. */
public interface PageModel {
    /**
     * JSON with the state of everything, without secrets.
     *
     * @param whole whether with what does not change every second: settings, and the past minutes
     */
    String state(boolean whole);

    /** The live image of the camera of that id, if there is one. */
    Optional<PreviewFeed> preview(String camera);

    /** Figures in Prometheus' text form, if they are wanted. */
    Optional<String> metrics();

    /** What keeps the service from its work; empty if nothing does. */
    Optional<String> illness();
}
