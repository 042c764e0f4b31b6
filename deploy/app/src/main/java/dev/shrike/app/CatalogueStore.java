package dev.shrike.app;

import dev.shrike.app.catalogue.Catalogue;
import dev.shrike.app.catalogue.ProgressListener;
import dev.shrike.app.detect.ModelStore;
import java.nio.file.Path;
import java.util.List;

/**
 * The catalogue as a store of models.
 *
 * @param catalogue what there is
 * @param progress who is told of a fetch
 */
record CatalogueStore(Catalogue catalogue, ProgressListener progress) implements ModelStore {
    @Override
    public List<String> names() {
        return catalogue.names();
    }

    @Override
    public Path model(String name, int side) {
        return side == 0 ? catalogue.model(name, progress) : catalogue.model(name, side, progress);
    }

    @Override
    public List<Path> samples() {
        return catalogue.samples(progress);
    }
}
