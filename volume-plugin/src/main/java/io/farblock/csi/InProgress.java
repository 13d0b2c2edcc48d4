package io.farblock.csi;

import io.farblock.node.NodeException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What calls are at work on, so that a second one does not interfere with the first. From any thread. */
final class InProgress {
    private final Set<String> names = ConcurrentHashMap.newKeySet();

    /** Does some work on something; refuses with ABORTED while another call is at it. */
    <T> T alone(String name, Answer.Work<T> work) throws NodeException {
        if (!names.add(name)) {
            throw Refusal.aborted("another call is at work on " + name + "; ask again");
        }
        try {
            return work.run();
        } finally {
            names.remove(name);
        }
    }

    /** The same on several things; refuses while another call is at any of them. */
    <T> T alone(List<String> several, Answer.Work<T> work) throws NodeException {
        return several.isEmpty()
                ? work.run()
                : alone(several.get(0), () -> alone(several.subList(1, several.size()), work));
    }
}
