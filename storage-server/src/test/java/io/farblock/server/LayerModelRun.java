package io.farblock.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * One seed: random operations on volumes, snapshots and clones of a server whose disk loses power in the middle of any of
 * them, compared with a model in memory.
 */
final class LayerModelRun {
    static final int OPERATIONS = 2000;
    // Of volumes and snapshots together: more of them make each crash slower and the rest not harder.
    private static final int MANY = 8;
    private static final int MAPS_EVERY = 200;

    private final SplittableRandom random;
    private final LayerModelTotals totals;
    private final ModelledServer server;
    private final MemoryDisk disk;
    private final LayeredHost host;

    LayerModelRun(long seed, Path root, LayerModelTotals totals) throws StartupException {
        random = new SplittableRandom(seed);
        this.totals = totals;
        server = new ModelledServer(random, root, totals);
        disk = server.disk;
        host = server.host;
    }

    /** Throws at the first thing that is not as it has to be. */
    void go(int operations) throws Exception {
        server.create(512);
        server.create(4096);
        for (int i = 0; i < operations; i++) {
            step();
            if (i % MAPS_EVERY == 0) {
                server.checkMaps();
            }
        }
        server.checkAll();
        server.mergeAll();
        server.checkAll();
        server.deleteAll();
        host.stop();
    }

    /** The last things that were done. */
    String trace() {
        return server.trace();
    }

    private void step() throws Exception {
        int die = random.nextInt(1000);
        if (die < 25) {
            crash();
        } else if (die < 32) {
            restart();
        } else if (die < 50) {
            server.rot(server.anyName(true));
        } else if (die < 200) {
            server.read(server.anyName(true));
        } else {
            run(anyOperation());
        }
    }

    // Weighted so that layers come and go, and are written to in between.
    private String anyOperation() {
        int die = random.nextInt(100);
        if (server.count() >= MANY && die >= 80) {
            return die < 88 ? "merge" : "delete";
        }
        return die < 42
                ? "write"
                : die < 54
                        ? "clear"
                        : die < 62
                                ? "flush"
                                : die < 74
                                        ? "merge"
                                        : die < 80
                                                ? "resize"
                                                : die < 87
                                                        ? "snapshot"
                                                        : die < 91 ? "clone" : die < 92 ? "create" : "delete";
    }

    private void run(String operation) throws Exception {
        switch (operation) {
            case "write" -> server.write(server.anyName(false));
            case "clear" -> server.clear(server.anyName(false));
            case "flush" -> server.flush(server.anyName(false));
            case "merge" -> server.turn();
            case "resize" -> server.resize(server.anyName(false));
            case "snapshot" -> server.snapshot(server.anyName(false));
            case "clone" -> server.copy(server.anyName(true));
            case "create" -> server.create(random.nextBoolean() ? 512 : 4096);
            case "delete" -> server.delete(server.anyName(true));
            default -> throw new IllegalArgumentException(operation);
        }
        totals.done.merge(operation, 1, Integer::sum);
    }

    private void restart() throws Exception {
        server.trace("restart");
        host.stop();
        host.restart();
        server.flushed();
    }

    private void crash() throws Exception {
        boolean kill = random.nextInt(3) == 0;
        String operation = random.nextInt(2) == 0 ? "merge" : anyOperation();
        disk.stopAfter(random.nextInt(random.nextBoolean() ? 4 : 24));
        server.trace((kill ? "kill" : "power cut") + " in " + operation);
        interrupt(
                () -> {
                    do {
                        run(operation);
                    } while (operation.equals("merge") && !disk.isStopped() && random.nextInt(8) > 0);
                },
                operation);
        Map<String, Long> lives = kill ? host.mapLives() : Map.of();
        host.kill();
        comeBack(kill);
        if (random.nextInt(4) == 0) {
            lives = Map.of();
            crashInRestart();
        } else {
            host.restart();
        }
        server.settle(lives);
        if (!kill) {
            server.flushed();
        }
    }

    /** A step that may end in the middle. */
    private interface Interruptible {
        void run() throws Exception;
    }

    private void interrupt(Interruptible step, String operation) throws Exception {
        try {
            step.run();
        } catch (IOException | VolumeException | StartupException e) {
            if (!disk.isStopped()) {
                throw e;
            }
            server.trace("stopped: " + e.getMessage());
        }
        if (disk.isStopped()) {
            totals.interrupted.merge(operation, 1, Integer::sum);
        }
    }

    private void comeBack(boolean kill) {
        if (kill) {
            disk.goOn();
        } else {
            disk.cutPower(random.nextInt(3) * 0.5);
        }
    }

    private void crashInRestart() throws Exception {
        disk.stopAfter(random.nextInt(random.nextBoolean() ? 4 : 24));
        boolean[] started = new boolean[1];
        interrupt(
                () -> {
                    host.restart();
                    started[0] = true;
                    checkOpens();
                },
                "restart");
        totals.crashesInARestart += disk.isStopped() ? 1 : 0;
        if (started[0]) {
            host.kill();
        }
        comeBack(random.nextBoolean());
        host.restart();
    }

    private void checkOpens() throws IOException, VolumeException {
        for (VolumeRecord record : host.catalogue.list()) {
            var unused = host.volume(record.getName());
        }
    }
}
