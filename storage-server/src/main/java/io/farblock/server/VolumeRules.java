package io.farblock.server;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a volume may be like. */
final class VolumeRules {
    static final long MAX_SIZE_BYTES = 64L << 40;
    static final int MAX_LABEL_BYTES = 4096;
    static final int DEFAULT_BLOCK_SIZE_BYTES = 4096;

    private VolumeRules() {}

    static void check(VolumeRecord wanted) throws VolumeException {
        checkLabels(wanted.getLabelsMap());
        String reason = null;
        if (!Names.isValid(wanted.getName())) {
            reason = "name \"" + Names.printable(wanted.getName())
                    + "\" is not 1 to 64 of A-Z a-z 0-9 _ . - with no dot in front";
        } else if (wanted.getBlockSizeBytes() != 512 && wanted.getBlockSizeBytes() != 4096) {
            reason = "block size " + Integer.toUnsignedString(wanted.getBlockSizeBytes()) + " is neither 512 nor 4096";
        } else {
            reason = EncryptionForms.invalid(wanted);
        }
        if (reason != null) {
            throw new VolumeException(VolumeException.Kind.INVALID, reason);
        }
        checkSize(wanted.getSizeBytes(), wanted.getBlockSizeBytes());
    }

    /** Refuses a size that no volume has. */
    static void checkSize(long sizeBytes, int blockSizeBytes) throws VolumeException {
        if (sizeBytes <= 0 || sizeBytes > MAX_SIZE_BYTES) {
            throw new VolumeException(
                    VolumeException.Kind.INVALID,
                    "size " + Long.toUnsignedString(sizeBytes) + " is not between 1 block and 64 TiB (" + MAX_SIZE_BYTES
                            + " bytes)");
        }
        if (sizeBytes % blockSizeBytes != 0) {
            throw new VolumeException(
                    VolumeException.Kind.INVALID,
                    "size " + sizeBytes + " is not a multiple of the block size " + blockSizeBytes);
        }
    }

    /** What programs note about a volume or a snapshot; it stands in the record, which is written as a whole. */
    static void checkLabels(Map<String, String> labels) throws VolumeException {
        long bytes = 0;
        for (Map.Entry<String, String> label : labels.entrySet()) {
            if (label.getKey().isEmpty()) {
                throw new VolumeException(VolumeException.Kind.INVALID, "a label needs a name");
            }
            bytes += label.getKey().getBytes(StandardCharsets.UTF_8).length
                    + label.getValue().getBytes(StandardCharsets.UTF_8).length;
        }
        if (bytes > MAX_LABEL_BYTES) {
            throw new VolumeException(
                    VolumeException.Kind.INVALID, "labels of " + bytes + " bytes; at most " + MAX_LABEL_BYTES);
        }
    }
}
