package io.farblock.server;

import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;

/**
 * Who may write to a volume: the lease in its record, and the rules by which it changes hands.
 *
 * <p>It belongs to one session of one client, for as long as the client does not say goodbye and nobody takes it away:
 * time ends no lease. A volume that was made for shared writers has no holder; its epoch is that of all of them. A change
 * is durable before anybody hears of it. On the volume's control thread, but for {@link #lowestEpoch}.
 */
final class Lease {
    private static final long MAX_EPOCH = 0xFFFF_FFFFL;

    private final String volume;
    private final Catalogue catalogue;
    private volatile long lowestEpoch;

    /** Why a hello gets no lease. */
    record Refusal(RefusalCode code, String message, String holder) {}

    Lease(VolumeRecord record, Catalogue catalogue) {
        volume = record.getName();
        this.catalogue = catalogue;
        lowestEpoch = record.getLeaseEpoch();
    }

    /** The lowest epoch whose requests are served. Any thread. */
    long lowestEpoch() {
        return lowestEpoch;
    }

    /** Why the hello may not write, or null if {@link #grant} may be called for it. */
    Refusal refusal(Hello hello, VolumeRecord record, boolean holderIsConnected) {
        LeaseHolder holder = record.getLeaseHolder();
        boolean held = record.hasLeaseHolder();
        boolean holds = held && isHolder(holder, hello);
        boolean isStale = wanted(hello) != 0 && (wanted(hello) != record.getLeaseEpoch() || (held && !holds));
        if (isStale) {
            return new Refusal(
                    RefusalCode.REFUSAL_CODE_STALE_EPOCH,
                    "volume " + volume + " was taken over" + (held ? " by " + holder.getClientName() : ""),
                    holder.getClientName());
        }
        // A client that lost its memory of the session, and of which nothing is connected any more: its own lease does
        // not keep it out. What is left of the old session is fenced by the new epoch.
        boolean isPastLife = !holderIsConnected && holder.getClientId().equals(hello.getClientId());
        if (!held || holds || hello.getTakeOver() || isPastLife) {
            return null;
        }
        return new Refusal(
                RefusalCode.REFUSAL_CODE_HELD,
                "volume " + volume + " is held for writing by " + holder.getClientName(),
                holder.getClientName());
    }

    /** The record under which the hello's client writes. */
    VolumeRecord grant(Hello hello, VolumeRecord record) throws IOException, VolumeException {
        boolean goesOn = wanted(hello) != 0;
        VolumeRecord granted;
        if (record.getSharedWriters()) {
            boolean joins = goesOn || (record.getLeaseEpoch() != 0 && !hello.getTakeOver());
            granted = joins ? catalogue.confirm(volume) : raise(record, null);
        } else if (record.hasLeaseHolder() && isHolder(record.getLeaseHolder(), hello)) {
            granted = catalogue.confirm(volume);
        } else if (goesOn) {
            // The same client coming back after a goodbye that overtook it: nobody had the volume in between.
            granted = catalogue.update(volume, changed -> changed.setLeaseHolder(holder(hello)));
        } else {
            granted = raise(record, holder(hello));
        }
        lowestEpoch = granted.getLeaseEpoch();
        return granted;
    }

    /** Ends the lease without a new one: whoever had it is refused for ever. */
    VolumeRecord revoke(VolumeRecord record) throws IOException, VolumeException {
        VolumeRecord revoked = raise(record, null);
        lowestEpoch = revoked.getLeaseEpoch();
        return revoked;
    }

    /** The client has said goodbye: if the lease is its session's, nobody has it now. */
    void giveBack(VolumeConnection last) throws IOException, VolumeException {
        LeaseHolder holder = catalogue.find(volume).getLeaseHolder();
        if (last.isOfSession(holder.getClientId(), holder.getSessionId())) {
            catalogue.update(volume, VolumeRecord.Builder::clearLeaseHolder);
        }
    }

    private VolumeRecord raise(VolumeRecord record, LeaseHolder holder) throws IOException, VolumeException {
        long epoch = record.getLeaseEpoch() + 1;
        if (epoch > MAX_EPOCH) {
            throw new IOException("the lease of volume " + volume + " has changed hands 2^32 times");
        }
        return catalogue.update(
                volume,
                changed -> holder == null
                        ? changed.setLeaseEpoch(epoch).clearLeaseHolder()
                        : changed.setLeaseEpoch(epoch).setLeaseHolder(holder));
    }

    private static long wanted(Hello hello) {
        return Integer.toUnsignedLong(hello.getWantedEpoch());
    }

    private static boolean isHolder(LeaseHolder holder, Hello hello) {
        return holder.getClientId().equals(hello.getClientId())
                && holder.getSessionId().equals(hello.getSessionId());
    }

    private static LeaseHolder holder(Hello hello) {
        return LeaseHolder.newBuilder()
                .setClientId(hello.getClientId())
                .setSessionId(hello.getSessionId())
                .setClientName(Names.printable(hello.getClientName()))
                .build();
    }
}
