package dev.shrike.examples.flink;

import java.io.Serializable;
import java.util.List;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * Messages of an MQTT 5 broker, each at least once: the broker gets its acknowledgement when a checkpoint holds the
 * message, and until then delivers it again to whoever takes over. The readers share one subscription, and each keeps
 * its session at the broker under its own name, so that nothing is missed while there is none.
 *
 * @param host
 *            of the broker
 * @param port
 *            of the broker
 * @param filter
 *            of topics, such as {@code fleet/+/events}
 * @param group
 *            name of the shared subscription
 */
record MqttSource(String host, int port, String filter, String group)
        implements Source<MqttEvent, MqttSource.NoSplit, Integer>, Serializable {
    @Override
    public Boundedness getBoundedness() {
        return Boundedness.CONTINUOUS_UNBOUNDED;
    }

    @Override
    public SourceReader<MqttEvent, NoSplit> createReader(SourceReaderContext context) {
        return new MqttReader(this, context.getIndexOfSubtask());
    }

    @Override
    public SplitEnumerator<NoSplit, Integer> createEnumerator(SplitEnumeratorContext<NoSplit> context) {
        return new Nothing();
    }

    @Override
    public SplitEnumerator<NoSplit, Integer> restoreEnumerator(SplitEnumeratorContext<NoSplit> context, Integer state) {
        return new Nothing();
    }

    @Override
    public SimpleVersionedSerializer<NoSplit> getSplitSerializer() {
        return new Empty<>(new NoSplit());
    }

    @Override
    public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
        return new Empty<>(0);
    }

    /** The broker divides the messages among the readers, so there is nothing for Flink to divide. */
    static final class NoSplit implements SourceSplit {
        @Override
        public String splitId() {
            return "none";
        }
    }

    private static final class Nothing implements SplitEnumerator<NoSplit, Integer> {
        @Override
        public void start() {
        }

        @Override
        public void handleSplitRequest(int subtask, String host) {
        }

        @Override
        public void addSplitsBack(List<NoSplit> splits, int subtask) {
        }

        @Override
        public void addReader(int subtask) {
        }

        @Override
        public Integer snapshotState(long checkpoint) {
            return 0;
        }

        @Override
        public void close() {
        }
    }

    private record Empty<T>(T value) implements SimpleVersionedSerializer<T> {
        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(T any) {
            return new byte[0];
        }

        @Override
        public T deserialize(int version, byte[] bytes) {
            return value;
        }
    }
}
