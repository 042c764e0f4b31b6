package dev.shrike.onnx.names;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Names in use, and new ones that do not collide with them. */
public final class UniqueNames {
    private final Set<String> used = new HashSet<>();
    // Where counting goes on for a name asked for again: a file in which all nodes are called the same must not take
    // time that grows with the square of their number.
    private final Map<String, Integer> nextSuffix = new HashMap<>();

    public void use(String name) {
        used.add(name);
    }

    /** The wanted name, or one that begins with it, which nothing has so far; it is in use from now on. */
    public String fresh(String wanted) {
        if (used.add(wanted)) {
            return wanted;
        }
        int suffix = nextSuffix.getOrDefault(wanted, 2);
        while (!used.add(wanted + "_" + suffix)) {
            suffix++;
        }
        nextSuffix.put(wanted, suffix + 1);
        return wanted + "_" + suffix;
    }
}
