package io.farblock.cli.pki;

import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/**
 * A private authority in a folder:
 *
 * <pre>
 * ca.crt ca.key    its own certificate and key
 * crl.pem          what it has revoked
 * issued/          every certificate that it has made
 * ROLE-NAME/       what one end needs: tls.crt, tls.key, ca.crt and crl.pem; to be copied to where it is
 * </pre>
 *
 * <p>One process at a time. The key should be nowhere else, and the folder not on a machine that serves.
 */
public final class Authority {
    // Nobody is asked to make everything anew within the life of a machine; what is stolen can be revoked.
    private static final Duration AUTHORITY_VALIDITY = Duration.ofDays(3650);

    /** For how long a certificate is good if nobody says otherwise. */
    public static final Duration VALIDITY = Duration.ofDays(365);

    private static final String CERTIFICATE = "tls.crt";
    private static final String KEY = "tls.key";
    private static final String AUTHORITY_CERTIFICATE = "ca.crt";
    private static final String AUTHORITY_KEY = "ca.key";
    private static final String REVOKED = "crl.pem";
    private static final String ISSUED = "issued";

    private final Path folder;
    private final X509CertificateHolder certificate;
    private final CertificateMaker maker;
    private final Issued issued;

    private Authority(Path folder) throws IOException {
        this.folder = folder;
        issued = new Issued(folder.resolve(ISSUED));
        certificate = Pem.read(folder.resolve(AUTHORITY_CERTIFICATE), X509CertificateHolder.class);
        PrivateKeyInfo key = Pem.read(folder.resolve(AUTHORITY_KEY), PrivateKeyInfo.class);
        maker = new CertificateMaker(certificate.getSubject(), new JcaPEMKeyConverter().getPrivateKey(key));
    }

    /** Makes an authority in a folder that has none. */
    public static Authority create(Path folder) throws PkiException {
        try {
            if (Files.exists(folder.resolve(AUTHORITY_CERTIFICATE)) || Files.exists(folder.resolve(AUTHORITY_KEY))) {
                throw new PkiException("there is an authority in " + folder
                        + " already: choose another folder, or go on with farblock pki issue");
            }
            Files.createDirectories(folder);
            KeyPair keys = CertificateMaker.newKeys();
            X500Name name = new X500Name("CN=farblock authority");
            CertificateMaker maker = new CertificateMaker(name, keys.getPrivate());
            Pem.writeKey(folder.resolve(AUTHORITY_KEY), keys.getPrivate().getEncoded());
            Pem.write(folder.resolve(REVOKED), maker.revoked(null, List.of()));
            Pem.write(folder.resolve(AUTHORITY_CERTIFICATE), maker.authority(keys.getPublic(), AUTHORITY_VALIDITY));
            return new Authority(folder);
        } catch (IOException e) {
            throw new PkiException("no authority can be made in " + folder + ": " + e, e);
        }
    }

    /** The authority that is in a folder. */
    public static Authority open(Path folder) throws PkiException {
        try {
            return new Authority(folder);
        } catch (NoSuchFileException e) {
            throw new PkiException(
                    "there is no authority in " + folder + ": make one with farblock pki init, or name its folder"
                            + " with --pki",
                    e);
        } catch (IOException e) {
            throw new PkiException("the authority in " + folder + " cannot be used: " + e, e);
        }
    }

    /** Where the authority keeps what an end needs. */
    public Path folderOf(Identity identity) {
        return folder.resolve(identity.role().word() + "-" + identity.name());
    }

    /**
     * Makes a key and a certificate for an end that has none.
     *
     * @param addresses under which a server is reached; none for others
     * @return the folder with what it needs
     */
    public Path issue(Identity identity, List<String> addresses, Duration validity) throws PkiException {
        Path end = folderOf(identity);
        if (Files.exists(end.resolve(CERTIFICATE))) {
            throw new PkiException(identity + " has a certificate in " + end
                    + " already: renew it with farblock pki renew, or revoke it first");
        }
        return make(identity, addresses, validity);
    }

    /** The same identity and addresses with a new key, in place of what is in its folder. */
    public Path renew(Identity identity, Duration validity) throws PkiException {
        X509Certificate old = certificate(identity);
        return make(identity, addresses(identity, old), validity);
    }

    /** Takes back all certificates that an end was ever given, and its files out of the folder. */
    public void revoke(Identity identity) throws PkiException {
        try {
            X509CRLHolder before = Pem.read(folder.resolve(REVOKED), X509CRLHolder.class);
            Set<BigInteger> serials = issued.serials(identity);
            Path last = folderOf(identity).resolve(CERTIFICATE);
            if (Files.exists(last)) {
                // Of an authority that did not note yet what it made.
                serials.add(certificate(identity).getSerialNumber());
            }
            serials.removeIf(serial -> before.getRevokedCertificate(serial) != null);
            if (serials.isEmpty() && !Files.exists(last)) {
                throw new PkiException(identity + " has no certificate here that is not revoked");
            }
            Pem.write(folder.resolve(REVOKED), maker.revoked(before, serials));
            Files.deleteIfExists(last);
            Files.deleteIfExists(folderOf(identity).resolve(KEY));
            spreadRevoked();
        } catch (IOException e) {
            throw new PkiException(identity + " cannot be revoked: " + e, e);
        }
    }

    private Path make(Identity identity, List<String> addresses, Duration validity) throws PkiException {
        KeyPair keys = CertificateMaker.newKeys();
        Path end = folderOf(identity);
        X509CertificateHolder made = maker.end(identity, keys.getPublic(), addresses, validity);
        try {
            issued.add(identity, made);
            Files.createDirectories(end);
            Pem.write(end.resolve(AUTHORITY_CERTIFICATE), certificate);
            copyRevoked(end);
            Pem.writeKey(end.resolve(KEY), keys.getPrivate().getEncoded());
            Pem.write(end.resolve(CERTIFICATE), made);
            return end;
        } catch (IOException e) {
            throw new PkiException("what " + identity + " needs cannot be written: " + e, e);
        }
    }

    private X509Certificate certificate(Identity identity) throws PkiException {
        Path file = folderOf(identity).resolve(CERTIFICATE);
        try {
            return new JcaX509CertificateConverter().getCertificate(Pem.read(file, X509CertificateHolder.class));
        } catch (NoSuchFileException e) {
            throw new PkiException(identity + " has no certificate here: there is no " + file, e);
        } catch (IOException | GeneralSecurityException e) {
            throw new PkiException(file + " cannot be used: " + e, e);
        }
    }

    private static List<String> addresses(Identity identity, X509Certificate old) throws PkiException {
        List<String> addresses = new ArrayList<>();
        try {
            for (List<?> name : old.getSubjectAlternativeNames()) {
                String text = String.valueOf(name.get(1));
                if (identity.role() == Role.SERVER
                        && !text.toLowerCase(Locale.ROOT).startsWith("farblock:")) {
                    addresses.add(text);
                }
            }
            return addresses;
        } catch (GeneralSecurityException e) {
            throw new PkiException("the old certificate of " + identity + " cannot be read: " + e, e);
        }
    }

    /** Those ends that read their folder where it was made have the list at once; the others get it by copying. */
    private void spreadRevoked() throws IOException {
        try (DirectoryStream<Path> ends = Files.newDirectoryStream(folder, Files::isDirectory)) {
            for (Path end : ends) {
                if (Files.exists(end.resolve(CERTIFICATE))) {
                    copyRevoked(end);
                }
            }
        }
    }

    private void copyRevoked(Path end) throws IOException {
        Pem.write(end.resolve(REVOKED), Pem.read(folder.resolve(REVOKED), X509CRLHolder.class));
    }
}
