package io.farblock.linux;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A pipe (pipe(7)) for what a process prints, without waiting for those that it has left behind and that have the other
 * end open too. One thread at a time.
 */
public final class Pipe implements AutoCloseable {
    private static final String SUBJECT = "a pipe";

    private final FileDescriptor output;
    private final FileDescriptor input;

    private Pipe(int output, int input) {
        this.output = new FileDescriptor(output, SUBJECT);
        this.input = new FileDescriptor(input, SUBJECT);
    }

    /** A new pipe. */
    public static Pipe open() throws LinuxException {
        NativeMemory pair = new NativeMemory(2 * Integer.BYTES);
        if (LibC.pipe2(pair.address(), LibC.O_CLOEXEC) < 0) {
            throw LinuxException.last("pipe2", SUBJECT);
        }
        return new Pipe(pair.buffer().getInt(0), pair.buffer().getInt(Integer.BYTES));
    }

    /** What a process of this one opens to write to it. */
    public Path inputPath() {
        return path(input);
    }

    private static Path path(FileDescriptor end) {
        return Path.of("/proc/self/fd/" + end.number());
    }

    /** What was written and not read yet, or its first bytes. Returns at once. */
    public byte[] readWritten(int maxBytes) throws IOException {
        try (FileInputStream in = new FileInputStream(path(output).toFile())) {
            byte[] bytes = new byte[Math.min(maxBytes, in.available())];
            // Of a pipe one call reads all that is there; with nothing there it would wait.
            return bytes.length == 0 ? bytes : Arrays.copyOf(bytes, in.read(bytes));
        }
    }

    @Override
    public void close() {
        output.close();
        input.close();
    }
}
