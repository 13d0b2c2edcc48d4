package io.farblock.csi;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * What a volume or a snapshot is called on the server: as the caller called it, if the server takes that, so that people
 * find it again; otherwise a digest of it.
 */
final class VolumeNames {
    private static final Pattern TAKEN_AS_IT_IS = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}");
    private static final int DIGEST_LENGTH = 40;
    private static final int MAX_LENGTH = 128;
    private static final char SEPARATOR = '@';

    private VolumeNames() {}

    /** The name on the server for a name that a caller chose. */
    static String of(String wanted) {
        if (wanted.length() > MAX_LENGTH) {
            throw Refusal.invalid("a name has at most " + MAX_LENGTH + " characters");
        }
        return TAKEN_AS_IT_IS.matcher(wanted).matches() && !wanted.equals("control") ? wanted : "csi-" + digest(wanted);
    }

    /** The id of a snapshot. */
    static String snapshotId(String volume, String snapshot) {
        return volume + SEPARATOR + snapshot;
    }

    /** The volume in a snapshot's id; empty if it is no such id. */
    static String volumeOf(String snapshotId) {
        return snapshotId.substring(0, Math.max(0, snapshotId.indexOf(SEPARATOR)));
    }

    /** The name of a snapshot in its id. */
    static String nameOf(String snapshotId) {
        return snapshotId.substring(snapshotId.indexOf(SEPARATOR) + 1);
    }

    /** Tells texts apart, in letters and digits. */
    static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash).substring(0, DIGEST_LENGTH);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
