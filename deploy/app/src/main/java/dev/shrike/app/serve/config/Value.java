package dev.shrike.app.serve.config;

/**
 * What a setting is.
 *
 * @param value a String, Long, Double, Boolean or List of String, as its kind says
 * @param shown the same as people may see it: without secrets, and with the names of variables instead of their values
 * @param at where it was set
 */
record Value(Object value, String shown, Position at) {}
