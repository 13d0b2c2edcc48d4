package io.farblock.client;

import java.net.InetSocketAddress;
import java.util.Locale;

/** Why there is no encrypted connection, as a line for an operator. */
final class TlsFailure {
    private TlsFailure() {}

    static String inWords(InetSocketAddress address, Throwable cause) {
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String server = address.getHostString() + ":" + address.getPort();
        String said = String.valueOf(root.getMessage());
        // An alert is what the other end says; anything else is what this end found.
        return said.toLowerCase(Locale.ROOT).contains("alert")
                ? "the server at " + server + " does not accept this end's certificate (" + said + ")"
                : "no secure link with the server at " + server + ": " + said;
    }
}
