package io.farblock.session;

import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;

/** What a server session asks of the server that it lives in. Called on the session's loop only. */
public interface VolumeHost {
    /** Takes the answer to {@link #open}: exactly one of its methods is called once, on the session's loop. */
    interface OpenAnswer {
        /** The volume is open for this connection. If the connection has ended meanwhile, it is closed at once. */
        void opened(OpenVolume volume);

        /**
         * The volume is not opened.
         *
         * @param message one line for people
         * @param holder who has the volume, or an empty text
         */
        void refused(RefusalCode code, String message, String holder);
    }

    /**
     * Opens a volume, now or later. The hello's form was checked (ids of 16 bytes, version, limits); the server
     * decides on the name, the id and generation, the lease and the incarnation. Before it answers, the older
     * connection of the same session and queue must be fenced and drained, which is: closed, and its volume's
     * {@link OpenVolume#close} awaited. A write of it that lands later would overwrite what this one acknowledges.
     */
    void open(Hello hello, OpenAnswer answer);

    /** What the server calls itself. */
    String serverName();
}
