package io.farblock.server;

import io.farblock.tls.Role;
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

    /** Refuses to serve where anybody could listen, or with the certificate of something else. */
    static void requireSecure(ServerOptions options) throws StartupException {
        for (InetSocketAddress address : new InetSocketAddress[] {options.dataAddress(), options.adminAddress()}) {
            String refusal = options.links().refusal(address);
            if (refusal != null) {
                throw new StartupException(refusal);
            }
        }
        if (options.links().isEncrypted() && options.links().identity().role() != Role.SERVER) {
            throw new StartupException("the certificate is that of "
                    + options.links().identity() + ": a server needs one that farblock pki issue server has made");
        }
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
