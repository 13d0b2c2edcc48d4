package io.farblock.docker;

import io.farblock.node.NodeException;

/**
 * What comes of a call.
 *
 * @param isFinal whether it says how things are, and not only that this cannot be told now
 */
record Answer(PluginReply reply, boolean isFinal) {
    /** It was done. */
    static Answer done(PluginReply reply) {
        return new Answer(reply, true);
    }

    /** It was not done. */
    static Answer of(NodeException failed) {
        boolean isFinal = failed.kind() == NodeException.Kind.NOT_FOUND || failed.kind() == NodeException.Kind.INVALID;
        return new Answer(error(failed.getMessage()), isFinal);
    }

    /** Nobody knows yet whether it is done. */
    static Answer late(String message) {
        return new Answer(error(message), false);
    }

    /** Whether it was done. */
    boolean isDone() {
        return reply.getError().isEmpty();
    }

    static PluginReply error(String message) {
        return PluginReply.newBuilder().setError(message).build();
    }
}
