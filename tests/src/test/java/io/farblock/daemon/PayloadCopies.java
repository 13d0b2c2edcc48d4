package io.farblock.daemon;

import io.farblock.bench.CopiedBytes;
import java.util.List;
import java.util.Locale;

/** Counts how often our own code copies the payload of a request, at both ends together. */
final class PayloadCopies {
    private static final int SMALL = 4 << 10;
    private static final int LARGE = 128 << 10;

    /**
     * @param least so often its payload is copied at least: less would mean that it was not seen
     * @param most and so often at most
     */
    private record Bound(boolean write, int lengthBytes, int depth, double least, double most) {}

    private static final List<Bound> BOUNDS = List.of(
            new Bound(false, SMALL, 1, 1, 1),
            new Bound(false, SMALL, 32, 1, 1),
            new Bound(true, SMALL, 1, 3, 3),
            new Bound(true, SMALL, 32, 2.9, 3),
            new Bound(false, LARGE, 8, 0, 0.1),
            new Bound(true, LARGE, 8, 1, 1.2));

    PayloadCopies(long seed) {
        if (seed != 0) {
            throw new IllegalArgumentException("nothing here is left to chance");
        }
    }

    /** Runs so many requests of each kind; throws if one kind costs another number of copies than it should. */
    void run(int requests) throws Exception {
        try (WholePath path = new WholePath();
                NativeQueue queue = path.queue(true)) {
            boolean ok = true;
            StringBuilder wrong = new StringBuilder();
            for (Bound bound : BOUNDS) {
                // So that no read finds a hole, which has nothing to copy.
                ok &= queue.run(true, bound.lengthBytes(), bound.depth(), bound.depth());
                long before = CopiedBytes.sum();
                ok &= queue.run(bound.write(), bound.lengthBytes(), bound.depth(), requests);
                double copies = (double) (CopiedBytes.sum() - before) / requests / bound.lengthBytes();
                System.out.printf(Locale.ROOT, "%s: copied %.3f times%n", bound, copies);
                if (copies < bound.least() || copies > bound.most()) {
                    wrong.append(String.format(Locale.ROOT, "%s: copied %.3f times. ", bound, copies));
                }
            }
            if (!ok || wrong.length() > 0) {
                throw new AssertionError(ok ? wrong.toString() : "a request failed");
            }
        }
    }
}
