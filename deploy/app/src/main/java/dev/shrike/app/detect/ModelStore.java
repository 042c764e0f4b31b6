package dev.shrike.app.detect;

import java.nio.file.Path;
import java.util.List;

/** Where models and images come from that the user has no file of. */
public interface ModelStore {
    /** Names of the models that {@link #model} can bring. */
    List<String> names();

    /**
     * The file of the named model, fetched if need be.
     *
     * @param side width and height of its input in pixels; 0 takes the usual size
     */
    Path model(String name, int side);

    /** Photographs to try a model on, fetched if need be. */
    List<Path> samples();
}
