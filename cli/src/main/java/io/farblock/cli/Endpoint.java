package io.farblock.cli;

import io.farblock.tls.LinkSecurity;
import java.net.InetSocketAddress;

/** host:port as people write it; an IPv6 host stands in brackets. */
final class Endpoint {
    private static final int MAX_PORT = 65_535;

    private Endpoint() {}

    /** Where to listen or connect; the host is looked up. */
    static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isEmpty() || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
            throw notAnEndpoint(text);
        }
        int port = Integer.parseInt(text.substring(colon + 1));
        if (port > MAX_PORT) {
            throw notAnEndpoint(text);
        }
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new CommandException(
                    ExitCode.UNREACHABLE,
                    "no address is known for '" + host + "': check the name, or write the address");
        }
        return address;
    }

    /** Ends the command if there must be no such link with an address. */
    static void requireSecure(LinkSecurity links, InetSocketAddress address) {
        String refusal = links.refusal(address);
        if (refusal != null) {
            throw new CommandException(ExitCode.USAGE, refusal);
        }
    }

    private static CommandException notAnEndpoint(String text) {
        return new CommandException(
                ExitCode.USAGE, "'" + text + "' is no address: write host:port, such as 127.0.0.1:7070");
    }
}
