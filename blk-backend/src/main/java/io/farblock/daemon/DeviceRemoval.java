package io.farblock.daemon;

import io.farblock.daemon.DaemonException.Kind;
import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
import io.farblock.vduse.DeviceState;
import io.farblock.vduse.VduseControl;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a device: off the bus, closed, destroyed, in this order, while a live daemon serves it to the last.
 *
 * <p>Called from one thread, which waits.
 */
final class DeviceRemoval {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceRemoval.class);
    private static final int HELPER_SECONDS = 60;
    private static final int FORCED_SECONDS = 3;
    private static final int SETTLE_SECONDS = 20;

    private DeviceRemoval() {}

    /** Refuses if somebody uses the device, and says who. */
    static void checkUnused(AttachedDevice attached) throws DaemonException {
        String users = usersInWords(attached);
        if (!users.isEmpty()) {
            throw new DaemonException(
                    Kind.REFUSED, attached.name() + " is in use: " + attached.path() + " is " + users);
        }
    }

    /**
     * Refuses if the device is the disk of a virtual machine that has it open: the kernel takes it from no machine, and
     * would wait, forced or not, until that one lets go.
     */
    static void checkNoMachine(String name) throws DaemonException {
        try {
            String path = VdpaBus.devicePath(name);
            if (path.startsWith(VdpaBus.VHOST_NODE) && !DeviceUse.users(path).isEmpty()) {
                throw new DaemonException(
                        Kind.REFUSED,
                        name + " is the disk of a virtual machine: " + path + " is "
                                + String.join(", ", DeviceUse.users(path)) + "; end that process first");
            }
        } catch (IOException e) {
            throw new DaemonException(Kind.REFUSED, name + ": " + e.getMessage(), e);
        }
    }

    /** Refuses if requests of the driver can neither be served nor failed, and says why: the kernel waits for them. */
    static void checkServed(String name, VduseBlkDevice device) throws DaemonException {
        String refusals = device.refusals();
        if (!refusals.isEmpty()) {
            throw new DaemonException(Kind.REFUSED, name + " cannot be taken away: " + refusals);
        }
    }

    /** Takes a device off the bus and removes it; returns when nothing of it is left. */
    static void remove(AttachedDevice attached, boolean force) throws DaemonException {
        checkServed(attached.name(), attached.device());
        settle(attached, force);
        DeviceState before = attached.life().state();
        attached.life().become(DeviceState.DETACHING);
        unbind(attached, force, before);
        attached.device().close();
        attached.stores().awaitClosed();
        attached.life().become(DeviceState.REMOVED);
        destroy(attached.name());
    }

    /**
     * What was acknowledged is made durable first: once the device is gone nobody can ask for a flush, and the copies here,
     * which a crash of the server's host would need, end with it.
     */
    private static void settle(AttachedDevice attached, boolean force) throws DaemonException {
        VolumeStores stores = attached.stores();
        int seconds = force ? FORCED_SECONDS : SETTLE_SECONDS;
        if (stores.hasEnded() || stores.settle().awaitUninterruptibly(seconds, TimeUnit.SECONDS)) {
            return;
        }
        String left = attached.name() + ": the server has not made durable what was written (" + stores.unflushedBytes()
                + " bytes are kept here)";
        if (!force) {
            throw new DaemonException(Kind.REFUSED, left + "; farblock detach --force goes without them");
        }
        LOG.warn("{}; they are lost if its host crashes now", left);
    }

    /** Forced, it still gives a server that answers a moment to finish what is in flight, before it fails the rest. */
    private static void unbind(AttachedDevice attached, boolean force, DeviceState before) throws DaemonException {
        String users = usersInWords(attached);
        if (force && !attached.stores().isConnected()) {
            attached.device().failAll();
        }
        try {
            AttachHelper.detach(attached.name(), force ? FORCED_SECONDS : HELPER_SECONDS);
        } catch (DaemonException e) {
            if (!force) {
                attached.life().become(before);
                throw waiting(e, "for requests in flight, which farblock detach --force would fail");
            }
            LOG.warn("{}", e.getMessage());
            attached.device().failAll();
            detachFailing(attached.name(), users);
        }
    }

    private static void detachFailing(String name, String users) throws DaemonException {
        try {
            AttachHelper.detach(name, HELPER_SECONDS);
        } catch (DaemonException e) {
            throw waiting(
                    e, users.isEmpty() ? "although nothing is in flight any more" : "for its users: it is " + users);
        }
    }

    /** The kernel goes on with what it has begun, whether somebody waits for it or not. */
    private static DaemonException waiting(DaemonException helper, String reason) {
        return new DaemonException(helper.kind(), helper.getMessage() + ", " + reason, helper);
    }

    private static String usersInWords(AttachedDevice attached) throws DaemonException {
        try {
            return String.join(", ", DeviceUse.users(attached.path()));
        } catch (IOException e) {
            throw new DaemonException(Kind.REFUSED, attached.name() + ": " + e.getMessage(), e);
        }
    }

    /** Makes the kernel forget a device that is off the bus and that nobody has open. */
    static void destroy(String name) throws DaemonException {
        try (VduseControl control = new VduseControl()) {
            control.destroy(name);
        } catch (LinuxException e) {
            String who = e.errno() == Errno.EBUSY ? DeviceUse.server(name) : "";
            throw new DaemonException(
                    Kind.REFUSED, name + ": " + e.getMessage() + (who.isEmpty() ? "" : "; " + who + " has it open"), e);
        }
    }
}
