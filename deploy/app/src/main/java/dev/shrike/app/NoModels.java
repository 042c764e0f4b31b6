package dev.shrike.app;

import dev.shrike.ShrikeException;
import dev.shrike.app.detect.ModelStore;
import java.nio.file.Path;
import java.util.List;

/** A store without anything in it. */
final class NoModels implements ModelStore {
    @Override
    public List<String> names() {
        return List.of();
    }

    @Override
    public Path model(String name, int side) {
        throw new ShrikeException("there is no model '" + name + "'");
    }

    @Override
    public List<Path> samples() {
        throw new ShrikeException("give a picture, a folder or a glob");
    }
}
