package io.farblock.server;

import io.farblock.api.admin.Event;
import java.util.ArrayDeque;
import java.util.List;

/** The latest of what the audit log was told, for people who look at the server now. From any thread. */
final class RecentEvents {
    static final int MAX_EVENTS = 200;

    private final ArrayDeque<Event> latest = new ArrayDeque<>();
    private long lastNumber;

    /** Remembers one, which gets its number here. */
    synchronized void add(Event.Builder event) {
        if (latest.size() == MAX_EVENTS) {
            latest.removeFirst();
        }
        latest.addLast(event.setNumber(++lastNumber).build());
    }

    /** Those that are remembered, the latest last. */
    synchronized List<Event> all() {
        return List.copyOf(latest);
    }
}
