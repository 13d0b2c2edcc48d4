package io.farblock.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * How the links of one process are secured: not at all, which is for loopback addresses only unless somebody insists, or by
 * TLS 1.3 with certificates of both ends. From any thread.
 */
public final class LinkSecurity implements AutoCloseable {
    /** Plain links, within this machine only. */
    public static final LinkSecurity LOOPBACK_ONLY = new LinkSecurity(false, null);

    /** Plain links to anywhere: whoever is on the network can read and change everything. */
    public static final LinkSecurity INSECURE = new LinkSecurity(true, null);

    // A handshake takes two round trips; who takes longer only keeps a place.
    private static final int HANDSHAKE_TIMEOUT_MILLIS = 5_000;

    private final boolean plainAnywhere;
    private final Credentials credentials;

    private LinkSecurity(boolean plainAnywhere, Credentials credentials) {
        this.plainAnywhere = plainAnywhere;
        this.credentials = credentials;
    }

    /**
     * TLS with the credentials in a folder, which are read again whenever they change.
     *
     * @throws CredentialsException if they cannot be used
     */
    public static LinkSecurity mutual(Path folder) throws CredentialsException {
        return new LinkSecurity(false, new Credentials(folder));
    }

    /** Whether links are encrypted, and the other end is known. */
    public boolean isEncrypted() {
        return credentials != null;
    }

    /** Who this end is; asked of encrypted links only. */
    public Identity identity() {
        return credentials.current().identity();
    }

    /** Which certificate of this end has to be renewed soon, in one line that says how; or null. Of encrypted links only. */
    public String warning() {
        return credentials.current().expiry().warning(Instant.now());
    }

    /** Why there can be no link with this address, in one line that says how to mend it; or null. */
    public String refusal(InetSocketAddress address) {
        boolean isLoopback =
                address.getAddress() != null && address.getAddress().isLoopbackAddress();
        if (isEncrypted() || plainAnywhere || isLoopback) {
            return null;
        }
        return address.getHostString() + ":" + address.getPort()
                + " is not within this machine, and a plain link could be read and changed on its way:"
                + " add --tls FOLDER with what farblock pki makes, or --insecure";
    }

    /** What goes first into the pipeline of a connection that was accepted. */
    public SslHandler serverHandler(ByteBufAllocator allocator) {
        return limited(credentials.current().dataServer().newHandler(allocator));
    }

    /** What goes first into the pipeline of a connection to a server; its name must be in the server's certificate. */
    public SslHandler clientHandler(ByteBufAllocator allocator, InetSocketAddress server) {
        return limited(
                credentials.current().dataClient().newHandler(allocator, server.getHostString(), server.getPort()));
    }

    /** For a gRPC server: null if links are plain. */
    public SslContext callServer() {
        return isEncrypted() ? new CurrentContext(() -> credentials.current().callServer()) : null;
    }

    /** For a gRPC channel: null if links are plain. */
    public SslContext callClient() {
        return isEncrypted() ? new CurrentContext(() -> credentials.current().callClient()) : null;
    }

    /** The certificate of the other end, after a handshake. */
    public static X509Certificate certificate(SSLSession session) {
        try {
            return (X509Certificate) session.getPeerCertificates()[0];
        } catch (SSLPeerUnverifiedException e) {
            throw new IllegalStateException("a handshake that asked for no certificate", e);
        }
    }

    /** Whose it is, as long as it was not revoked and has not expired; null afterwards. It was believed at a handshake. */
    public Identity identity(X509Certificate certificate) {
        try {
            certificate.checkValidity();
            return credentials.current().trust().isRevoked(certificate) ? null : Identity.of(certificate);
        } catch (CertificateExpiredException e) {
            return null;
        } catch (CertificateException e) {
            throw new IllegalStateException("a certificate that was believed names nobody", e);
        }
    }

    /** Reads changed credentials now and not within a second. */
    public void refresh() {
        credentials.refresh();
    }

    /** Stops to look for changed credentials. */
    @Override
    public void close() {
        if (isEncrypted()) {
            credentials.close();
        }
    }

    private static SslHandler limited(SslHandler handler) {
        handler.setHandshakeTimeoutMillis(HANDSHAKE_TIMEOUT_MILLIS);
        return handler;
    }
}
