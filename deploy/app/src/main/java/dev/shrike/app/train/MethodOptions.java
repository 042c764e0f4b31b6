package dev.shrike.app.train;

import picocli.CommandLine.Command;

/**
 * Options of {@code shrike train} beyond fine-tuning: penalties that make a network sparse ({@code --sparse}), rounding
 * that it learns ({@code --scheme}, {@code --qat}), and a teacher ({@code --teacher}). What they say goes into
 * {@link dev.shrike.training.TrainingOptions} and from there into the job of the child process.
 */
@Command
final class MethodOptions {
    /** Complains of options that do not fit each other. */
    void check() {
        // Fine-tuning alone has none.
    }
}
