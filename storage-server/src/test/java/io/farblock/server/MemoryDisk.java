package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A disk in memory that loses its power before a chosen step. Gone are then any of the sectors of files that were written
 * and not synced, each for itself, so that pages are torn, and any number of the newest changes of directories that no
 * sync has covered. What happens depends on the seed alone, and not on the names of files.
 */
final class MemoryDisk extends Disk {
    static final int SECTOR = 512;
    private static final int PAGE = 4096;
    // Descriptors of ours: no number of the process's own may be closed by mistake.
    private static final int FIRST_DESCRIPTOR = 1_000_000_000;
    // struct iovec of readv(2).
    private static final int VECTOR_BYTES = 16;

    /** What processes see, and what is on the disk where that is something else: a bit a sector. */
    private static final class Page {
        final byte[] seen = new byte[PAGE];
        byte[] durable;
        int dirty;

        void writeBack(int sector) {
            System.arraycopy(seen, sector * SECTOR, durable, sector * SECTOR, SECTOR);
        }

        void lose(int sector) {
            System.arraycopy(durable, sector * SECTOR, seen, sector * SECTOR, SECTOR);
        }
    }

    /** A file, or a directory. What has no page is a hole. */
    private static final class File {
        final NavigableMap<Integer, Page> pages = new TreeMap<>();
        final List<Page> dirty = new ArrayList<>();
        // Of a directory; in the order in which they came.
        final Set<Path> entries = new LinkedHashSet<>();
        long sizeBytes;

        File(long sizeBytes) {
            this.sizeBytes = sizeBytes;
        }
    }

    private record Undo(Path directory, Runnable step) {}

    private final SplittableRandom random;
    private final Map<Path, File> files = new HashMap<>();
    private final List<File> descriptors = new ArrayList<>();
    private final Set<File> dirty = new LinkedHashSet<>();
    private final Deque<Undo> unsynced = new ArrayDeque<>();
    private int stepsLeft = Integer.MAX_VALUE;

    MemoryDisk(SplittableRandom random) {
        this.random = random;
    }

    /** Lets {@code steps} more steps happen, and nothing after them. */
    void stopAfter(int steps) {
        stepsLeft = steps;
    }

    /** Whether nothing happens any more. */
    boolean isStopped() {
        return stepsLeft == 0;
    }

    /** Everything works again, and nothing is lost: a process was killed. */
    void goOn() {
        stepsLeft = Integer.MAX_VALUE;
    }

    /** Everything works again after a power cut; each unsynced sector is lost with the probability {@code loss}. */
    void cutPower(double loss) {
        for (File file : dirty) {
            for (Page page : file.dirty) {
                loseSome(page, loss);
            }
            file.dirty.clear();
        }
        dirty.clear();
        for (int lost = random.nextInt(unsynced.size() + 1); lost > 0; lost--) {
            unsynced.pop().step().run();
        }
        unsynced.clear();
        descriptors.clear();
        goOn();
    }

    private void loseSome(Page page, double loss) {
        for (int sector = 0; sector < PAGE / SECTOR; sector++) {
            if ((page.dirty & 1 << sector) != 0 && random.nextDouble() < loss) {
                page.lose(sector);
            }
        }
        page.dirty = 0;
    }

    private boolean mayStep() {
        if (stepsLeft == 0) {
            return false;
        }
        stepsLeft--;
        return true;
    }

    private void step() throws IOException {
        if (!mayStep()) {
            throw new IOException("the power is gone");
        }
    }

    private File file(int fd) {
        return descriptors.get(fd - FIRST_DESCRIPTOR);
    }

    private File file(Path path) throws NoSuchFileException {
        File file = files.get(path);
        if (file == null) {
            throw new NoSuchFileException(path.toString());
        }
        return file;
    }

    /** The page to change some bytes in; a sector of it may be written back at any time, also just before. */
    private Page toChange(File file, long offset, long lengthBytes) {
        Page page = file.pages.computeIfAbsent((int) (offset / PAGE), absent -> new Page());
        if (page.dirty == 0) {
            file.dirty.add(page);
            dirty.add(file);
        }
        if (page.durable == null) {
            page.durable = page.seen.clone();
        }
        int last = (int) ((offset + lengthBytes - 1) % PAGE) / SECTOR;
        for (int sector = (int) (offset % PAGE) / SECTOR; sector <= last; sector++) {
            if ((page.dirty & 1 << sector) == 0 || random.nextInt(4) == 0) {
                page.writeBack(sector);
            }
            page.dirty |= 1 << sector;
        }
        return page;
    }

    @Override
    long readNow(int fd, long vector, int count, long offset) {
        long done = 0;
        for (int i = 0; i < count; i++) {
            long address = PlatformDependent.getLong(vector + (long) VECTOR_BYTES * i);
            long length = PlatformDependent.getLong(vector + (long) VECTOR_BYTES * i + Long.BYTES);
            done += read(fd, address, length, offset + done);
        }
        return done;
    }

    @Override
    long read(int fd, long address, long lengthBytes, long offset) {
        File file = file(fd);
        long length = Math.max(0, Math.min(lengthBytes, file.sizeBytes - offset));
        for (long done = 0; done < length; ) {
            int inPage = (int) ((offset + done) % PAGE);
            long step = Math.min(PAGE - inPage, length - done);
            Page page = file.pages.get((int) ((offset + done) / PAGE));
            if (page == null) {
                PlatformDependent.setMemory(address + done, step, (byte) 0);
            } else {
                PlatformDependent.copyMemory(page.seen, inPage, address + done, step);
            }
            done += step;
        }
        return length;
    }

    @Override
    long write(int fd, long address, long lengthBytes, long offset) {
        if (!mayStep()) {
            return -Errno.EIO;
        }
        File file = file(fd);
        for (long done = 0; done < lengthBytes; ) {
            int inPage = (int) ((offset + done) % PAGE);
            long step = Math.min(PAGE - inPage, lengthBytes - done);
            Page page = toChange(file, offset + done, step);
            PlatformDependent.copyMemory(address + done, page.seen, inPage, step);
            done += step;
        }
        file.sizeBytes = Math.max(file.sizeBytes, offset + lengthBytes);
        return lengthBytes;
    }

    @Override
    int allocate(int fd, int mode, long offset, long lengthBytes) {
        if (mode == LibC.FALLOC_FL_KEEP_SIZE) {
            return 0;
        }
        if (!mayStep()) {
            return -Errno.EIO;
        }
        File file = file(fd);
        for (long done = 0; done < lengthBytes; ) {
            int inPage = (int) ((offset + done) % PAGE);
            int step = (int) Math.min(PAGE - inPage, lengthBytes - done);
            if (file.pages.containsKey((int) ((offset + done) / PAGE))) {
                Arrays.fill(toChange(file, offset + done, step).seen, inPage, inPage + step, (byte) 0);
            }
            done += step;
        }
        return 0;
    }

    /** Flips a bit of what is on the disk and in the page cache; a second time it is as it was. */
    void rot(Path path, long offset) {
        Page page = files.get(path).pages.computeIfAbsent((int) (offset / PAGE), absent -> new Page());
        int at = (int) (offset % PAGE);
        page.seen[at] ^= 4;
        if (page.durable != null) {
            page.durable[at] ^= 4;
        }
    }

    @Override
    int startWriteBack(int fd) {
        for (Page page : file(fd).dirty) {
            for (int sector = 0; sector < PAGE / SECTOR; sector++) {
                if ((page.dirty & 1 << sector) != 0 && random.nextBoolean()) {
                    page.writeBack(sector);
                }
            }
        }
        return 0;
    }

    @Override
    int syncData(int fd) {
        if (!mayStep()) {
            return -Errno.EIO;
        }
        File file = file(fd);
        for (Page page : file.dirty) {
            page.dirty = 0;
        }
        file.dirty.clear();
        dirty.remove(file);
        return 0;
    }

    @Override
    long nextData(int fd, long offset) {
        File file = file(fd);
        Integer page = file.pages.ceilingKey((int) (offset / PAGE));
        long data = page == null ? Long.MAX_VALUE : Math.max(offset, (long) page * PAGE);
        return data < file.sizeBytes ? data : -Errno.ENXIO;
    }

    @Override
    long nextHole(int fd, long offset) {
        File file = file(fd);
        int page = (int) (offset / PAGE);
        while (file.pages.containsKey(page)) {
            page++;
        }
        return offset < file.sizeBytes ? Math.min(file.sizeBytes, Math.max(offset, (long) page * PAGE)) : -Errno.ENXIO;
    }

    @Override
    int dropCache(int fd, long offset, long lengthBytes) {
        return 0;
    }

    @Override
    int dropCache(int fd) {
        return 0;
    }

    @Override
    long allocatedBytes(Path file) throws IOException {
        return (long) file(file).pages.size() * PAGE;
    }

    @Override
    long freeBytes(Path directory) {
        return Long.MAX_VALUE;
    }

    @Override
    FileDescriptor open(Path file) throws IOException {
        descriptors.add(file(file));
        return new FileDescriptor(FIRST_DESCRIPTOR + descriptors.size() - 1, file.toString());
    }

    @Override
    void createSparse(Path file, long sizeBytes) throws IOException {
        step();
        put(file, new File(sizeBytes));
    }

    @Override
    void writeFile(Path file, byte[] content) throws IOException {
        boolean isWhole = mayStep();
        put(file, fileOf(isWhole ? content : Arrays.copyOf(content, content.length / 2)));
        if (!isWhole) {
            throw new IOException("the power is gone");
        }
    }

    private static File fileOf(byte[] content) {
        File file = new File(content.length);
        for (int at = 0; at < content.length; at += PAGE) {
            Page page = new Page();
            System.arraycopy(content, at, page.seen, 0, Math.min(PAGE, content.length - at));
            file.pages.put(at / PAGE, page);
        }
        return file;
    }

    @Override
    byte[] readFile(Path path) throws IOException {
        File file = file(path);
        byte[] content = new byte[(int) file.sizeBytes];
        file.pages.forEach((index, page) ->
                System.arraycopy(page.seen, 0, content, index * PAGE, Math.min(PAGE, content.length - index * PAGE)));
        return content;
    }

    /** There is none of what is set aside. */
    @Override
    void setAside(Path file, long sizeBytes) {}

    @Override
    void setSize(Path path, long sizeBytes) throws IOException {
        step();
        File file = file(path);
        NavigableMap<Integer, Page> beyond = file.pages.tailMap((int) ((sizeBytes + PAGE - 1) / PAGE), true);
        beyond.values().forEach(page -> page.dirty = 0);
        file.dirty.removeAll(beyond.values());
        beyond.clear();
        Page last = file.pages.get((int) (sizeBytes / PAGE));
        if (last != null) {
            Arrays.fill(last.seen, (int) (sizeBytes % PAGE), PAGE, (byte) 0);
            if (last.durable != null) {
                Arrays.fill(last.durable, (int) (sizeBytes % PAGE), PAGE, (byte) 0);
            }
        }
        file.sizeBytes = sizeBytes;
    }

    @Override
    List<Path> list(Path directory) throws IOException {
        return List.copyOf(file(directory).entries);
    }

    @Override
    void makeDirectory(Path directory) throws IOException {
        if (!files.containsKey(directory)) {
            step();
            enter(directory, new File(0));
            remember(directory, () -> leaveWithAllIn(directory));
        }
    }

    private void put(Path path, File file) {
        remember(path, undoOf(path));
        enter(path, file);
    }

    private void enter(Path path, File file) {
        files.put(path, file);
        File parent = files.get(path.getParent());
        if (parent != null) {
            parent.entries.add(path);
        }
    }

    private File leave(Path path) {
        File parent = files.get(path.getParent());
        if (parent != null) {
            parent.entries.remove(path);
        }
        return files.remove(path);
    }

    private void leaveWithAllIn(Path directory) {
        File file = files.get(directory);
        if (file != null) {
            List.copyOf(file.entries).forEach(this::leaveWithAllIn);
            File unused = leave(directory);
        }
    }

    @Override
    void rename(Path from, Path to) throws IOException {
        step();
        Runnable undoFrom = undoOf(from);
        Runnable undoTo = undoOf(to);
        remember(to, () -> {
            undoFrom.run();
            undoTo.run();
        });
        enter(to, leave(from));
    }

    @Override
    void delete(Path path) throws IOException {
        if (files.containsKey(path)) {
            step();
            remember(path, undoOf(path));
            File unused = leave(path);
        }
    }

    private Runnable undoOf(Path path) {
        File before = files.get(path);
        return before == null ? () -> leaveWithAllIn(path) : () -> enter(path, before);
    }

    private void remember(Path path, Runnable step) {
        unsynced.push(new Undo(path.getParent(), step));
    }

    @Override
    void syncDirectory(Path directory) throws IOException {
        step();
        unsynced.removeIf(undo -> undo.directory().equals(directory) || isGoneFrom(directory, undo.directory()));
    }

    // What was in a directory cannot come back once the directory's own end is durable.
    private boolean isGoneFrom(Path parent, Path directory) {
        return parent.equals(directory.getParent()) && !files.containsKey(directory);
    }
}
