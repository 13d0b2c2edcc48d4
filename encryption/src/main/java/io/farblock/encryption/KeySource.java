package io.farblock.encryption;

import io.farblock.linux.Pipe;
import io.farblock.wire.proto.Encryption;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Where a node has the keys of encrypted volumes: a folder with a file for each, or a command that prints one.
 *
 * @param folder where the key that is called mail is the file mail.key
 * @param command for the shell, which finds the key's name in {@code $1}; null for none, and then the folder counts
 */
public record KeySource(Path folder, String command) {
    /** Where keys are if nobody says otherwise. */
    public static final Path DEFAULT_FOLDER = Path.of("/etc/farblock/keys");

    private static final int COMMAND_SECONDS = 10;
    // Base64 of a key, a line's end, and enough more to see that it is something else.
    private static final int MAX_BYTES = 256;
    // The server says which key it is: it must be no way to another file.
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}");
    private static final Set<PosixFilePermission> OF_OTHERS = EnumSet.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);

    /**
     * The key that a volume is encrypted with. It may take as long as the command does, so no event loop calls it.
     *
     * @throws KeyException if it is not here, or is not the right one
     */
    public VolumeKey find(Encryption encryption) throws KeyException {
        VolumeKey key = find(encryption.getKey());
        key.requireFits(encryption);
        return key;
    }

    /**
     * The key of a name.
     *
     * @throws KeyException if it is not here or is no key
     */
    public VolumeKey find(String name) throws KeyException {
        if (!NAME.matcher(name).matches()) {
            throw new KeyException("a key's name is 1 to 64 of A-Z a-z 0-9 _ . - with no dot in front");
        }
        byte[] content = command == null ? fromFolder(name) : fromCommand(name);
        try {
            return VolumeKey.of(name, content);
        } finally {
            Arrays.fill(content, (byte) 0);
        }
    }

    private byte[] fromFolder(String name) throws KeyException {
        Path file = folder.resolve(name + ".key");
        try (InputStream in = Files.newInputStream(file)) {
            if (!Collections.disjoint(Files.getPosixFilePermissions(file), OF_OTHERS)) {
                throw new KeyException(file + " is open to others: run chmod 600 " + file);
            }
            return in.readNBytes(MAX_BYTES);
        } catch (NoSuchFileException e) {
            throw new KeyException("the key '" + name + "' is not here: copy it to " + file, e);
        } catch (KeyException e) {
            throw e;
        } catch (IOException e) {
            throw new KeyException(file + " cannot be read: " + e, e);
        }
    }

    private byte[] fromCommand(String name) throws KeyException {
        try (Pipe output = Pipe.open()) {
            Process process = new ProcessBuilder("/bin/sh", "-c", command, "farblock", name)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(output.inputPath().toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try {
                awaitEnd(process, name);
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
            return output.readWritten(MAX_BYTES);
        } catch (IOException e) {
            throw e instanceof KeyException told ? told : new KeyException("the key command cannot be run: " + e, e);
        }
    }

    // What a key is fits in the pipe, so that the command ends without being read from; what does not, ends by the
    // limit
    // of time.
    private static void awaitEnd(Process process, String name) throws KeyException {
        try {
            if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
                throw new KeyException(
                        "the key command has not ended within " + COMMAND_SECONDS + " s for '" + name + "'");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KeyException("interrupted while the key command ran", e);
        }
        if (process.exitValue() != 0) {
            throw new KeyException("the key command ended with code " + process.exitValue() + " for '" + name + "'");
        }
    }
}
