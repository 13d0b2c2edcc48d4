package io.farblock.server;

import io.farblock.wire.FrameLayout;
import io.farblock.wire.proto.Encryption;
import io.farblock.wire.proto.Hello;

/** How clients encrypt a volume, as the record, the data protocol and the admin API say it. The server takes no part. */
final class EncryptionForms {
    // That of the only cipher: 16 bytes and an HMAC-SHA-256.
    private static final int CHECK_BYTES = 48;
    private static final int MAX_CIPHER_CHARS = 32;

    private EncryptionForms() {}

    /** What the catalogue keeps of what somebody wants. */
    static EncryptionRecord record(io.farblock.api.admin.Encryption wanted) {
        return EncryptionRecord.newBuilder()
                .setCipher(wanted.getCipher())
                .setKey(wanted.getKey())
                .setCheck(wanted.getCheck())
                .build();
    }

    /** What the admin API says of a volume that is encrypted. */
    static io.farblock.api.admin.Encryption message(EncryptionRecord record) {
        return io.farblock.api.admin.Encryption.newBuilder()
                .setCipher(record.getCipher())
                .setKey(record.getKey())
                .setCheck(record.getCheck())
                .build();
    }

    /** What a client is told, or null for a volume that is not encrypted. */
    static Encryption ofWire(VolumeRecord record) {
        if (!record.hasEncryption()) {
            return null;
        }
        return Encryption.newBuilder()
                .setCipher(record.getEncryption().getCipher())
                .setKey(record.getEncryption().getKey())
                .setCheck(record.getEncryption().getCheck())
                .build();
    }

    /** Why a client may not open a volume, in one line; or null. One that cannot decrypt would destroy it. */
    static String refusal(VolumeRecord record, Hello hello) {
        boolean mayDecrypt = (hello.getFeatures() & FrameLayout.FEATURE_ENCRYPTION) != 0;
        if (!record.hasEncryption() || mayDecrypt) {
            return null;
        }
        return "volume " + record.getName() + " is encrypted, and this client cannot decrypt: use the node daemon, or"
                + " farblock volume export and import, of a version that can";
    }

    /** Why nothing can be encrypted like that, or null. */
    static String invalid(VolumeRecord wanted) {
        EncryptionRecord encryption = wanted.getEncryption();
        if (!wanted.hasEncryption()) {
            return null;
        }
        if (encryption.getCipher().isEmpty() || encryption.getCipher().length() > MAX_CIPHER_CHARS) {
            return "a cipher's name has 1 to " + MAX_CIPHER_CHARS + " characters";
        }
        if (!Names.isValid(encryption.getKey())) {
            return "the key's name \"" + Names.printable(encryption.getKey())
                    + "\" is not 1 to 64 of A-Z a-z 0-9 _ . - with no dot in front";
        }
        return encryption.getCheck().size() == CHECK_BYTES ? null : "the check of a key has " + CHECK_BYTES + " bytes";
    }
}
