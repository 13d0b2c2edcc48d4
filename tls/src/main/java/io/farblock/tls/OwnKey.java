package io.farblock.tls;

import java.security.GeneralSecurityException;
import java.security.KeyException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;

/**
 * Whether a key is the one of a certificate. No TLS library looks at that before a handshake, and then it is the handshakes
 * that fail, all of them.
 */
final class OwnKey {
    private static final byte[] PROBE = {1};

    private OwnKey() {}

    /** Signs something with the key, and has the certificate confirm it. */
    static void require(PrivateKey key, X509Certificate certificate) throws GeneralSecurityException {
        String type = certificate.getPublicKey().getAlgorithm();
        Signature signature = Signature.getInstance(
                switch (type) {
                    case "EC" -> "SHA256withECDSA";
                    case "RSA" -> "SHA256withRSA";
                    default -> type;
                });
        // Where there is another provider than the JDK's, Netty has the key read by that one, and types do not fit.
        signature.initSign(KeyFactory.getInstance(type).generatePrivate(new PKCS8EncodedKeySpec(key.getEncoded())));
        signature.update(PROBE);
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(PROBE);
        if (!signature.verify(signed)) {
            throw new KeyException("the key is that of another certificate");
        }
    }
}
