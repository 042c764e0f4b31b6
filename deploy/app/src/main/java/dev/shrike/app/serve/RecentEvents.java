package dev.shrike.app.serve;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** What happened lately, for the page. Use from any thread. */
final class RecentEvents {
    private static final int KEPT = 60;

    private final Deque<Event> events = new ArrayDeque<>();
    private long number;

    /**
     * Something that happened.
     *
     * @param number counted from 1
     * @param nanos when, on the clock of {@link System#nanoTime}
     * @param camera id of the camera; empty if it is about none
     * @param kind new, end, source, service
     * @param text what
     */
    record Event(long number, long nanos, String camera, String kind, String text) {}

    synchronized void add(String camera, String kind, String text) {
        if (events.size() == KEPT) {
            events.removeLast();
        }
        events.addFirst(new Event(++number, System.nanoTime(), camera, kind, text));
    }

    /** Newest first. */
    synchronized List<Event> list() {
        return List.copyOf(events);
    }
}
