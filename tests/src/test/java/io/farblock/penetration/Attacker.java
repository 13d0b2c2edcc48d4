package io.farblock.penetration;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;

/** Somebody on the network with a connection of their own, who says what they like and believes every server. */
final class Attacker implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 20_000;

    private final Socket socket;

    private Attacker(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(TIMEOUT_MILLIS);
    }

    /** Over plain TCP, from an address of this machine. */
    static Attacker plain(InetSocketAddress server, String from) throws IOException {
        return new Attacker(new Socket(server.getAddress(), server.getPort(), InetAddress.getByName(from), 0));
    }

    /** With a TLS protocol and the certificate in a folder, whatever the server wants; null for none. */
    static Attacker shaking(InetSocketAddress server, String protocol, Path folder) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                folder == null ? null : new KeyManager[] {new Shown(folder)},
                InsecureTrustManagerFactory.INSTANCE.getTrustManagers(),
                null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(server.getAddress(), server.getPort());
        socket.setEnabledProtocols(new String[] {protocol});
        Attacker attacker = new Attacker(socket);
        try {
            socket.startHandshake();
            return attacker;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    Socket socket() {
        return socket;
    }

    /** Says something; whoever does not listen any more is as good as one who has heard it. */
    void say(byte[] bytes) throws IOException {
        try {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        } catch (SocketException e) {
            long unused = awaitEnd();
        }
    }

    /** Reads one byte, or the alert in its place. */
    int listen() throws IOException {
        return socket.getInputStream().read();
    }

    /** Reads until the server ends the connection; returns how much it has said. */
    long awaitEnd() throws IOException {
        long said = 0;
        byte[] bytes = new byte[4096];
        try {
            for (int got = 0; got >= 0; got = socket.getInputStream().read(bytes)) {
                said += got;
            }
        } catch (SocketException e) {
            // It was reset, which is an end too.
            return said;
        }
        return said;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /** One certificate, shown to everybody. */
    private static final class Shown extends X509ExtendedKeyManager {
        private static final String ALIAS = "shown";

        private final X509Certificate certificate;
        private final PrivateKey key;

        Shown(Path folder) throws IOException, GeneralSecurityException {
            certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(folder.resolve("tls.crt"))));
            String pem = Files.readString(folder.resolve("tls.key")).replaceAll("-----[A-Z ]+-----|\\s", "");
            key = KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
        }

        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return ALIAS;
        }

        @Override
        public String chooseEngineClientAlias(String[] types, Principal[] issuers, SSLEngine engine) {
            return ALIAS;
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[0];
        }

        @Override
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return new X509Certificate[] {certificate};
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return key;
        }
    }
}
