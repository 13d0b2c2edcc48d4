package io.farblock.csi;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.Target;
import io.farblock.csi.proto.NodeStageVolumeRequest;
import io.farblock.csi.proto.VolumeCapability.MountVolume;
import io.farblock.node.FileSystemType;
import io.farblock.node.FileSystems;
import io.farblock.node.MountEntry;
import io.farblock.node.Mounts;
import io.farblock.node.NodeException;
import io.farblock.node.VolumeDevices;
import java.nio.file.Path;

/**
 * A volume comes to a node and leaves it: a device, and unless it is used raw a file system that is mounted once. Calls
 * for one volume come one after the other; each finds what the one before it has done.
 */
final class Staging {
    private final VolumeDevices devices;
    private final FileSystems fileSystems;
    private final Mounts mounts;

    Staging(VolumeDevices devices, FileSystems fileSystems, Mounts mounts) {
        this.devices = devices;
        this.fileSystems = fileSystems;
        this.mounts = mounts;
    }

    void stage(NodeStageVolumeRequest request, Path staging) throws NodeException {
        Device device = devices.attach(attachRequest(request));
        checkVolume(device, request.getVolumeContextOrDefault(VolumeReport.UUID, ""));
        if (request.getVolumeCapability().hasBlock()) {
            return;
        }
        MountVolume wanted = request.getVolumeCapability().getMount();
        FileSystemType type = FileSystemType.of(wanted.getFsType());
        MountEntry there = mounts.at(staging);
        if (there != null) {
            if (!there.isOf(device.getPath()) || !there.type().equals(type.text())) {
                throw Refusal.differs(staging + " is a mount of " + there.source() + " (" + there.type() + ") already");
            }
            return;
        }
        FileSystems.Disk disk = new FileSystems.Disk(device.getPath(), device.getSizeBytes(), device.getReadOnly());
        fileSystems.format(disk, type);
        Mounts.makeDirectory(staging);
        fileSystems.mount(disk, type, wanted.getMountFlagsList(), staging);
    }

    private static AttachRequest attachRequest(NodeStageVolumeRequest request) {
        PublishContext context = PublishContext.of(request.getPublishContextMap());
        String server = request.getVolumeContextOrDefault(VolumeReport.SERVER, "");
        return AttachRequest.newBuilder()
                .setVolume(request.getVolumeId())
                .setServer(Arguments.required(server, "volume_context[" + VolumeReport.SERVER + "]"))
                .setReadOnly(context.readOnly() || Use.isReadOnly(request.getVolumeCapability()))
                .setTarget(Target.TARGET_HOST)
                .setPublication(context.publication())
                .build();
    }

    /** The serial number of a device begins as the volume's id does. */
    private static void checkVolume(Device device, String uuid) {
        if (!uuid.isEmpty() && !uuid.replace("-", "").startsWith(device.getSerial())) {
            throw Refusal.precondition(device.getPath() + " is of another volume of the name " + device.getVolume()
                    + ", made after that one was deleted");
        }
    }

    void unstage(String volume, Path staging) throws NodeException {
        mounts.unmount(staging);
        devices.detach(volume);
    }
}
