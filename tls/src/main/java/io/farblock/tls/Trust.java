package io.farblock.tls;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Which certificates are believed: those of one authority that are valid now, not revoked, and of the role that the other
 * end has to have. The JDK checks the chain and the host's name; the rest is here. From any thread.
 */
final class Trust extends X509ExtendedTrustManager {
    private static final Set<Role> CLIENTS = EnumSet.of(Role.NODE, Role.ADMIN);
    private static final Set<Role> SERVERS = EnumSet.of(Role.SERVER);

    private final X509ExtendedTrustManager chains;
    private final X509CRL revoked;

    /** @param revoked signed by the authority, or null if it has revoked nothing yet */
    Trust(X509Certificate authority, X509CRL revoked) throws GeneralSecurityException {
        this.revoked = revoked;
        chains = chains(authority);
    }

    /** Whether the authority has taken a certificate back. */
    boolean isRevoked(X509Certificate certificate) {
        return revoked != null && revoked.isRevoked(certificate);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        chains.checkClientTrusted(chain, type, engine);
        check(chain[0], CLIENTS);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        chains.checkServerTrusted(chain, type, engine);
        check(chain[0], SERVERS);
    }

    // Without an engine nobody knows which host was meant, and nothing here connects like that.
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
        throw new CertificateException("only engines are served");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
        throw new CertificateException("only engines are served");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        throw new CertificateException("only engines are served");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        throw new CertificateException("only engines are served");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return chains.getAcceptedIssuers();
    }

    private void check(X509Certificate certificate, Set<Role> roles) throws CertificateException {
        Identity identity = Identity.of(certificate);
        if (!roles.contains(identity.role())) {
            throw new CertificateException("the certificate of " + identity + " is not for this end of a link");
        }
        if (isRevoked(certificate)) {
            throw new CertificateException("the certificate of " + identity + " was revoked");
        }
    }

    private static X509ExtendedTrustManager chains(X509Certificate authority) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setCertificateEntry("authority", authority);
            factory.init(store);
        } catch (java.io.IOException e) {
            throw new IllegalStateException("an empty key store is read from nowhere", e);
        }
        for (TrustManager found : factory.getTrustManagers()) {
            if (found instanceof X509ExtendedTrustManager chains) {
                return chains;
            }
        }
        throw new GeneralSecurityException("this JDK checks no chains");
    }
}
