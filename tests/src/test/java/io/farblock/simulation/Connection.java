package io.farblock.simulation;

/** A connection between a client's queue and a server: two pipes, and what can happen to them. */
final class Connection {
    private static final long LONG_NANOS = 12_000_000_000L;

    final ServerEnd server;
    final Pipe toServer;
    final Pipe toClient;
    private final Schedule schedule;

    Connection(Schedule schedule, ServerEnd server, Pipe toServer, Pipe toClient) {
        this.server = server;
        this.schedule = schedule;
        this.toServer = toServer;
        this.toClient = toClient;
    }

    void suffer(Fault fault) {
        switch (fault) {
            case CUT -> {
                toServer.cutAfter(schedule.random(toServer.bytes() + 1));
                toClient.cutAfter(schedule.random(toClient.bytes() + 1));
            }
            case HALF_OPEN -> lose();
            case DROP_ONE_WAY -> (schedule.oneIn(2) ? toServer : toClient).lose();
            case DELAY -> (schedule.oneIn(2) ? toServer : toClient).delay(someTime());
            case LATE_BYTES -> {
                toServer.delay(someTime());
                toServer.finish();
                toClient.cutAfter(schedule.random(toClient.bytes() + 1));
            }
            case FLIP -> (schedule.oneIn(2) ? toServer : toClient).flipNext();
            default -> throw new IllegalArgumentException(fault + " is not one of a connection");
        }
    }

    /** Nothing goes through any more. */
    void lose() {
        toServer.lose();
        toClient.lose();
    }

    /** Whether nothing can happen to it any more. */
    boolean isOver() {
        return toServer.isOver() && toClient.isOver();
    }

    private long someTime() {
        return schedule.anyNanos(LONG_NANOS);
    }
}
