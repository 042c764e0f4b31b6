package dev.shrike.jetson.binding;

import java.lang.System.Logger;
import java.util.ArrayList;
import java.util.List;

/** What an object opened and has to close, the last one first; one that fails does not keep others from closing. */
public final class CloseStack implements AutoCloseable {
    private static final Logger LOG = System.getLogger(CloseStack.class.getName());

    private final List<AutoCloseable> resources = new ArrayList<>();

    /** The resource, which is closed with this. */
    public <T extends AutoCloseable> T add(T resource) {
        resources.add(resource);
        return resource;
    }

    @Override
    public void close() {
        for (AutoCloseable resource : resources.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                LOG.log(Logger.Level.WARNING, "while closing: " + e.getMessage());
            }
        }
        resources.clear();
    }
}
