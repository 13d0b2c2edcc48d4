package io.farblock.server;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;

/** Addresses as people read and mend them. */
final class Addresses {
    private Addresses() {}

    /** host:port, with an IPv6 host in brackets. */
    static String text(InetSocketAddress address) {
        String host = address.isUnresolved()
                ? address.getHostString()
                : address.getAddress().getHostAddress();
        return (host.indexOf(':') >= 0 ? '[' + host + ']' : host) + ':' + address.getPort();
    }

    /** Why a port cannot be served, and what to do. {@code which} is "data" or "admin". */
    static StartupException cannotListen(String which, InetSocketAddress address, IOException cause) {
        String where = which + " port " + text(address);
        if (isTaken(cause)) {
            return new StartupException(
                    where + " is taken: see who has it with ss -ltnp 'sport = :" + address.getPort()
                            + "', or choose another port",
                    cause);
        }
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return new StartupException(
                where + " cannot be served (" + root.getMessage() + "): choose an address of this machine", cause);
    }

    // Netty's epoll transport and the JDK report it with one type and many texts.
    private static boolean isTaken(Throwable cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            String message = String.valueOf(at.getMessage());
            if ((at instanceof BindException || at instanceof IOException)
                    && message.contains("Address already in use")) {
                return true;
            }
        }
        return false;
    }
}
