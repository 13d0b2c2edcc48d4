package io.farblock.cli;

import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.FinishImportRequest;
import io.farblock.api.admin.Volume;
import io.farblock.cli.transfer.ImageFile;
import io.farblock.cli.transfer.Progress;
import io.farblock.cli.transfer.QemuImage;
import io.farblock.cli.transfer.Transfer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code farblock volume import}: a file or a pipe to a new volume. */
@Command(
        name = "import",
        description = "Make a volume of an image in a file, or on standard input.",
        footer = {
            "",
            "Zeros are not sent, and take no space. Until all of it is there and durable the volume is 'importing', and",
            "nobody can open it. An import that fails takes it away again; one that is killed or interrupted leaves it so,",
            "and 'volume delete' takes it away.",
            "",
            "A stream of 'export --since' changes a volume whose latest snapshot holds what the stream stands on, and that",
            "was not written to since; it ends with a snapshot of the same name. If it fails, import the same one again.",
            "",
            "Examples:",
            "  farblock volume import mail.raw mail",
            "  farblock volume import mail.qcow2 mail --format qcow2",
            "  zcat mail.raw.gz | farblock volume import - mail --size 200G",
            "  farblock volume import mail.full mail-copy --format stream",
            "  farblock volume import mail.tuesday mail-copy --format stream"
        })
final class VolumeImportCommand implements Callable<Integer> {
    private static final byte[] QCOW_MAGIC = {'Q', 'F', 'I', (byte) 0xFB};
    private static final long GOODBYE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** What an image looks like. */
    enum Format {
        raw,
        qcow2,
        stream
    }

    @ParentCommand
    private VolumeCommand parent;

    @Parameters(index = "0", paramLabel = "FILE", description = "The image; '-' for standard input.")
    private String file;

    @Parameters(index = "1", paramLabel = "NAME", description = "Name of the volume to make.")
    private String name;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            description = "Size of the volume; that of the image if not given. For standard input it must be given, and"
                    + " be what comes.")
    private String size;

    @Option(
            names = "--block-size",
            paramLabel = "BYTES",
            defaultValue = "4096",
            description = "Smallest unit of a request, 512 or 4096; ${DEFAULT-VALUE} if not given.")
    private int blockSizeBytes;

    @Option(
            names = "--format",
            paramLabel = "raw|qcow2|stream",
            description = "Form of what is imported; raw if not given.")
    private Format format;

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Data address of the storage server; FARBLOCK_SERVER, else ${DEFAULT-VALUE}.")
    private String server;

    @Option(names = "--encrypt", paramLabel = "KEY", description = KeyOptions.ENCRYPT)
    private String key;

    @Mixin
    private KeyOptions keys;

    @Mixin
    private Output output;

    @Override
    public Integer call() {
        try {
            run();
            return ExitCode.OK;
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, "the import of " + file + " failed: " + e.getMessage(), e);
        }
    }

    private void run() throws IOException {
        if (blockSizeBytes != 512 && blockSizeBytes != 4096) {
            throw new CommandException(ExitCode.USAGE, "block size " + blockSizeBytes + " is neither 512 nor 4096");
        }
        if (format == Format.stream) {
            importStream();
        } else if (file.equals("-")) {
            if (format == Format.qcow2 || size == null) {
                throw new CommandException(
                        ExitCode.USAGE, "standard input takes a raw image and its size: --size 200G --format raw");
            }
            try (ImageFile image = ImageFile.of(System.in)) {
                run(image, Size.parse(size));
            }
        } else if (format == Format.qcow2) {
            importConverted(Path.of(file));
        } else {
            importFile(Path.of(file));
        }
    }

    private void importStream() throws IOException {
        if (size != null) {
            throw new CommandException(
                    ExitCode.USAGE, "a stream says itself how large the volume is: leave --size out");
        }
        if (!file.equals("-")) {
            requireFile(Path.of(file));
        }
        try (ReadableByteChannel channel = file.equals("-")
                ? Channels.newChannel(System.in)
                : FileChannel.open(Path.of(file), StandardOpenOption.READ)) {
            Volume volume = new StreamImport(parent, server, name, keys, key).run(channel);
            output.print(volume, "imported " + name + ", " + Size.text(volume.getSizeBytes()) + "\n");
        }
    }

    private void importConverted(Path image) throws IOException {
        requireFile(image);
        Path raw = Files.createTempFile("farblock-import", ".raw");
        try {
            QemuImage.toRaw(image, raw);
            importRaw(raw);
        } finally {
            Files.delete(raw);
        }
    }

    private void importFile(Path path) throws IOException {
        requireFile(path);
        // A guest can make its raw disk look like qcow2: so this is never guessed.
        if (format == null && Files.isRegularFile(path) && isQcow(path)) {
            throw new CommandException(
                    ExitCode.USAGE,
                    path + " looks like a qcow2 image: add --format qcow2, or --format raw to copy it as" + " it is");
        }
        importRaw(path);
    }

    private static void requireFile(Path path) {
        if (!Files.exists(path)) {
            throw new CommandException(ExitCode.NOT_FOUND, "there is no file " + path);
        }
    }

    private static boolean isQcow(Path path) throws IOException {
        try (InputStream stream = Files.newInputStream(path)) {
            return Arrays.equals(stream.readNBytes(QCOW_MAGIC.length), QCOW_MAGIC);
        }
    }

    private void importRaw(Path path) throws IOException {
        try (ImageFile image = ImageFile.open(path)) {
            run(image, image.sizeBytes());
        } catch (NoSuchFileException e) {
            throw new CommandException(ExitCode.NOT_FOUND, "there is no file " + path, e);
        }
    }

    private void run(ImageFile image, long imageBytes) throws IOException {
        UUID importer = UUID.randomUUID();
        try (AdminClient admin = parent.connect()) {
            Volume created = admin.call(stub -> stub.createVolume(wanted(imageBytes, importer)));
            KeyOptions.requireEncrypted(key, created, admin);
            boolean whole = false;
            try {
                fill(image, imageBytes, importer);
                Volume volume = admin.call(stub -> stub.finishImport(
                        FinishImportRequest.newBuilder().setName(name).build()));
                whole = true;
                output.print(volume, "imported " + name + ", " + Size.text(created.getSizeBytes()) + "\n");
            } finally {
                if (!whole) {
                    takeAway(admin, name);
                }
            }
        }
    }

    private CreateVolumeRequest wanted(long imageBytes, UUID importer) {
        long rounded = (imageBytes + blockSizeBytes - 1) / blockSizeBytes * blockSizeBytes;
        long sizeBytes = size == null ? rounded : Size.parse(size);
        if (sizeBytes < imageBytes) {
            throw new CommandException(
                    ExitCode.USAGE, "the image has " + imageBytes + " bytes: --size " + size + " is too small for it");
        }
        return keys.newVolume(key)
                .setName(name)
                .setSizeBytes(sizeBytes)
                .setBlockSizeBytes(blockSizeBytes)
                .setImporter(OpenedVolume.idBytes(importer))
                .build();
    }

    private void fill(ImageFile image, long imageBytes, UUID importer) throws IOException {
        Progress progress = new Progress(imageBytes, Size::text);
        try (OpenedVolume opened = new OpenedVolume(server, parent.security(), keys, key, name, importer, false)) {
            Transfer transfer = opened.transfer();
            image.fill(transfer, imageBytes, blockSizeBytes, progress);
            transfer.flush();
            progress.end();
        }
    }

    /** Deletes a volume that was not filled; what is left if even this fails says of itself that it is not whole. */
    static void takeAway(AdminClient admin, String name) {
        long endNanos = System.nanoTime() + GOODBYE_NANOS;
        while (!isTakenAway(admin, name, endNanos)) {
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    private static boolean isTakenAway(AdminClient admin, String name, long endNanos) {
        try {
            var unused = admin.call(stub -> stub.deleteVolume(
                    DeleteVolumeRequest.newBuilder().setName(name).build()));
        } catch (CommandException e) {
            // The server may not have heard yet that the connection of this command has ended.
            if (e.exitCode() == ExitCode.REFUSED && System.nanoTime() - endNanos < 0) {
                return false;
            }
            System.err.println("farblock: volume " + name + " is left, and is not whole: " + e.getMessage());
        }
        return true;
    }
}
