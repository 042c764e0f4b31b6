package dev.shrike.examples.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.streaming.api.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/**
 * A folder of images, however many, becomes lines of JSON with what is on them: each image once, whatever worker dies.
 * <p>
 * Arguments: {@code --images FOLDER --weights FILE --output FOLDER [--checkpoint SECONDS]}. Images and weights lie
 * where all workers see them under the same path.
 */
public final class ImageFolderJob {
    private ImageFolderJob() {
    }

    /** Submits the job. */
    public static void main(String[] args) throws Exception {
        Arguments arguments = Arguments.of(args);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        checkpoints(environment, arguments);
        Path output = Path.of(arguments.wanted("output")).toAbsolutePath();
        // One list is one split, which a checkpoint remembers as a position; a split for each image would be a million.
        FileSource<String> names = FileSource.forRecordStreamFormat(new TextLineInputFormat(),
                new org.apache.flink.core.fs.Path(list(arguments, output).toUri())).build();
        environment.fromSource(names, WatermarkStrategy.noWatermarks(), "names").setParallelism(1).rebalance()
                .map(new DetectFunction(arguments.wanted("weights"))).name("detect")
                .sinkTo(lines(output.resolve("detections"))).name("detections");
        environment.execute("images of " + arguments.wanted("images"));
    }

    private static Path list(Arguments arguments, Path output) throws IOException {
        Path folder = Path.of(arguments.wanted("images"));
        Files.createDirectories(output);
        Path list = output.resolve("names.txt");
        if (ImageList.write(folder, list) == 0) {
            throw new IllegalArgumentException("there is no image in " + folder);
        }
        return list;
    }

    /**
     * What is committed once a checkpoint is complete is neither lost nor doubled. An image takes long and its name is
     * short, so thousands of names wait between the workers: unaligned checkpoints save them instead of waiting for
     * them.
     */
    static void checkpoints(StreamExecutionEnvironment environment, Arguments arguments) {
        environment.enableCheckpointing(Duration.ofSeconds(arguments.number("checkpoint", 30)).toMillis(),
                CheckpointingMode.EXACTLY_ONCE);
        environment.getCheckpointConfig().enableUnalignedCheckpoints();
    }

    static FileSink<String> lines(Path folder) {
        return FileSink
                .forRowFormat(new org.apache.flink.core.fs.Path(folder.toUri()),
                        new SimpleStringEncoder<String>("UTF-8"))
                .withRollingPolicy(OnCheckpointRollingPolicy.build()).build();
    }
}
