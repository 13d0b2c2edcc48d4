package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A disk that counts, fails and stalls on demand. A stalled call waits on any thread, as a real disk would; calls on
 * files of volumes and on records of the catalogue stall apart from each other.
 */
final class FaultyDisk extends Disk {
    final AtomicInteger syncs = new AtomicInteger();
    final AtomicInteger writeBacks = new AtomicInteger();
    final AtomicInteger slowReads = new AtomicInteger();
    volatile int writeErrno;
    /** How much of files of volumes can be written before that. */
    final AtomicLong bytesBeforeErrno = new AtomicLong();

    volatile int syncErrno;
    volatile int writeBackErrno;
    volatile int allocateErrno;
    volatile int readErrno;
    // Of the files of checksums.
    final AtomicInteger sumsReads = new AtomicInteger();
    final AtomicInteger sumsWrites = new AtomicInteger();
    final AtomicInteger sumsSyncs = new AtomicInteger();
    final AtomicInteger intentsWrites = new AtomicInteger();
    volatile int sumsWriteErrno;
    volatile int sumsAllocateErrno;
    volatile int intentsWriteErrno;
    volatile int sumsSyncErrno;
    /** Whether only one sync of them fails, as the kernel has it. */
    volatile boolean sumsFailOnce;
    /** Whether files of intents cannot be read. */
    volatile boolean losesIntents;
    /** Whether there is no room for more of them. */
    volatile boolean makesNoIntents;
    /** What the next sync of data throws. */
    volatile RuntimeException mistake;

    /** Whether nothing is in the page cache. */
    volatile boolean cold;

    /** The name of the thread that wrote last. */
    volatile String lastWriter;

    // Files of volumes, and of those only the ones that shall have faults.
    private final Set<Integer> stallable = ConcurrentHashMap.newKeySet();
    // What is kept of checksums: neither counted nor stalled, since it is not what requests ask for.
    private final Set<Integer> sums = ConcurrentHashMap.newKeySet();
    private final Set<Integer> intents = ConcurrentHashMap.newKeySet();
    private volatile Path only = Path.of("/");
    private volatile Stall recordStall;
    private volatile Stall syncStall;
    private volatile Stall sumsSyncStall;
    private volatile Stall writeStall;
    private volatile Stall readStall;

    /** Holds calls of one kind until it is released. */
    static final class Stall {
        private final AtomicInteger entered = new AtomicInteger();
        private final CountDownLatch released = new CountDownLatch(1);

        /** Waits until a call is held. */
        void awaitEntered() {
            awaitEntered(1);
        }

        /** Waits until so many calls are held. */
        void awaitEntered(int calls) {
            while (entered.get() < calls) {
                Thread.onSpinWait();
            }
        }

        void release() {
            released.countDown();
        }

        private void pass() {
            entered.incrementAndGet();
            Waiting.uninterruptibly(released::await);
        }
    }

    Stall stallSyncs() {
        syncStall = new Stall();
        return syncStall;
    }

    Stall stallSumsSyncs() {
        sumsSyncStall = new Stall();
        return sumsSyncStall;
    }

    Stall stallWrites() {
        writeStall = new Stall();
        return writeStall;
    }

    Stall stallReads() {
        readStall = new Stall();
        return readStall;
    }

    /** Writes of files, such as the records of the catalogue. */
    Stall stallRecords() {
        recordStall = new Stall();
        return recordStall;
    }

    /** Stalls only what is at or under this path; to be called before it is opened. */
    void stallOnlyUnder(Path path) {
        only = path;
    }

    /** Lets go of everything that is held, also after a test that failed in the middle. */
    void releaseAll() {
        release(syncStall);
        release(sumsSyncStall);
        release(writeStall);
        release(readStall);
        release(recordStall);
    }

    private static void release(Stall stall) {
        if (stall != null) {
            stall.release();
        }
    }

    /** How many directories can be synced before one cannot. */
    final AtomicInteger directorySyncs = new AtomicInteger(Integer.MAX_VALUE);

    @Override
    void syncDirectory(Path directory) throws IOException {
        if (directorySyncs.getAndDecrement() == 0) {
            throw new IOException("sync of " + directory + " failed as it was told to");
        }
        super.syncDirectory(directory);
    }

    /** What there is to be free. */
    volatile long freeBytes = Long.MAX_VALUE;

    @Override
    long freeBytes(Path directory) {
        return freeBytes;
    }

    @Override
    FileDescriptor open(Path file) throws IOException {
        FileDescriptor opened = super.open(file);
        boolean isOfSums = file.endsWith("sums") || file.endsWith("intents");
        sums.remove(opened.number());
        intents.remove(opened.number());
        if (isOfSums) {
            sums.add(opened.number());
        }
        if (file.endsWith("intents")) {
            intents.add(opened.number());
        }
        if (file.startsWith(only) && !isOfSums) {
            stallable.add(opened.number());
        } else {
            stallable.remove(opened.number());
        }
        return opened;
    }

    @Override
    void writeFile(Path file, byte[] content) throws IOException {
        if (makesNoIntents && file.endsWith("intents")) {
            throw new LinuxException("write", file.toString(), Errno.ENOSPC);
        }
        if (file.startsWith(only)) {
            pass(recordStall);
        }
        super.writeFile(file, content);
    }

    @Override
    byte[] readFile(Path file) throws IOException {
        if (losesIntents && file.endsWith("intents")) {
            throw new IOException(file + " is on a bad sector");
        }
        return super.readFile(file);
    }

    private boolean isOfSums(int fd) {
        return sums.contains(fd) && !intents.contains(fd);
    }

    @Override
    long readNow(int fd, long vector, int count, long offset) {
        return cold ? -Errno.EAGAIN : super.readNow(fd, vector, count, offset);
    }

    @Override
    long read(int fd, long address, long lengthBytes, long offset) {
        if (!sums.contains(fd)) {
            slowReads.incrementAndGet();
        }
        if (isOfSums(fd)) {
            sumsReads.incrementAndGet();
        }
        pass(fd, readStall);
        return readErrno != 0 ? -readErrno : super.read(fd, address, lengthBytes, offset);
    }

    @Override
    long write(int fd, long address, long lengthBytes, long offset) {
        pass(fd, writeStall);
        if (intents.contains(fd)) {
            intentsWrites.incrementAndGet();
            if (intentsWriteErrno != 0) {
                return -intentsWriteErrno;
            }
        }
        if (isOfSums(fd)) {
            sumsWrites.incrementAndGet();
            if (sumsWriteErrno != 0) {
                return -sumsWriteErrno;
            }
        }
        if (!sums.contains(fd)) {
            lastWriter = Thread.currentThread().getName();
        }
        if (writeErrno == 0 || !stallable.contains(fd)) {
            return super.write(fd, address, lengthBytes, offset);
        }
        long room = Math.min(lengthBytes, bytesBeforeErrno.getAndSet(0));
        return room > 0 ? super.write(fd, address, room, offset) : -writeErrno;
    }

    @Override
    int allocate(int fd, int mode, long offset, long lengthBytes) {
        int errno = isOfSums(fd) && sumsAllocateErrno != 0 ? sumsAllocateErrno : allocateErrno;
        return errno != 0 ? -errno : super.allocate(fd, mode, offset, lengthBytes);
    }

    @Override
    int startWriteBack(int fd) {
        writeBacks.incrementAndGet();
        return writeBackErrno != 0 ? -writeBackErrno : super.startWriteBack(fd);
    }

    @Override
    int syncData(int fd) {
        if (!sums.contains(fd)) {
            syncs.incrementAndGet();
        }
        pass(fd, syncStall);
        if (isOfSums(fd)) {
            sumsSyncs.incrementAndGet();
            int errno = sumsSyncErrno;
            sumsSyncErrno = sumsFailOnce ? 0 : errno;
            pass(sumsSyncStall);
            if (errno != 0) {
                return -errno;
            }
        }
        RuntimeException thrown = mistake;
        if (thrown != null) {
            mistake = null;
            throw thrown;
        }
        return syncErrno != 0 ? -syncErrno : super.syncData(fd);
    }

    private void pass(int fd, Stall stall) {
        if (stallable.contains(fd)) {
            pass(stall);
        }
    }

    private static void pass(Stall stall) {
        if (stall != null) {
            stall.pass();
        }
    }
}
