package io.farblock.node;

import io.farblock.api.admin.Encryption;
import io.farblock.api.admin.Volume;

/**
 * The keys that volumes can be encrypted with, as far as it takes to make such a volume: who uses it has the key again. From
 * any thread.
 */
@FunctionalInterface
public interface VolumeKeys {
    /** Where there are none. */
    VolumeKeys NONE = key -> {
        throw new NodeException(NodeException.Kind.INVALID, "there are no keys here, so not '" + key + "' either");
    };

    /**
     * How a new volume is described that is encrypted with the key of this name; as long as it takes to ask for the key.
     *
     * @throws NodeException with INVALID, if the key is not here or is none
     */
    Encryption describe(String key) throws NodeException;

    /**
     * Whether a volume is encrypted as somebody asks for.
     *
     * @param key its name; empty if any volume will do
     */
    static boolean fits(Volume volume, String key) {
        return key.isEmpty() || volume.getEncryption().getKey().equals(key);
    }

    /** What a volume is, for the sentence that says why it does not {@link #fits fit}. */
    static String inWords(Volume volume) {
        return volume.hasEncryption()
                ? "is encrypted with the key '" + volume.getEncryption().getKey() + "'"
                : "is not encrypted";
    }
}
