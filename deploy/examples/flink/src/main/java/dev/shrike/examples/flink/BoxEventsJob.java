package dev.shrike.examples.flink;

import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFilterFunction;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The events of many boxes, from their MQTT broker to files: each once. The source brings each at least once; whatever
 * comes a second time within {@link #REMEMBERED} is left out here.
 * <p>
 * Arguments: {@code --host BROKER --output FOLDER [--port 1883] [--topics fleet/+/events] [--group shrike-flink]
 * [--checkpoint SECONDS]}.
 */
public final class BoxEventsJob {
    private static final Duration REMEMBERED = Duration.ofHours(1);

    private BoxEventsJob() {
    }

    /** Submits the job, which ends when it is cancelled. */
    public static void main(String[] args) throws Exception {
        Arguments arguments = Arguments.of(args);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        ImageFolderJob.checkpoints(environment, arguments);
        MqttSource source = new MqttSource(arguments.wanted("host"), arguments.number("port", 1883),
                arguments.or("topics", "fleet/+/events"), arguments.or("group", "shrike-flink"));
        Path output = Path.of(arguments.wanted("output")).toAbsolutePath();
        environment.fromSource(source, WatermarkStrategy.noWatermarks(), "events of boxes").keyBy(MqttEvent::identity)
                .filter(new FirstTime()).name("each once").map(BoxEventsJob::line)
                .sinkTo(ImageFolderJob.lines(output.resolve("events"))).name("events");
        environment.execute("events of boxes");
    }

    /** One line whatever came: JSON as it is, line breaks in it are blanks, and anything else as a text. */
    private static String line(MqttEvent event) {
        String payload = event.getPayload().strip();
        String json = payload.startsWith("{") && payload.endsWith("}") ? payload.replaceAll("[\\r\\n]", " ")
                : DetectFunction.quoted(payload);
        return "{\"topic\":" + DetectFunction.quoted(event.getTopic()) + ",\"event\":" + json + "}";
    }

    private static final class FirstTime extends RichFilterFunction<MqttEvent> {
        private static final long serialVersionUID = 1L;

        private transient ValueState<Boolean> seen;

        @Override
        public void open(OpenContext context) {
            ValueStateDescriptor<Boolean> descriptor = new ValueStateDescriptor<>("seen", Boolean.class);
            descriptor.enableTimeToLive(StateTtlConfig.newBuilder(REMEMBERED).build());
            seen = getRuntimeContext().getState(descriptor);
        }

        @Override
        public boolean filter(MqttEvent event) throws Exception {
            if (seen.value() != null) {
                return false;
            }
            seen.update(true);
            return true;
        }
    }
}
