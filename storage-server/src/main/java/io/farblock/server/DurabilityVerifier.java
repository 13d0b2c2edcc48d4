package io.farblock.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Makes the value that changes whenever acknowledged writes that were not flushed may have been lost: when the host
 * has booted anew, and when a sync of the volume has failed. A server that was merely restarted loses nothing, the
 * page cache is the kernel's; but for volumes with a block map, if it was killed.
 */
final class DurabilityVerifier {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private final String bootId;

    DurabilityVerifier(String bootId) {
        this.bootId = bootId;
    }

    static DurabilityVerifier ofThisBoot() throws StartupException {
        try {
            return new DurabilityVerifier(Files.readString(BOOT_ID).strip());
        } catch (IOException e) {
            throw new StartupException(BOOT_ID + " cannot be read: mount /proc", e);
        }
    }

    /** @param mapLife see {@link FileVolume#mapLife} */
    long of(VolumeRecord record, long mapLife) {
        String text = bootId
                + '/'
                + record.getUuid()
                + '/'
                + record.getGeneration()
                + '/'
                + record.getFailedSyncs()
                + (mapLife == 0 ? "" : "/" + mapLife);
        UUID digest = UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.US_ASCII));
        return digest.getMostSignificantBits() ^ digest.getLeastSignificantBits();
    }
}
