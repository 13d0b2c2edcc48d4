package io.farblock.csi;

import io.farblock.csi.proto.Topology;
import io.farblock.csi.proto.TopologyRequirement;

/**
 * Which nodes reach the server: those that say the same zone.
 *
 * @param name empty if all of them do
 */
record Zone(String name) {
    boolean isEverywhere() {
        return name.isEmpty();
    }

    Topology topology() {
        return Topology.newBuilder().putSegments(CsiOptions.ZONE_KEY, name).build();
    }

    /** Whether what is accessible from there is accessible here. */
    boolean contains(Topology place) {
        return isEverywhere()
                || place.getSegmentsOrDefault(CsiOptions.ZONE_KEY, name).equals(name);
    }

    /** Refuses with RESOURCE_EXHAUSTED what only nodes of other zones could reach. */
    void require(TopologyRequirement wanted) {
        if (wanted.getRequisiteCount() > 0 && wanted.getRequisiteList().stream().noneMatch(this::contains)) {
            throw Refusal.exhausted("this server is reached from zone " + name + ", which is none of those asked for");
        }
    }
}
