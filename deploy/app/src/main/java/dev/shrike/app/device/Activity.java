package dev.shrike.app.device;

import java.util.Optional;

/**
 * What the kernel has counted up to a moment about how the processors were shared. Two of them say what happened
 * between.
 *
 * @param nanos when it was read
 * @param stalledMicros time in which some task waited for a processor (PSI), or -1 if the kernel does not tell
 * @param stolenTicks time that the hypervisor gave to others, in ticks
 * @param ticks time of all kinds of all processors, in ticks
 * @param involuntary times that a thread of this process was put aside for another, or -1
 */
public record Activity(long nanos, long stalledMicros, long stolenTicks, long ticks, long involuntary) {
    private static final int STEAL = 7;
    private static final double NANOS = 1e9;

    /** What the files say now. */
    public static Activity read(SystemFiles files) {
        long stalled = files.text("proc/pressure/cpu")
                .flatMap(text -> SystemFiles.find(text, "(?m)^some [^\n]{0,200}?total=(\\d{1,18})(?!\\d)"))
                .map(Long::parseLong).orElse(-1L);
        long[] times = files.text("proc/stat").flatMap(text -> SystemFiles.find(text, "(?m)^cpu +([\\d ]{1,400})$"))
                .map(Activity::numbers).orElse(new long[0]);
        long all = 0;
        // The last two, guests, are in the first two already.
        for (int i = 0; i < Math.min(times.length, STEAL + 1); i++) {
            all += times[i];
        }
        return new Activity(System.nanoTime(), stalled, times.length > STEAL ? times[STEAL] : 0, all,
                involuntary(files));
    }

    private static long[] numbers(String text) {
        String[] parts = text.strip().split(" +");
        long[] numbers = new long[parts.length];
        for (int i = 0; i < parts.length; i++) {
            numbers[i] = parts[i].length() > 18 ? 0 : Long.parseLong(parts[i]);
        }
        return numbers;
    }

    private static long involuntary(SystemFiles files) {
        long sum = -1;
        for (String task : files.names("proc/self/task", "\\d{1,10}")) {
            Optional<Long> count = files.text("proc/self/task/" + task + "/status")
                    .flatMap(text -> SystemFiles.find(text, "(?m)^nonvoluntary_ctxt_switches:\\s{0,8}(\\d{1,18})$"))
                    .map(Long::parseLong);
            if (count.isPresent()) {
                sum = Math.max(sum, 0) + count.get();
            }
        }
        return sum;
    }

    /** Share of the time since then in which some task waited for a processor, 0 to 1; empty if that is not known. */
    public Optional<Double> stalledSince(Activity before) {
        double elapsed = nanos - before.nanos;
        return stalledMicros < 0 || before.stalledMicros < 0 || elapsed <= 0 ? Optional.empty()
                : Optional.of(Math.clamp((stalledMicros - before.stalledMicros) * 1e3 / elapsed, 0, 1));
    }

    /** Share of the processors' time since then that the hypervisor gave to others, 0 to 1. */
    public double stolenSince(Activity before) {
        long elapsed = ticks - before.ticks;
        return elapsed <= 0 ? 0 : Math.clamp((stolenTicks - before.stolenTicks) / (double) elapsed, 0, 1);
    }

    /** Times a second since then that a thread of this process was put aside; empty if that is not known. */
    public Optional<Double> involuntarySince(Activity before) {
        double seconds = (nanos - before.nanos) / NANOS;
        // Threads that have ended take their counts with them.
        return involuntary < 0 || before.involuntary < 0 || seconds <= 0 ? Optional.empty()
                : Optional.of(Math.max(0, involuntary - before.involuntary) / seconds);
    }
}
