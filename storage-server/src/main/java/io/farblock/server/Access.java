package io.farblock.server;

import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.util.List;
import java.util.UUID;

/**
 * Who may do what with a volume, by its record: an administrator everything, an owner everything with its own volumes, a
 * reader nothing but read. A node to which a volume is published may open it, and be shown it. Stateless.
 */
final class Access {
    // A node is published as its name, a dot and its daemon's id.
    private static final int ID_CHARS = 1 + new UUID(0, 0).toString().length();

    private Access() {}

    static boolean isAdmin(Identity who) {
        return who.role() == Role.ADMIN;
    }

    static boolean mayOwn(Identity who, VolumeRecord record) {
        return isAdmin(who) || record.getOwnersList().contains(who.name());
    }

    static boolean mayRead(Identity who, VolumeRecord record) {
        return mayOwn(who, record) || record.getReadersList().contains(who.name());
    }

    static boolean mayShow(Identity who, VolumeRecord record) {
        return mayRead(who, record)
                || record.getPublicationsList().stream().anyMatch(publication -> isOf(who, publication.getNode()));
    }

    /** Why somebody is not let in. */
    record Denial(RefusalCode code, String reason) {}

    /** Why a volume is not opened for somebody as it is, before it is asked who else has it; or null. */
    static Denial denial(Identity who, VolumeRecord record, Hello hello) {
        String reason = refusal(who, record, hello);
        if (reason != null) {
            return new Denial(Publications.codeOf(hello, record), reason);
        }
        reason = EncryptionForms.refusal(record, hello);
        return reason == null ? null : new Denial(RefusalCode.REFUSAL_CODE_VERSION, reason);
    }

    /** Why somebody may not open a volume, in one line; or null. */
    static String refusal(Identity who, VolumeRecord record, Hello hello) {
        boolean readOnly = hello.getReadOnly();
        boolean isPublished = !hello.getTakeOver() && isPublished(who, record, hello);
        if (isPublished || (readOnly ? mayRead(who, record) : mayOwn(who, record))) {
            return null;
        }
        String what = readOnly ? "read" : hello.getTakeOver() ? "take over" : "write";
        return who + " may not " + what + " volume " + record.getName()
                + ": an administrator can allow it with farblock volume set";
    }

    /**
     * Whether somebody who has a volume open may not any more now that publications have ended. By the number that was
     * named, and by whose they were: who may open a volume because it is published need not say so.
     */
    static boolean hasEnded(Identity who, Hello hello, List<PublicationRecord> ended, VolumeRecord left) {
        for (PublicationRecord publication : ended) {
            boolean isNamed = publication.getNumber() == hello.getPublication();
            if (isNamed || (isOf(who, publication.getNode()) && refusal(who, left, hello) != null)) {
                return true;
            }
        }
        return false;
    }

    // Who names a publication names its own: that of somebody else may go on for longer.
    private static boolean isPublished(Identity who, VolumeRecord record, Hello hello) {
        for (PublicationRecord publication : record.getPublicationsList()) {
            boolean isMeant = hello.getPublication() == 0 || hello.getPublication() == publication.getNumber();
            if (isMeant && isOf(who, publication.getNode()) && (hello.getReadOnly() || !publication.getReadOnly())) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOf(Identity who, String node) {
        boolean hasId = node.length() == who.name().length() + ID_CHARS && node.startsWith(who.name() + ".");
        return hasId || node.equals(who.name());
    }
}
