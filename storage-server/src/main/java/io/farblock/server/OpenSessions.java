package io.farblock.server;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;

/** The connections to a volume as people see them: one client for each session, however many queues it has. Any thread. */
final class OpenSessions {
    private OpenSessions() {}

    /** Who has a volume open or holds its lease, the writers first. */
    static List<VolumeStatus.Client> of(List<VolumeConnection> connections, VolumeRecord record) {
        List<VolumeStatus.Client> writers = new ArrayList<>();
        List<VolumeStatus.Client> readers = new ArrayList<>();
        for (VolumeConnection connection : connections) {
            if (isFirstOfSession(connections, connection)) {
                (connection.isWriter() ? writers : readers).add(describe(connections, connection));
            }
        }
        List<VolumeStatus.Client> clients = new ArrayList<>(writers.isEmpty() ? absentHolder(record) : writers);
        clients.addAll(readers);
        return clients;
    }

    /** The holder of the lease, of a volume to which it has no connection. */
    static List<VolumeStatus.Client> absentHolder(VolumeRecord record) {
        return record.hasLeaseHolder()
                ? List.of(new VolumeStatus.Client(record.getLeaseHolder().getClientName(), "", true, 0))
                : List.of();
    }

    /**
     * Whether no connection that stands and was noted is of the same use as this one, which counts as noted then: a client
     * may begin with any of its queues, and have one of them anew while it has the others.
     */
    static boolean isNews(List<VolumeConnection> connections, VolumeConnection one) {
        synchronized (connections) {
            boolean isNews = connections.stream()
                    .noneMatch(other -> other.isNoted() && other.isConnected() && other.isSameUse(one));
            one.note();
            return isNews;
        }
    }

    private static boolean isFirstOfSession(List<VolumeConnection> connections, VolumeConnection connection) {
        for (VolumeConnection other : connections) {
            if (other.isOfSession(connection.clientId(), connection.sessionId())) {
                return other == connection;
            }
        }
        return false;
    }

    private static VolumeStatus.Client describe(List<VolumeConnection> connections, VolumeConnection connection) {
        ByteString client = connection.clientId();
        ByteString session = connection.sessionId();
        int queues = 0;
        for (VolumeConnection other : connections) {
            queues += other.isOfSession(client, session) && other.isConnected() ? 1 : 0;
        }
        return new VolumeStatus.Client(connection.clientName(), connection.address(), connection.isWriter(), queues);
    }
}
