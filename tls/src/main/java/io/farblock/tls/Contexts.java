package io.farblock.tls;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLException;

/**
 * One reading of a folder, ready for handshakes: for data and for gRPC, which has to be agreed on by ALPN, at both ends.
 * Immutable; old ones go on for the connections that were made with them.
 */
record Contexts(
        CredentialFiles files,
        Identity identity,
        Expiry expiry,
        Trust trust,
        SslContext dataServer,
        SslContext dataClient,
        SslContext callServer,
        SslContext callClient) {
    private static final String PROTOCOL = "TLSv1.3";
    private static final ApplicationProtocolConfig CALLS = new ApplicationProtocolConfig(
            Protocol.ALPN,
            SelectorFailureBehavior.NO_ADVERTISE,
            SelectedListenerFailureBehavior.ACCEPT,
            ApplicationProtocolNames.HTTP_2);

    /** Checks what was read, and makes the contexts. */
    static Contexts of(CredentialFiles files) throws CredentialsException {
        X509Certificate certificate = files.certificate();
        try {
            certificate.checkValidity();
            certificate.verify(files.authority().getPublicKey());
            OwnKey.require(CurrentContext.privateKey(files.keyStream()), certificate);
            Identity identity = Identity.of(certificate);
            Trust trust = new Trust(files.authority(), files.revoked());
            return new Contexts(
                    files,
                    identity,
                    new Expiry(identity, certificate, files.authority()),
                    trust,
                    server(files, trust, ApplicationProtocolConfig.DISABLED),
                    client(files, trust, ApplicationProtocolConfig.DISABLED),
                    server(files, trust, CALLS),
                    client(files, trust, CALLS));
        } catch (GeneralSecurityException | IOException | IllegalArgumentException e) {
            throw files.unusable(CredentialFiles.CERTIFICATE + " with " + CredentialFiles.KEY, e);
        }
    }

    private static SslContext server(CredentialFiles files, Trust trust, ApplicationProtocolConfig protocols)
            throws SSLException {
        return SslContextBuilder.forServer(files.certificateStream(), files.keyStream())
                .sslProvider(provider())
                .protocols(PROTOCOL)
                .clientAuth(ClientAuth.REQUIRE)
                .trustManager(trust)
                .applicationProtocolConfig(protocols)
                .build();
    }

    private static SslContext client(CredentialFiles files, Trust trust, ApplicationProtocolConfig protocols)
            throws SSLException {
        return SslContextBuilder.forClient()
                .keyManager(files.certificateStream(), files.keyStream())
                .sslProvider(provider())
                .protocols(PROTOCOL)
                .trustManager(trust)
                .applicationProtocolConfig(protocols)
                .build();
    }

    // BoringSSL takes a third of the processor time that the JDK's engine does; it is not there on every machine.
    private static SslProvider provider() {
        return OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK;
    }
}
