package dev.shrike.app.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class MethodOptionsTest {
    @Command
    static final class Holder {
        @Mixin
        private MethodOptions methods;
    }

    @ParameterizedTest
    @CsvSource({"'', false", "--freeze-bn, true", "--scheme w4a4, true", "--scheme W3A8, true",
            "--scheme w2a8, false", "--scheme w8a2, false", "--scheme w1a1, false", "--scheme w2a2 --freeze-bn, true",
            "--scheme w4a4 --no-freeze-bn, false", "--scheme auto --avg-bits 4, false"})
    void statisticsStayWhereCodesHaveThreeBitsAndMore(String args, boolean frozen) {
        Holder holder = new Holder();
        new CommandLine(holder).parseArgs(args.isEmpty() ? new String[0] : args.split(" "));
        assertEquals(frozen, holder.methods.methods().frozenStatistics());
    }
}
