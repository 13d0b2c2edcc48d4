package io.farblock.cli.doctor;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Whether the other processes answer. */
public final class PeerChecks {
    private static final int CONNECT_MILLIS = 5_000;

    private PeerChecks() {}

    /** Connects to the port where volumes are served, and says nothing. */
    public static void dataPort(InetSocketAddress address, Findings findings) {
        String where = address.getAddress().getHostAddress() + ":" + address.getPort();
        try (Socket socket = new Socket()) {
            socket.connect(address, CONNECT_MILLIS);
            findings.ok("server's data port", where);
        } catch (IOException e) {
            findings.problem(
                    "server's data port",
                    "no connection to " + where + " (" + e.getMessage() + ")",
                    "farblock server --data DIRECTORY --listen " + where);
        }
    }

    /** The admin API answered. */
    public static void server(String what, Findings findings) {
        findings.ok("server's admin port", what);
    }

    /** It did not, and why. */
    public static void noServer(String what, Findings findings) {
        findings.problem("server's admin port", firstPart(what), "farblock server --data DIRECTORY");
    }

    /** The local API answered. */
    public static void daemon(String what, Findings findings) {
        findings.ok("node daemon", what);
    }

    /** The daemon runs and does not serve a device, because nothing is recorded of it; nobody else does either. */
    public static void orphan(String name, Findings findings) {
        findings.problem(
                "device " + name, "the daemon cannot serve it; its I/O waits", "farblock detach --force " + name);
    }

    /** The disk of a virtual machine, and what the daemon has to say of it, if anything. */
    public static void machine(String name, String path, String explanation, Findings findings) {
        if (explanation.contains("shares no memory")) {
            findings.problem(
                    "device " + name,
                    path + ": its virtual machine shares no memory, and waits for ever",
                    "farblock status --details # shows the options that share it");
        } else {
            findings.ok("device " + name, path + ", for a virtual machine");
        }
    }

    /** It did not, and why. */
    public static void noDaemon(String what, Findings findings) {
        findings.problem("node daemon", firstPart(what), "sudo farblock daemon");
    }

    /** The reason without the advice, which has a column of its own. */
    private static String firstPart(String message) {
        int advice = message.indexOf(": ");
        return advice < 0 ? message : message.substring(0, advice);
    }
}
