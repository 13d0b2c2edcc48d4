package io.farblock.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Arrays;

/**
 * What was in a folder of credentials when it was looked at. The files have the names that Kubernetes gives them.
 *
 * <p>Contents and not times are compared: a file may be replaced twice in one tick of a file system's clock.
 */
final class CredentialFiles {
    static final String CERTIFICATE = "tls.crt";
    static final String KEY = "tls.key";
    static final String AUTHORITY = "ca.crt";
    static final String REVOKED = "crl.pem";

    // A certificate has 1 KB; a list of revoked ones some 40 bytes for each.
    private static final int MAX_BYTES = 1 << 20;

    private final Path folder;
    private final byte[] certificate;
    private final byte[] key;
    private final byte[] authority;
    private final byte[] revoked;

    private CredentialFiles(Path folder) throws CredentialsException {
        this.folder = folder;
        certificate = content(CERTIFICATE);
        key = content(KEY);
        authority = content(AUTHORITY);
        revoked = Files.exists(folder.resolve(REVOKED)) ? content(REVOKED) : null;
    }

    static CredentialFiles read(Path folder) throws CredentialsException {
        return new CredentialFiles(folder);
    }

    boolean isSameAs(CredentialFiles other) {
        return Arrays.equals(certificate, other.certificate)
                && Arrays.equals(key, other.key)
                && Arrays.equals(authority, other.authority)
                && Arrays.equals(revoked, other.revoked);
    }

    InputStream certificateStream() {
        return new ByteArrayInputStream(certificate);
    }

    InputStream keyStream() {
        return new ByteArrayInputStream(key);
    }

    X509Certificate certificate() throws CredentialsException {
        return parse(CERTIFICATE, certificate);
    }

    X509Certificate authority() throws CredentialsException {
        return parse(AUTHORITY, authority);
    }

    /** What the authority has revoked, or null if there is no such file. */
    X509CRL revoked() throws CredentialsException {
        if (revoked == null) {
            return null;
        }
        try {
            X509CRL list = (X509CRL) x509().generateCRL(new ByteArrayInputStream(revoked));
            // Whoever could write this file, but has not the authority's key, could let the revoked in again.
            list.verify(authority().getPublicKey());
            return list;
        } catch (GeneralSecurityException e) {
            throw unusable(REVOKED, e);
        }
    }

    boolean hasRevoked() {
        return revoked != null;
    }

    CredentialsException unusable(String name, Exception cause) {
        return new CredentialsException(
                folder.resolve(name) + " cannot be used (" + cause.getMessage() + "): make it again with farblock pki",
                cause);
    }

    private X509Certificate parse(String name, byte[] bytes) throws CredentialsException {
        try {
            return (X509Certificate) x509().generateCertificate(new ByteArrayInputStream(bytes));
        } catch (GeneralSecurityException e) {
            throw unusable(name, e);
        }
    }

    private static CertificateFactory x509() throws GeneralSecurityException {
        return CertificateFactory.getInstance("X.509");
    }

    private byte[] content(String name) throws CredentialsException {
        Path file = folder.resolve(name);
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new CredentialsException(file + " is too long for what it should be: see farblock pki --help");
            }
            return bytes;
        } catch (NoSuchFileException e) {
            throw new CredentialsException(
                    "there is no " + file + ": make the folder with farblock pki issue, or copy it here", e);
        } catch (AccessDeniedException e) {
            String user = System.getProperty("user.name");
            throw new CredentialsException(
                    file + " is not readable for " + user + ": run chown -R " + user + " " + folder, e);
        } catch (IOException e) {
            throw new CredentialsException(file + " cannot be read: " + e, e);
        }
    }
}
