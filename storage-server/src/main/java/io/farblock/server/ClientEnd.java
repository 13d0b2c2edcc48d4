package io.farblock.server;

import io.farblock.session.OpenVolume;
import io.farblock.session.VolumeHost.OpenAnswer;
import io.farblock.tls.Identity;
import io.farblock.wire.proto.RefusalCode;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;

/**
 * Who asks for a volume, as the control thread sees it: where its answers go.
 *
 * @param loop the session's loop
 * @param address the client's, for people
 * @param isConnected whether the network connection is there, from any thread
 * @param disconnect ends the network connection, from any thread
 * @param identity who it is
 */
record ClientEnd(Executor loop, String address, BooleanSupplier isConnected, Runnable disconnect, Identity identity) {
    /** Of a plain connection. */
    ClientEnd(Executor loop, String address, BooleanSupplier isConnected, Runnable disconnect) {
        this(loop, address, isConnected, disconnect, Identity.ANYBODY);
    }

    /** The address without its port. */
    String host() {
        return address.substring(0, Math.max(0, address.lastIndexOf(':')));
    }

    /** Any thread. */
    void admit(OpenAnswer answer, OpenVolume volume) {
        try {
            loop.execute(() -> answer.opened(volume));
        } catch (RejectedExecutionException e) {
            // The loop has ended with the server, and the session with it.
            volume.close();
        }
    }

    /** Any thread. */
    void refuse(OpenAnswer answer, RefusalCode code, String message, String holder) {
        try {
            loop.execute(() -> answer.refused(code, message, holder));
        } catch (RejectedExecutionException e) {
            // The loop has ended with the server: nobody is left to be told.
            disconnect.run();
        }
    }
}
