package io.farblock.csi;

import io.farblock.api.admin.Publication;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeState;
import io.farblock.csi.proto.VolumeCondition;
import java.util.List;
import java.util.Map;

/** What the driver says of a volume. */
final class VolumeReport {
    /** In a volume's context: where nodes reach its server, host:port. */
    static final String SERVER = "server";
    /** In a volume's context: the id of the volume, so that another one of the same name is not taken for it. */
    static final String UUID = "uuid";

    private final String dataAddress;
    private final Zone zone;

    VolumeReport(String dataAddress, Zone zone) {
        this.dataAddress = dataAddress;
        this.zone = zone;
    }

    io.farblock.csi.proto.Volume of(Volume volume) {
        io.farblock.csi.proto.Volume.Builder message = io.farblock.csi.proto.Volume.newBuilder()
                .setVolumeId(volume.getName())
                .setCapacityBytes(volume.getSizeBytes())
                .putAllVolumeContext(Map.of(SERVER, dataAddress, UUID, volume.getUuid()));
        if (!zone.isEverywhere()) {
            message.addAccessibleTopology(zone.topology());
        }
        return message.build();
    }

    /** Which nodes it is published to. */
    static List<String> nodes(Volume volume) {
        return volume.getPublicationsList().stream().map(Publication::getNode).toList();
    }

    static VolumeCondition condition(Volume volume) {
        boolean ready = volume.getState() == VolumeState.VOLUME_STATE_READY;
        return VolumeCondition.newBuilder()
                .setAbnormal(!ready)
                .setMessage(ready ? "ready" : volume.getStateReason())
                .build();
    }
}
