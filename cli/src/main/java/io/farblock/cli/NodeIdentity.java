package io.farblock.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Who a node daemon is to the servers.
 *
 * @param name what people see as the holder of a volume
 * @param id the same after a restart of the daemon or the machine, and different for every machine and socket
 */
record NodeIdentity(String name, UUID id) {
    private static final Path MACHINE_ID = Path.of("/etc/machine-id");
    private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

    /** The identity of the daemon of one socket on this machine. */
    static NodeIdentity ofThisHost(Path socket) {
        String host = read(HOST_NAME);
        // The host's name too: machines that were copied from one image may share the machine id.
        String seed = "farblock-daemon\n" + read(MACHINE_ID) + "\n" + host + "\n" + socket;
        return new NodeIdentity(
                host.isEmpty() ? "unnamed" : host, UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8)));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            // Not every machine has both; the other one identifies it then.
            return "";
        }
    }
}
