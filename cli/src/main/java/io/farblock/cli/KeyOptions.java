package io.farblock.cli;

import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.Encryption;
import io.farblock.api.admin.Volume;
import io.farblock.encryption.KeyException;
import io.farblock.encryption.KeySource;
import io.farblock.node.NodeException;
import io.farblock.node.VolumeKeys;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the keys of encrypted volumes are. */
final class KeyOptions {
    /** Of the option of those that make volumes. */
    static final String ENCRYPT = "Encrypt it with the key of this name, which stays with those who use the volume: the"
            + " server never has it, and nobody reads the volume without it.";

    @Option(
            names = "--keys",
            paramLabel = "FOLDER",
            defaultValue = "${env:FARBLOCK_KEYS:-/etc/farblock/keys}",
            description = "Where the keys of encrypted volumes are, NAME.key each: 64 random bytes, or a line of Base64"
                    + " of such; FARBLOCK_KEYS, else ${DEFAULT-VALUE}.")
    private Path folder;

    @Option(
            names = "--key-command",
            paramLabel = "COMMAND",
            defaultValue = "${env:FARBLOCK_KEY_COMMAND}",
            description = "What the shell runs to print the key that is called $1, in place of --keys;"
                    + " FARBLOCK_KEY_COMMAND if not given. It has 10 s.")
    private String command;

    KeySource source() {
        return new KeySource(folder, command == null || command.isEmpty() ? null : command);
    }

    /**
     * A new volume, to be encrypted with a key if there is one; ends the command if that is not here.
     *
     * @param key its name, or null
     */
    CreateVolumeRequest.Builder newVolume(String key) {
        CreateVolumeRequest.Builder volume = CreateVolumeRequest.newBuilder();
        if (key == null) {
            return volume;
        }
        try {
            return volume.setEncryption(describe(source(), key));
        } catch (KeyException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
    }

    /** For those who make volumes for others. */
    VolumeKeys forPlugin() {
        KeySource source = source();
        return key -> {
            try {
                return describe(source, key);
            } catch (KeyException e) {
                throw new NodeException(NodeException.Kind.INVALID, e.getMessage(), e);
            }
        };
    }

    private static Encryption describe(KeySource source, String key) throws KeyException {
        var described = source.find(key).describe();
        return Encryption.newBuilder()
                .setCipher(described.getCipher())
                .setKey(described.getKey())
                .setCheck(described.getCheck())
                .build();
    }

    /**
     * Takes away a new volume that is plain although it was to be encrypted, and ends the command: its server is older than
     * that, and what it does not know it does not see.
     *
     * @param key what it was to be encrypted with, or null
     */
    static void requireEncrypted(String key, Volume created, AdminClient admin) {
        if (key != null && !created.hasEncryption()) {
            VolumeImportCommand.takeAway(admin, created.getName());
            throw new CommandException(
                    ExitCode.FAILED,
                    "the server knows nothing of encryption, so no volume was made: upgrade it first, to the version of"
                            + " this command");
        }
    }
}
