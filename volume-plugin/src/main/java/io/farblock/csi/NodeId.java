package io.farblock.csi;

import io.farblock.api.node.Daemon;
import java.util.regex.Pattern;

/** What a node is called to the controller: the name and the id under which its daemon is known to servers. */
final class NodeId {
    private static final Pattern FORM = Pattern.compile(".+\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private NodeId() {}

    static String of(Daemon daemon) {
        return daemon.getClientName() + "." + daemon.getClientId();
    }

    /** Whether a node of this driver can have such an id; the controller has no list of those that there are. */
    static boolean isOne(String id) {
        return FORM.matcher(id).matches();
    }
}
