package io.farblock.server;

import io.farblock.server.VolumeException.Kind;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.util.List;

/**
 * Which nodes may have a volume, by its record: the rules by which somebody above the nodes, such as an orchestrator, gives
 * it to one and takes it away again.
 *
 * <p>A publication has a number that is never given again, and a client that was told it names it in each hello. So what a
 * node does late, after the volume was taken from it, is refused, whatever it has kept. On the volume's control thread.
 */
final class Publications {
    private static final int MAX_NODE_LENGTH = 256;

    private Publications() {}

    /** The publication that a record has for a node, or null. */
    static PublicationRecord of(VolumeRecord record, String node) {
        for (PublicationRecord publication : record.getPublicationsList()) {
            if (publication.getNode().equals(node)) {
                return publication;
            }
        }
        return null;
    }

    /** Refuses what cannot be published like this now. */
    static void check(VolumeRecord record, PublicationRecord wanted) throws VolumeException {
        if (wanted.getNode().isEmpty() || wanted.getNode().length() > MAX_NODE_LENGTH) {
            throw new VolumeException(Kind.INVALID, "a node's name has 1 to " + MAX_NODE_LENGTH + " characters");
        }
        PublicationRecord own = of(record, wanted.getNode());
        if (own != null) {
            if (own.getReadOnly() != wanted.getReadOnly() || own.getExclusive() != wanted.getExclusive()) {
                throw new VolumeException(
                        Kind.NAME_TAKEN,
                        "volume " + record.getName() + " is published to " + wanted.getNode() + " in another way");
            }
            return;
        }
        for (PublicationRecord other : record.getPublicationsList()) {
            boolean bothWrite = !other.getReadOnly() && !wanted.getReadOnly() && !record.getSharedWriters();
            if (bothWrite || other.getExclusive() || wanted.getExclusive()) {
                throw new VolumeException(
                        Kind.IN_USE,
                        "volume " + record.getName() + " is published to " + Names.printable(other.getNode()));
            }
        }
        if (!wanted.getReadOnly() && record.hasLeaseHolder()) {
            throw new VolumeException(
                    Kind.IN_USE,
                    "volume " + record.getName() + " is held by "
                            + record.getLeaseHolder().getClientName()
                            + ": detach it there, or run farblock volume release "
                            + record.getName());
        }
    }

    /** The record with one publication more. */
    static VolumeRecord.Builder add(VolumeRecord.Builder record, PublicationRecord wanted) {
        long number = record.getLastPublication() + 1;
        return record.setLastPublication(number)
                .addPublications(wanted.toBuilder().setNumber(number));
    }

    /** The record without some of its publications. */
    static VolumeRecord.Builder remove(VolumeRecord.Builder record, List<PublicationRecord> ended) {
        List<PublicationRecord> left = record.getPublicationsList().stream()
                .filter(publication -> !ended.contains(publication))
                .toList();
        return record.clearPublications().addAllPublications(left);
    }

    /**
     * How somebody is refused who may not open the volume: a device of a publication that has ended must end, and would
     * go on asking otherwise.
     */
    static RefusalCode codeOf(Hello hello, VolumeRecord record) {
        boolean hasEnded = hello.getPublication() != 0 && refusal(hello, record) != null;
        return hasEnded ? RefusalCode.REFUSAL_CODE_STALE_EPOCH : RefusalCode.REFUSAL_CODE_NOT_ALLOWED;
    }

    /** Why a client may not open the volume, or null. */
    static Lease.Refusal refusal(Hello hello, VolumeRecord record) {
        if (hello.getPublication() != 0) {
            boolean stands = record.getPublicationsList().stream()
                    .anyMatch(publication -> publication.getNumber() == hello.getPublication()
                            && (hello.getReadOnly() || !publication.getReadOnly()));
            return stands
                    ? null
                    : new Lease.Refusal(
                            RefusalCode.REFUSAL_CODE_STALE_EPOCH,
                            "volume " + record.getName() + " is not published to this node any more",
                            "");
        }
        // Who goes on under an epoch had the volume before it was published, and is judged by the epoch.
        if (hello.getReadOnly() || hello.getTakeOver() || hello.getWantedEpoch() != 0) {
            return null;
        }
        for (PublicationRecord publication : record.getPublicationsList()) {
            if (!publication.getReadOnly()) {
                String node = Names.printable(publication.getNode());
                return new Lease.Refusal(
                        RefusalCode.REFUSAL_CODE_HELD, "volume " + record.getName() + " is published to " + node, node);
            }
        }
        return null;
    }
}
