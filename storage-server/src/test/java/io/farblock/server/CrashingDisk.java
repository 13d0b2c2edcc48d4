package io.farblock.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/**
 * A disk that loses its power before a chosen step, and may then have lost every entry of a directory that was not
 * synced: what the file system may do, and ext4 does.
 */
class CrashingDisk extends Disk {
    /** The power is gone. */
    static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** A step. */
    private interface Step {
        void run() throws IOException;
    }

    private record Undo(Path directory, Step step) {}

    private final Deque<Undo> unsynced = new ArrayDeque<>();
    private int stepsLeft = Integer.MAX_VALUE;
    private boolean failsSync;

    /** Lets {@code steps} more steps happen. */
    void crashAfter(int steps) {
        stepsLeft = steps;
    }

    /** Makes the next sync of a directory fail, once. */
    void failNextDirectorySync() {
        failsSync = true;
    }

    /** Takes back, newest first, what no sync has made durable. */
    void loseUnsynced() throws IOException {
        while (!unsynced.isEmpty()) {
            unsynced.pop().step().run();
        }
    }

    @Override
    void createSparse(Path file, long sizeBytes) throws IOException {
        step();
        super.createSparse(file, sizeBytes);
        remember(file, () -> Files.deleteIfExists(file));
    }

    @Override
    void setSize(Path file, long sizeBytes) throws IOException {
        step();
        super.setSize(file, sizeBytes);
    }

    @Override
    void writeFile(Path file, byte[] content) throws IOException {
        if (stepsLeft == 0) {
            Files.write(file, Arrays.copyOf(content, content.length / 2));
        }
        step();
        super.writeFile(file, content);
        remember(file, () -> Files.deleteIfExists(file));
    }

    @Override
    void makeDirectory(Path directory) throws IOException {
        boolean fresh = !Files.exists(directory);
        step();
        super.makeDirectory(directory);
        if (fresh) {
            remember(directory, () -> deleteTree(directory));
        }
    }

    @Override
    void rename(Path from, Path to) throws IOException {
        byte[] moved = Files.readAllBytes(from);
        byte[] replaced = Files.exists(to) ? Files.readAllBytes(to) : null;
        step();
        super.rename(from, to);
        remember(to, () -> {
            Files.write(from, moved);
            restore(to, replaced);
        });
    }

    @Override
    void delete(Path path) throws IOException {
        Step undo = undoOfDelete(path);
        step();
        super.delete(path);
        remember(path, undo);
    }

    @Override
    void syncDirectory(Path directory) throws IOException {
        step();
        if (failsSync) {
            failsSync = false;
            throw new IOException("fsync " + directory + ": I/O error");
        }
        super.syncDirectory(directory);
        unsynced.removeIf(undo -> undo.directory().equals(directory) || isGoneFrom(directory, undo.directory()));
    }

    // What was in a directory cannot come back once the directory's own end is durable.
    private static boolean isGoneFrom(Path parent, Path directory) {
        return parent.equals(directory.getParent()) && !Files.exists(directory);
    }

    private Step undoOfDelete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return () -> {};
        }
        if (Files.isDirectory(path)) {
            return () -> Files.createDirectory(path);
        }
        long sizeBytes = Files.size(path);
        if (path.getFileName().toString().startsWith("data.")) {
            return () -> super.createSparse(path, sizeBytes);
        }
        byte[] content = Files.readAllBytes(path);
        return () -> Files.write(path, content);
    }

    private void step() {
        if (!mayStep()) {
            throw new Crash();
        }
    }

    /** Counts a step that a system call makes; false if the power is gone. */
    final boolean mayStep() {
        if (stepsLeft == 0) {
            return false;
        }
        stepsLeft--;
        return true;
    }

    private void remember(Path path, Step undo) {
        unsynced.push(new Undo(path.getParent(), undo));
    }

    private static void restore(Path path, byte[] content) throws IOException {
        if (content == null) {
            Files.deleteIfExists(path);
        } else {
            Files.write(path, content);
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(directory)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }
}
