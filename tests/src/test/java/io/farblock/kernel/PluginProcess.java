package io.farblock.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The volume plugin for Docker and Podman as operators run it, a process of the {@code farblock} command. */
final class PluginProcess {
    private static final int START_SECONDS = 120;

    private final List<String> arguments;
    private final Path folder;
    private Process process;

    /** Starts one for a node and its server, with its socket and its state in a folder. */
    PluginProcess(Node node, Path folder) throws IOException, InterruptedException {
        this(
                folder,
                List.of(
                        "--socket",
                        node.socket().toString(),
                        "--server",
                        node.dataAddress(),
                        "--admin",
                        node.server().adminAddress()));
    }

    /** Starts one with arguments that say where daemon and server are. */
    PluginProcess(Path folder, List<String> arguments) throws IOException, InterruptedException {
        this.folder = folder;
        this.arguments = arguments;
        start();
    }

    /** Where it is asked. */
    Path socket() {
        return folder.resolve("farblock.sock");
    }

    /** Where it mounts a volume. */
    Path mountpoint(String volume) {
        return folder.resolve("mounts").resolve(volume);
    }

    /** Starts it on what the one before it has left, and waits until it answers. */
    void start() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Node.launcher(), "docker-plugin"));
        command.addAll(List.of("--plugin-socket", socket().toString(), "--state", folder.toString()));
        command.addAll(arguments);
        process = Node.start("docker-plugin", command);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!call("Plugin.Activate", "").contains("VolumeDriver")) {
            if (System.nanoTime() > deadline || !process.isAlive()) {
                throw new AssertionError("the plugin does not answer");
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /** Ends it, by kill -9 unless gracefully. */
    void stop(boolean gracefully) throws InterruptedException {
        Node.end(process, gracefully);
    }

    /** Its answer; again after one that came in time only because it was not waited for: an emulated machine is slow. */
    String call(String call, String json) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        String answer;
        do {
            answer = Shell.run("curl -s --unix-socket " + socket() + " -d '" + json + "' http://plugin/" + call)
                    .output();
        } while (answer.contains("Try again") && System.nanoTime() < deadline);
        return answer;
    }
}
