package io.farblock.cli.pki;

import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** What stands in the authority's certificates and lists: EC P-256, signed with SHA-256, version 3 of X.509. */
// The library speaks of time by the old type.
@SuppressWarnings("JavaUtilDate")
final class CertificateMaker {
    private static final String SIGNATURE = "SHA256withECDSA";
    private static final int SERIAL_BITS = 120;
    // A clock that is a little behind shall not refuse what was made a moment ago.
    private static final Duration CLOCK_SLACK = Duration.ofMinutes(10);

    private final SecureRandom random = new SecureRandom();
    private final X500Name issuer;
    private final PrivateKey key;

    CertificateMaker(X500Name issuer, PrivateKey key) {
        this.issuer = issuer;
        this.key = key;
    }

    static KeyPair newKeys() throws PkiException {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new PkiException("this Java makes no EC keys: " + e.getMessage(), e);
        }
    }

    /** The authority's own certificate, which signs nothing but certificates of ends, and lists. */
    X509CertificateHolder authority(PublicKey ofAuthority, Duration validity) throws PkiException {
        try {
            X509v3CertificateBuilder builder = begin(issuer, ofAuthority, validity);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            return builder.build(signer());
        } catch (IOException | GeneralSecurityException e) {
            throw new PkiException("the authority's certificate cannot be made: " + e.getMessage(), e);
        }
    }

    /** The certificate of one end; {@code addresses} are the names under which a server is reached. */
    X509CertificateHolder end(Identity identity, PublicKey ofEnd, List<String> addresses, Duration validity)
            throws PkiException {
        boolean isServer = identity.role() == Role.SERVER;
        try {
            X509v3CertificateBuilder builder = begin(new X500Name("CN=" + identity.name()), ofEnd, validity);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(
                    Extension.extendedKeyUsage,
                    false,
                    new ExtendedKeyUsage(isServer ? KeyPurposeId.id_kp_serverAuth : KeyPurposeId.id_kp_clientAuth));
            builder.addExtension(Extension.subjectAlternativeName, false, names(identity, addresses));
            return builder.build(signer());
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new PkiException("the certificate of " + identity + " cannot be made: " + e.getMessage(), e);
        }
    }

    /** A list with some more that are revoked; {@code before} may be null. */
    X509CRLHolder revoked(X509CRLHolder before, Collection<BigInteger> serials) throws PkiException {
        Date now = Date.from(Instant.now());
        X509v2CRLBuilder builder = new X509v2CRLBuilder(issuer, now);
        if (before != null) {
            builder.addCRL(before);
        }
        serials.forEach(serial -> builder.addCRLEntry(serial, now, 0));
        return builder.build(signer());
    }

    private X509v3CertificateBuilder begin(X500Name subject, PublicKey subjectKey, Duration validity)
            throws IOException, GeneralSecurityException {
        Instant now = Instant.now();
        X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                issuer,
                new BigInteger(SERIAL_BITS, random).add(BigInteger.ONE),
                Date.from(now.minus(CLOCK_SLACK)),
                Date.from(now.plus(validity)),
                subject,
                subjectKey);
        builder.addExtension(
                Extension.subjectKeyIdentifier,
                false,
                new JcaX509ExtensionUtils().createSubjectKeyIdentifier(subjectKey));
        return builder;
    }

    private static GeneralNames names(Identity identity, List<String> addresses) {
        List<GeneralName> names = new ArrayList<>();
        names.add(new GeneralName(GeneralName.uniformResourceIdentifier, identity.uri()));
        for (String address : addresses) {
            names.add(new GeneralName(isNumeric(address) ? GeneralName.iPAddress : GeneralName.dNSName, address));
        }
        return new GeneralNames(names.toArray(GeneralName[]::new));
    }

    private static boolean isNumeric(String address) {
        return address.indexOf(':') >= 0 || address.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    }

    private ContentSigner signer() throws PkiException {
        try {
            return new JcaContentSignerBuilder(SIGNATURE).build(key);
        } catch (OperatorCreationException e) {
            throw new PkiException("the authority's key does not sign: " + e.getMessage(), e);
        }
    }
}
