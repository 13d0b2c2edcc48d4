package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * The directory that holds everything of one server, locked for as long as this object is open.
 *
 * <pre>
 * FORMAT              "farblock-data 3", written when the directory is first used
 * LOCK                held with flock(2); its text is the holder's process id
 * catalogue/NAME      the record of volume NAME
 * audit.log           who did what, see AuditLog
 * RESERVE             room for records of the catalogue when the disk is full
 * volumes/UUID/       the data files of the volume with that UUID
 * </pre>
 */
final class DataDirectory implements AutoCloseable {
    private static final String FORMAT = "farblock-data 3\n";
    // Without layers, and without checksums. A server that knows no others would serve the lowest layer as the whole
    // volume, or leave the sums of what it writes as they were.
    private static final Set<String> OLD_FORMATS = Set.of("farblock-data 1\n", "farblock-data 2\n");
    // A fresh ext4 has lost+found; the rest is what an interrupted first start may leave.
    private static final Set<String> HARMLESS = Set.of("lost+found", "LOCK", "FORMAT.new", "catalogue", "volumes");
    private static final int LOCK_MODE = 0600;
    private static final int PID_BYTES = 32;

    private final Path root;
    private final FileDescriptor lock;

    private DataDirectory(Path root, FileDescriptor lock) {
        this.root = root;
        this.lock = lock;
    }

    /** Locks the directory, and lays it out if it is new. */
    static DataDirectory open(Disk disk, Path root) throws StartupException {
        try {
            makeDurably(disk, root.toAbsolutePath());
            FileDescriptor lock = lock(root);
            try {
                layOut(disk, root);
            } catch (IOException | StartupException | RuntimeException e) {
                lock.close();
                throw e;
            }
            return new DataDirectory(root, lock);
        } catch (FileAlreadyExistsException e) {
            throw new StartupException("data directory " + root + " is not a directory: choose another one", e);
        } catch (IOException e) {
            throw new StartupException(unusable(root, e), e);
        }
    }

    Path root() {
        return root;
    }

    Path catalogue() {
        return catalogue(root);
    }

    Path reserve() {
        return root.resolve("RESERVE");
    }

    Path audit() {
        return root.resolve("audit.log");
    }

    Path volumes() {
        return volumes(root);
    }

    @Override
    public void close() {
        lock.close();
    }

    // A volume that was acknowledged must not go with the directory above it.
    private static void makeDurably(Disk disk, Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            makeDurably(disk, directory.getParent());
            disk.makeDirectory(directory);
            disk.syncDirectory(directory.getParent());
        }
    }

    private static Path catalogue(Path root) {
        return root.resolve("catalogue");
    }

    private static Path volumes(Path root) {
        return root.resolve("volumes");
    }

    private static String unusable(Path root, IOException e) {
        int errno = e instanceof LinuxException failure ? failure.errno() : 0;
        if (errno == Errno.EROFS) {
            return "data directory " + root
                    + " is on a file system that this process may only read: mount it for writing,"
                    + " or add ReadWritePaths=" + root + " with systemctl edit farblock-server, or choose another one";
        }
        boolean denied = errno == Errno.EACCES || errno == Errno.EPERM;
        if (denied || e instanceof java.nio.file.AccessDeniedException) {
            return "data directory " + root + " is not writable for " + System.getProperty("user.name")
                    + ": run chown " + System.getProperty("user.name") + " " + root
                    + ", or choose another one";
        }
        return "data directory " + root + " cannot be used (" + e.getMessage() + "): choose another one";
    }

    private static FileDescriptor lock(Path root) throws IOException, StartupException {
        Path file = root.resolve("LOCK");
        FileDescriptor lock = FileDescriptor.open(file.toString(), LibC.O_RDWR | LibC.O_CREAT, LOCK_MODE);
        if (LibC.flock(lock.number(), LibC.LOCK_EX | LibC.LOCK_NB) < 0) {
            int errno = LibC.lastError();
            String holder = readPid(lock);
            lock.close();
            if (errno != Errno.EAGAIN) {
                throw new LinuxException("flock", file.toString(), errno);
            }
            throw new StartupException("data directory " + root + " is in use by another server (pid " + holder
                    + "): stop it with kill " + holder + ", or choose another one");
        }
        writePid(lock);
        return lock;
    }

    private static String readPid(FileDescriptor lock) {
        NativeMemory text = new NativeMemory(PID_BYTES);
        int got = (int) Math.max(0, LibC.pread(lock.number(), text.address(), PID_BYTES, 0));
        byte[] bytes = new byte[got];
        text.buffer().get(0, bytes);
        return new String(bytes, StandardCharsets.US_ASCII).strip();
    }

    // Only for the message above: the lock itself is what counts, so a full disk does not stop the server here.
    private static void writePid(FileDescriptor lock) {
        byte[] bytes = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        NativeMemory text = new NativeMemory(PID_BYTES);
        try {
            text.buffer().put(0, bytes);
            LibC.pwrite(lock.number(), text.address(), bytes.length, 0);
            // After that: ext4 waits for the disk when a file is closed that was emptied and written.
            LibC.ftruncate(lock.number(), bytes.length);
        } finally {
            Reference.reachabilityFence(text);
        }
    }

    private static void layOut(Disk disk, Path root) throws IOException, StartupException {
        Path format = root.resolve("FORMAT");
        if (Files.exists(format)) {
            requireKnownFormat(root, format);
        } else {
            requireEmpty(root);
        }
        disk.makeDirectory(catalogue(root));
        disk.makeDirectory(volumes(root));
        if (!Files.exists(format) || OLD_FORMATS.contains(Files.readString(format, StandardCharsets.ISO_8859_1))) {
            Path fresh = root.resolve("FORMAT.new");
            disk.writeFile(fresh, FORMAT.getBytes(StandardCharsets.US_ASCII));
            disk.rename(fresh, format);
        }
        disk.syncDirectory(root);
    }

    private static void requireKnownFormat(Path root, Path format) throws IOException, StartupException {
        String found = Files.readString(format, StandardCharsets.ISO_8859_1);
        if (!found.equals(FORMAT) && !OLD_FORMATS.contains(found)) {
            throw new StartupException("data directory " + root + " has the format \"" + found.strip()
                    + "\", this server knows \"" + FORMAT.strip() + "\": run the server version that wrote it");
        }
    }

    private static void requireEmpty(Path root) throws IOException, StartupException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
            for (Path entry : entries) {
                if (!HARMLESS.contains(entry.getFileName().toString())) {
                    throw new StartupException("data directory " + root + " holds files of something else, such as "
                            + entry.getFileName() + ": choose an empty directory");
                }
            }
        }
    }
}
