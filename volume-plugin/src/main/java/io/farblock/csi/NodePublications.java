package io.farblock.csi;

import io.farblock.api.admin.PublishVolumeRequest;
import io.farblock.api.admin.UnpublishVolumeRequest;
import io.farblock.api.admin.UnpublishVolumeResponse;
import io.farblock.api.admin.Volume;
import io.grpc.StatusRuntimeException;

/**
 * Which volume which node may have. It is the server that knows and enforces it: once a volume is taken from a node, its
 * daemon is refused for ever, connected or not.
 */
final class NodePublications {
    private final AdminApi admin;
    private final int maxVolumes;

    /** @param maxVolumes of a node; 0 for any number */
    NodePublications(AdminApi admin, int maxVolumes) {
        this.admin = admin;
        this.maxVolumes = maxVolumes;
    }

    /** @return the number by which the node may open the volume */
    long publish(String id, String node, boolean readOnly, boolean exclusive) {
        Volume volume = admin.get(id);
        if (!NodeId.isOne(node)) {
            throw Refusal.notFound("there is no node " + node);
        }
        if (maxVolumes > 0 && !VolumeReport.nodes(volume).contains(node)) {
            checkRoom(node);
        }
        return admin.call()
                .publishVolume(PublishVolumeRequest.newBuilder()
                        .setName(id)
                        .setNode(node)
                        .setReadOnly(readOnly)
                        .setExclusive(exclusive)
                        .build())
                .getNumber();
    }

    private void checkRoom(String node) {
        long count = admin.list().stream()
                .filter(volume -> VolumeReport.nodes(volume).contains(node))
                .count();
        if (count >= maxVolumes) {
            throw Refusal.exhausted("node " + node + " has " + count + " volumes, which is as many as it may have");
        }
    }

    /** @param node empty for all */
    void unpublish(String id, String node) {
        try {
            UnpublishVolumeResponse unused = admin.call()
                    .unpublishVolume(UnpublishVolumeRequest.newBuilder()
                            .setName(id)
                            .setNode(node)
                            .build());
        } catch (StatusRuntimeException e) {
            // A volume that is gone is published nowhere.
            if (!Refusal.isNotFound(e)) {
                throw e;
            }
        }
    }
}
