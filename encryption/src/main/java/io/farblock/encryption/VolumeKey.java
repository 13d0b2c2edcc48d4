package io.farblock.encryption;

import com.google.protobuf.ByteString;
import io.farblock.wire.proto.Encryption;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key of one or more volumes: two keys of AES-256, as XTS takes them. Immutable.
 *
 * <p>What the server keeps of it is a check value: 16 random bytes and the HMAC-SHA-256 of them under the key, from which
 * the key, being random, cannot be had. A node finds out by it that it has another key, before it reads or writes anything.
 */
public final class VolumeKey {
    /** Two keys of 256 bits. */
    public static final int LENGTH_BYTES = 64;

    /** What an {@link Encryption} calls the only cipher that there is. */
    public static final String CIPHER = "aes-256-xts";

    private static final int SALT_BYTES = 16;

    private final String name;
    private final byte[] bytes;

    private VolumeKey(String name, byte[] bytes) {
        this.name = name;
        this.bytes = bytes;
    }

    /**
     * A key as a file or a command has it: 64 random bytes, or the same as one line of Base64.
     *
     * @param name what people call it
     * @throws KeyException if it is nothing of the kind
     */
    static VolumeKey of(String name, byte[] content) throws KeyException {
        byte[] bytes = content.length == LENGTH_BYTES ? content.clone() : decoded(content);
        int half = LENGTH_BYTES / 2;
        if (bytes.length != LENGTH_BYTES) {
            throw new KeyException(
                    "the key '" + name + "' is not " + LENGTH_BYTES + " random bytes, nor a line of Base64 of"
                            + " such: head -c " + LENGTH_BYTES + " /dev/urandom makes one");
        }
        // XTS with the same key twice gives away relations between blocks.
        if (Arrays.equals(bytes, 0, half, bytes, half, LENGTH_BYTES)) {
            throw new KeyException("the key '" + name + "' is the same 32 bytes twice, which are not random");
        }
        return new VolumeKey(name, bytes);
    }

    private static byte[] decoded(byte[] content) {
        try {
            return Base64.getDecoder().decode(new String(content, StandardCharsets.ISO_8859_1).strip());
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    /** What a new volume says of its encryption with this key. */
    public Encryption describe() {
        byte[] salt = new byte[SALT_BYTES];
        new SecureRandom().nextBytes(salt);
        return Encryption.newBuilder()
                .setCipher(CIPHER)
                .setKey(name)
                .setCheck(ByteString.copyFrom(salt).concat(ByteString.copyFrom(authenticate(salt))))
                .build();
    }

    /**
     * Whether it is the one that a volume is encrypted with.
     *
     * @throws KeyException if it is not, or the volume is encrypted in a way that this version does not know
     */
    void requireFits(Encryption encryption) throws KeyException {
        if (!encryption.getCipher().equals(CIPHER)) {
            throw new KeyException("the volume is encrypted with a cipher that this version does not know");
        }
        ByteString check = encryption.getCheck();
        if (check.size() < SALT_BYTES
                || !MessageDigest.isEqual(
                        authenticate(check.substring(0, SALT_BYTES).toByteArray()),
                        check.substring(SALT_BYTES).toByteArray())) {
            throw new KeyException(
                    "the key '" + name + "' that is here is not the one that the volume is encrypted with");
        }
    }

    private byte[] authenticate(byte[] salt) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(bytes, "HmacSHA256"));
            return mac.doFinal(salt);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HMAC-SHA-256", e);
        }
    }

    /** A copy; for whoever wipes it after use. */
    byte[] bytes() {
        return bytes.clone();
    }
}
