package io.farblock.server;

import io.farblock.api.admin.Limits;
import io.farblock.block.IoLimits;

/** The limits of a volume as its record keeps them and as operators give them. */
final class VolumeLimits {
    /** What an operator gets who sets limits and says nothing of bursts: no application notices so short a pause. */
    static final long DEFAULT_BURST_MILLIS = 100;

    // How far a client may go beyond the limits before the server holds it back. One that obeys gets there only by
    // sending
    // again what it had sent over a connection that was lost.
    private static final int SLACK_DIVISOR = 4;
    private static final long SLACK_MILLIS = 1_000;

    private VolumeLimits() {}

    static IoLimits of(VolumeRecord record) {
        LimitsRecord limits = record.getLimits();
        return new IoLimits(
                limits.getReadsPerSecond(),
                limits.getWritesPerSecond(),
                limits.getReadBytesPerSecond(),
                limits.getWriteBytesPerSecond(),
                limits.getBurstMillis());
    }

    /** The limits with those changed that the operator has given. */
    static IoLimits changed(IoLimits before, Limits wanted) throws VolumeException {
        try {
            return new IoLimits(
                    wanted.hasReadsPerSecond() ? wanted.getReadsPerSecond() : before.readsPerSecond(),
                    wanted.hasWritesPerSecond() ? wanted.getWritesPerSecond() : before.writesPerSecond(),
                    wanted.hasReadBytesPerSecond() ? wanted.getReadBytesPerSecond() : before.readBytesPerSecond(),
                    wanted.hasWriteBytesPerSecond() ? wanted.getWriteBytesPerSecond() : before.writeBytesPerSecond(),
                    burstMillis(before, wanted));
        } catch (IllegalArgumentException e) {
            throw new VolumeException(VolumeException.Kind.INVALID, e.getMessage(), e);
        }
    }

    private static long burstMillis(IoLimits before, Limits wanted) {
        long kept = before.isNone() ? DEFAULT_BURST_MILLIS : before.burstMillis();
        return wanted.hasBurstMillis() ? wanted.getBurstMillis() : kept;
    }

    static VolumeRecord.Builder with(VolumeRecord.Builder record, IoLimits limits) {
        return limits.isNone()
                ? record.clearLimits()
                : record.setLimits(LimitsRecord.newBuilder()
                        .setReadsPerSecond(limits.readsPerSecond())
                        .setWritesPerSecond(limits.writesPerSecond())
                        .setReadBytesPerSecond(limits.readBytesPerSecond())
                        .setWriteBytesPerSecond(limits.writeBytesPerSecond())
                        .setBurstMillis(limits.burstMillis()));
    }

    static Limits message(IoLimits limits) {
        return Limits.newBuilder()
                .setReadsPerSecond(limits.readsPerSecond())
                .setWritesPerSecond(limits.writesPerSecond())
                .setReadBytesPerSecond(limits.readBytesPerSecond())
                .setWriteBytesPerSecond(limits.writeBytesPerSecond())
                .setBurstMillis(limits.burstMillis())
                .build();
    }

    /** What the server itself holds clients to. */
    static IoLimits withSlack(IoLimits limits) {
        return new IoLimits(
                more(limits.readsPerSecond()),
                more(limits.writesPerSecond()),
                more(limits.readBytesPerSecond()),
                more(limits.writeBytesPerSecond()),
                Math.min(IoLimits.MAX_BURST_MILLIS, 2 * limits.burstMillis() + SLACK_MILLIS));
    }

    private static long more(long perSecond) {
        return perSecond == 0 || perSecond > Long.MAX_VALUE / 2 ? perSecond : perSecond + perSecond / SLACK_DIVISOR + 1;
    }
}
