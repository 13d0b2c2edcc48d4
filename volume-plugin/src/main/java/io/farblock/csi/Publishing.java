package io.farblock.csi;

import io.farblock.api.node.Device;
import io.farblock.csi.proto.NodePublishVolumeRequest;
import io.farblock.csi.proto.VolumeCapability;
import io.farblock.node.MountEntry;
import io.farblock.node.Mounts;
import io.farblock.node.NodeException;
import io.farblock.node.VolumeDevices;
import java.nio.file.Path;

/**
 * A volume that is staged is shown where a container looks for it: its file system by a bind mount, or the device's node
 * on a file. Calls for one volume come one after the other.
 */
final class Publishing {
    private final VolumeDevices devices;
    private final Mounts mounts;

    Publishing(VolumeDevices devices, Mounts mounts) {
        this.devices = devices;
        this.mounts = mounts;
    }

    void publish(NodePublishVolumeRequest request, Path target) throws NodeException {
        VolumeCapability capability = request.getVolumeCapability();
        Device device = devices.find(request.getVolumeId());
        Path staging = Path.of(request.getStagingTargetPath());
        MountEntry staged = mounts.at(staging);
        boolean isStaged = device != null
                && !device.getPath().isEmpty()
                && (capability.hasBlock() || (staged != null && staged.isOf(device.getPath())));
        if (!isStaged) {
            throw Refusal.precondition("volume " + request.getVolumeId() + " is not staged on " + staging);
        }
        boolean readOnly = request.getReadonly() || Use.isReadOnly(capability);
        MountEntry there = mounts.at(target);
        if (there != null) {
            checkSame(there, device, readOnly, capability.hasBlock());
            return;
        }
        checkAlone(capability, device, staging);
        if (capability.hasBlock()) {
            publishDevice(device, readOnly, target);
        } else {
            Mounts.makeDirectory(target);
            bind(staging, target, readOnly);
        }
    }

    private static void checkSame(MountEntry there, Device device, boolean readOnly, boolean block) {
        boolean same = there.isOf(device.getPath())
                && there.isDeviceNode() == block
                // Of a device that can only be read every mount is one that can only be read.
                && (block || device.getReadOnly() || there.isReadOnly() == readOnly);
        if (!same) {
            throw Refusal.differs(there.mountPoint() + " is a mount of " + there.source()
                    + (there.isReadOnly() ? ", read-only," : "") + " already");
        }
    }

    private void checkAlone(VolumeCapability capability, Device device, Path staging) throws NodeException {
        if (Use.isShared(capability)) {
            return;
        }
        for (MountEntry entry : mounts.all()) {
            if (entry.isOf(device.getPath()) && !entry.mountPoint().equals(staging.normalize())) {
                throw Refusal.precondition("volume " + device.getVolume() + " is published on " + entry.mountPoint()
                        + " already, and is for one container at a time");
            }
        }
    }

    private void publishDevice(Device device, boolean readOnly, Path target) throws NodeException {
        if (readOnly && !device.getReadOnly()) {
            // A mount that is read-only does not keep anybody from writing to a device.
            throw Refusal.precondition("volume " + device.getVolume()
                    + " is attached for writing, so its raw device cannot be published for reading only");
        }
        Mounts.makeFile(target);
        bind(Path.of(device.getPath()), target, readOnly);
    }

    private void bind(Path source, Path target, boolean readOnly) throws NodeException {
        try {
            mounts.bind(source, target, readOnly);
        } catch (NodeException e) {
            Mounts.removeTarget(target);
            throw e;
        }
    }

    void unpublish(Path target) throws NodeException {
        mounts.unmount(target);
        Mounts.removeTarget(target);
    }
}
