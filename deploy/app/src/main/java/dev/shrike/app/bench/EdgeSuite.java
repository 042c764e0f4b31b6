package dev.shrike.app.bench;

import dev.shrike.app.bench.rivals.Rival;
import java.util.List;

/** The fixed suite that published tables are made from, so that tables of different devices have the same rows. */
final class EdgeSuite {
    /** Its name. */
    static final String NAME = "edge";
    /** Its models, where none are given. */
    static final List<String> MODELS = List.of("yolov5n", "yolov5s");

    private static final List<String> PRECISIONS = List.of(BenchRequest.FLOAT, "w8a8", "w4a8", "w2a2");
    private static final List<BenchRequest.Size> SIZES =
            List.of(new BenchRequest.Size(320, 320), new BenchRequest.Size(640, 640));

    private EdgeSuite() {}

    /** The request with the rows of the suite. */
    static BenchRequest of(BenchRequest request, List<Integer> threads) {
        return new BenchRequest(request.models(), request.engines(), PRECISIONS, SIZES, threads, List.of(1),
                List.of(Rival.values()), request.image(), request.how(), request.output());
    }
}
