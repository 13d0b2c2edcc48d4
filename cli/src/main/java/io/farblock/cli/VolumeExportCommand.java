package io.farblock.cli;

import io.farblock.api.admin.Extent;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ListExtentsRequest;
import io.farblock.api.admin.ListExtentsResponse;
import io.farblock.api.admin.Volume;
import io.farblock.cli.transfer.ExtentReader;
import io.farblock.cli.transfer.Progress;
import io.farblock.cli.transfer.QemuImage;
import io.farblock.cli.transfer.RawImage;
import io.farblock.cli.transfer.StreamHeader;
import io.farblock.cli.transfer.StreamWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code farblock volume export}: a volume to a file or a pipe. */
@Command(
        name = "export",
        description = "Write what a volume or a snapshot holds to a file, or to standard output.",
        footer = {
            "",
            "Only what was ever written is read; a file gets holes for the rest. The file appears under its name when it",
            "is whole. A volume without a snapshot is held meanwhile, so that nobody writes to it.",
            "",
            "A stream is what 'import' brings a copy up to date with: all of a snapshot, or with --since what has changed",
            "since an earlier one. It has checksums, and an end, so that one that was cut short is noticed.",
            "",
            "Examples:",
            "  farblock volume export mail@monday mail.raw",
            "  farblock volume export mail@monday mail.qcow2 --format qcow2",
            "  farblock volume export mail@monday - | gzip > mail.raw.gz",
            "  farblock volume export mail@monday mail.full --format stream",
            "  farblock volume export mail@tuesday mail.tuesday --since mail@monday"
        })
final class VolumeExportCommand implements Callable<Integer> {
    @ParentCommand
    private VolumeCommand parent;

    @Parameters(index = "0", paramLabel = "VOLUME[@SNAPSHOT]", description = "What to export.")
    private String volume;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "FILE",
            defaultValue = "-",
            description = "Where to; '-' or nothing for standard output.")
    private String file;

    @Option(
            names = "--format",
            paramLabel = "raw|qcow2|stream",
            description = "Form of what is written: raw if not given, with --since stream. qcow2 takes qemu-img.")
    private VolumeImportCommand.Format format;

    @Option(
            names = "--since",
            paramLabel = "VOLUME@SNAPSHOT",
            description = "Only what has changed since this snapshot, as a stream.")
    private String since;

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Data address of the storage server; FARBLOCK_SERVER, else ${DEFAULT-VALUE}.")
    private String server;

    @Mixin
    private KeyOptions keys;

    @Override
    public Integer call() {
        try {
            run();
            return ExitCode.OK;
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, "the export to " + file + " failed: " + e.getMessage(), e);
        }
    }

    private void run() throws IOException {
        checkFormat();
        boolean toPipe = file.equals("-");
        Path target = Path.of(file);
        checkTarget(toPipe, target);
        boolean isSnapshot = volume.indexOf('@') >= 0;
        try (AdminClient admin = parent.connect()) {
            if (!isSnapshot) {
                refuseShared(admin);
            }
            // First: what is listed is then what is read.
            try (OpenedVolume opened =
                    new OpenedVolume(server, parent.security(), keys, volume, UUID.randomUUID(), isSnapshot)) {
                Source source = source(admin, opened);
                if (toPipe) {
                    toPipe(source);
                } else {
                    toFile(source, target);
                }
            }
        }
    }

    private void checkFormat() {
        if (format == null) {
            format = since == null ? VolumeImportCommand.Format.raw : VolumeImportCommand.Format.stream;
        }
        if (since != null && format != VolumeImportCommand.Format.stream) {
            throw new CommandException(ExitCode.USAGE, "--since makes a stream: leave --format out");
        }
        if (format == VolumeImportCommand.Format.stream) {
            SnapshotArgument unused = SnapshotArgument.parse(volume);
        }
    }

    /** What is exported. */
    private record Source(OpenedVolume opened, List<ListExtentsResponse> extents, StreamHeader header) {}

    private Source source(AdminClient admin, OpenedVolume opened) {
        List<ListExtentsResponse> extents = extents(admin, volume, since == null ? "" : since);
        StreamHeader header = null;
        if (format == VolumeImportCommand.Format.stream) {
            ListExtentsResponse first = extents.get(0);
            header = new StreamHeader(
                    since == null ? StreamHeader.NOTHING : content(admin, since),
                    content(admin, volume),
                    first.getSizeBytes(),
                    first.getBlockSizeBytes(),
                    SnapshotArgument.parse(volume).snapshot());
        }
        return new Source(opened, extents, header);
    }

    private static UUID content(AdminClient admin, String name) {
        SnapshotArgument wanted = SnapshotArgument.parse(name);
        Volume found = admin.call(stub -> stub.getVolume(
                GetVolumeRequest.newBuilder().setName(wanted.volume()).build()));
        return found.getSnapshotsList().stream()
                .filter(snapshot -> snapshot.getName().equals(wanted.snapshot()))
                .map(snapshot -> UUID.fromString(snapshot.getContent()))
                .findFirst()
                .orElseThrow(() -> new CommandException(ExitCode.NOT_FOUND, "there is no snapshot " + name));
    }

    private void checkTarget(boolean toPipe, Path target) throws IOException {
        if (toPipe && format == VolumeImportCommand.Format.qcow2) {
            throw new CommandException(ExitCode.USAGE, "qcow2 cannot be written to a pipe: give a file");
        }
        if (!toPipe && Files.exists(target)) {
            throw new CommandException(ExitCode.REFUSED, target + " exists already: give another name, or remove it");
        }
        if (format == VolumeImportCommand.Format.qcow2) {
            QemuImage.require();
        }
    }

    private void refuseShared(AdminClient admin) {
        if (admin.call(stub -> stub.getVolume(
                        GetVolumeRequest.newBuilder().setName(volume).build()))
                .getSharedWriters()) {
            throw new CommandException(
                    ExitCode.REFUSED,
                    volume + " may have several writers at any time: take a snapshot, and export that");
        }
    }

    private static List<ListExtentsResponse> extents(AdminClient admin, String volume, String since) {
        List<ListExtentsResponse> all = new ArrayList<>();
        forEach(admin, volume, since, all::add);
        return all;
    }

    /** Gives all answers on that it takes to know of all extents. */
    static void forEach(AdminClient admin, String volume, String since, Consumer<ListExtentsResponse> taker) {
        ListExtentsRequest.Builder request =
                ListExtentsRequest.newBuilder().setVolume(volume).setSince(since);
        do {
            ListExtentsResponse some = admin.callAtLength(stub -> stub.listExtents(request.build()));
            taker.accept(some);
            request.setFromBytes(some.getNextBytes());
        } while (request.getFromBytes() != 0);
    }

    private void toFile(Source source, Path target) throws IOException {
        Path partial = fresh(target, ".partial");
        Path converted = fresh(target, ".converted");
        try {
            toNewFile(source, partial);
            Path whole = partial;
            if (format == VolumeImportCommand.Format.qcow2) {
                QemuImage.fromRaw(partial, converted);
                whole = converted;
            }
            Files.move(whole, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(partial);
            Files.deleteIfExists(converted);
        }
    }

    private static Path fresh(Path target, String suffix) {
        Path fresh = target.resolveSibling(target.getFileName() + suffix);
        if (Files.exists(fresh)) {
            throw new CommandException(
                    ExitCode.REFUSED, fresh + " exists, perhaps since an export was killed: remove it");
        }
        return fresh;
    }

    private static void toNewFile(Source source, Path path) throws IOException {
        try (FileChannel made = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            if (source.header() == null) {
                writeImage(source, RawImage.of(made));
            } else {
                writeStream(source, made);
            }
            made.force(true);
        }
    }

    private static void toPipe(Source source) throws IOException {
        // Not System.out, which does not tell when nobody reads any more.
        WritableByteChannel pipe = new FileOutputStream(FileDescriptor.out).getChannel();
        if (source.header() == null) {
            writeImage(source, RawImage.to(pipe));
        } else {
            writeStream(source, pipe);
        }
    }

    private static void writeImage(Source source, RawImage image) throws IOException {
        copy(source, new ToImage(image));
        image.finish(source.extents().get(0).getSizeBytes());
    }

    private static void writeStream(Source source, WritableByteChannel channel) throws IOException {
        StreamWriter stream = new StreamWriter(channel, source.header());
        copy(source, stream);
        stream.end();
    }

    private static void copy(Source source, ExtentReader.Sink sink) throws IOException {
        List<Extent> extents = source.extents().stream()
                .flatMap(list -> list.getExtentsList().stream())
                .toList();
        Progress progress =
                new Progress(extents.stream().mapToLong(Extent::getLengthBytes).sum(), Size::text);
        new ExtentReader(source.opened().transfer(), sink, progress).run(extents.iterator());
        progress.end();
    }

    /** Zeros are where nothing is written. */
    private record ToImage(RawImage image) implements ExtentReader.Sink {
        @Override
        public void data(long offset, ByteBuffer data) throws IOException {
            image.write(offset, data);
        }

        @Override
        public void zeros(long offset, long lengthBytes) {}
    }
}
