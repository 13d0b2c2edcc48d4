package io.farblock.dashboard;

import io.netty.util.NetUtil;
import java.util.Locale;

/**
 * By which names a port may be asked over plain HTTP. A page of somebody else could give its own name the address of this
 * port, and read what this one shows with the browser of whoever looks at it; browsers say which name they asked for.
 */
final class KnownHosts {
    private final String own;

    /** @param own what the operator calls the port's host */
    KnownHosts(String own) {
        this.own = own.toLowerCase(Locale.ROOT);
    }

    /** Whether a {@code Host} header is an address, {@code localhost} or the operator's own name; the port may be any. */
    boolean isKnown(String header) {
        if (header == null) {
            return false;
        }
        String host = withoutPort(header).toLowerCase(Locale.ROOT);
        return host.equals("localhost")
                || host.equals(own)
                || NetUtil.isValidIpV4Address(host)
                || NetUtil.isValidIpV6Address(host);
    }

    private static String withoutPort(String header) {
        if (header.startsWith("[")) {
            return header.substring(1, Math.max(1, header.indexOf(']')));
        }
        int colon = header.indexOf(':');
        return colon < 0 ? header : header.substring(0, colon);
    }
}
