package dev.shrike.app.outputs;

/**
 * How an output does.
 *
 * @param name such as {@code "mqtt tcp://host:1883"}, without credentials
 * @param working whether messages get out
 * @param reason why not; empty if it works
 * @param sent messages that went out
 * @param waiting messages that wait
 * @param dropped messages that there was no room for
 */
public record OutputStatus(String name, boolean working, String reason, long sent, long waiting, long dropped) {}
