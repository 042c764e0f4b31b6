package dev.shrike.jetson.binding;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/**
 * Objects that C++ may call as long as the process lives: they are used again, and none is ever collected, given back
 * or not.
 */
final class ReusedObjects<T> {
    private final Supplier<T> factory;
    /** Holds them; nobody reads it. */
    private final List<T> made = new ArrayList<>();
    private final Deque<T> idle = new ArrayDeque<>();

    ReusedObjects(Supplier<T> factory) {
        this.factory = factory;
    }

    synchronized T take() {
        if (idle.isEmpty()) {
            idle.push(factory.get());
            made.add(idle.peek());
        }
        return idle.pop();
    }

    synchronized void giveBack(T object) {
        idle.push(object);
    }

    /** How many there are. */
    synchronized int count() {
        return made.size();
    }
}
