package io.farblock.server;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;

/** The check of a volume that has failed, or may have: it is read back from the disk, and serves again if that works. */
final class VolumeCheck {
    private VolumeCheck() {}

    static void run(VolumeControl control, ServedVolume volume, String name) throws VolumeException {
        if (volume.volume().failure() != null) {
            CountDownLatch fenced = new CountDownLatch(1);
            endAllConnections(control, volume, fenced::countDown);
            Waiting.uninterruptibly(fenced::await);
        }
        try {
            String reason = volume.volume().check();
            if (reason != null) {
                throw new VolumeException(
                        VolumeException.Kind.DISK,
                        "volume " + name + " still refuses I/O: " + reason + "; look at the disk under it");
            }
        } catch (IOException e) {
            throw new VolumeException(VolumeException.Kind.DISK, "volume " + name + ": " + e.getMessage(), e);
        }
    }

    /**
     * Who is connected knows the durability verifier of before the failure. Served under it once more, a flush would
     * succeed as if nothing had been lost: so they are fenced before the volume can serve again, and come back.
     */
    static void endAllConnections(VolumeControl control, ServedVolume volume, Runnable fenced) {
        control.execute(() -> {
            volume.disconnectAll();
            volume.drain(fenced);
        });
    }
}
