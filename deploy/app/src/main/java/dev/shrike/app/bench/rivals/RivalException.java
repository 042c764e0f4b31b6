package dev.shrike.app.bench.rivals;

import dev.shrike.ShrikeException;

/** A rival that cannot open or run what it was given; the others go on without it. */
public final class RivalException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    RivalException(String message, Throwable cause) {
        super(message.lines().map(String::strip).filter(line -> !line.isEmpty()).reduce((_, last) -> last)
                .orElse(message), cause);
    }
}
