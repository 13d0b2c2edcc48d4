package io.farblock.node;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Daemon;
import io.farblock.api.node.DetachRequest;
import io.farblock.api.node.DetachResponse;
import io.farblock.api.node.Device;
import io.farblock.api.node.GetDaemonRequest;
import io.farblock.api.node.ListDevicesRequest;

/**
 * Volumes as devices of this machine, by the node daemon: each under its own name. A call that is made again finds what
 * the one before it did. From any thread; calls for one volume come one after the other.
 */
public final class VolumeDevices {
    private final DaemonClient daemon;

    /** Over a daemon. */
    public VolumeDevices(DaemonClient daemon) {
        this.daemon = daemon;
    }

    /** Who serves the devices. */
    public Daemon daemon() throws NodeException {
        return daemon.call(node -> node.getDaemon(GetDaemonRequest.getDefaultInstance()));
    }

    /** The device of a volume, or null. */
    public Device find(String volume) throws NodeException {
        for (Device device : daemon.call(node -> node.listDevices(ListDevicesRequest.getDefaultInstance()))
                .getDevicesList()) {
            if (device.getName().equals(volume)) {
                return device;
            }
        }
        return null;
    }

    /**
     * Has a volume attached; what is attached already in the way that is asked for stays as it is.
     *
     * @param wanted without a name
     */
    public Device attach(AttachRequest wanted) throws NodeException {
        Device found = find(wanted.getVolume());
        if (found != null && found.getPath().isEmpty()) {
            throw new NodeException(
                    NodeException.Kind.UNREACHABLE,
                    "the device " + found.getName() + " is " + found.getState() + ": " + found.getExplanation());
        }
        if (found != null && found.getPublication() != wanted.getPublication()) {
            // Left over from before the volume was taken from this node: the server refuses all that it asks.
            detach(wanted.getVolume());
            found = null;
        }
        if (found == null) {
            return daemon.call(node -> node.attach(wanted));
        }
        if (!isSame(found, wanted)) {
            throw new NodeException(
                    NodeException.Kind.REFUSED,
                    "volume " + wanted.getVolume() + " is attached here in another way (" + found.getServer()
                            + (found.getReadOnly() ? ", read-only" : "") + ", " + found.getPath()
                            + "): detach it first");
        }
        return found;
    }

    private static boolean isSame(Device device, AttachRequest wanted) {
        return device.getVolume().equals(wanted.getVolume())
                && device.getServer().equals(wanted.getServer())
                && device.getReadOnly() == wanted.getReadOnly()
                && device.getTarget() == wanted.getTarget();
    }

    /** Takes the device of a volume away; that there is none is no error. Refuses while somebody uses it. */
    public void detach(String volume) throws NodeException {
        if (find(volume) == null) {
            return;
        }
        DetachResponse unused = daemon.call(
                node -> node.detach(DetachRequest.newBuilder().setName(volume).build()));
    }
}
