package io.farblock.cli;

import io.farblock.api.admin.BeginImportRequest;
import io.farblock.api.admin.FinishImportRequest;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.Volume;
import io.farblock.cli.transfer.Progress;
import io.farblock.cli.transfer.StreamHeader;
import io.farblock.cli.transfer.StreamReader;
import io.farblock.cli.transfer.Transfer;
import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.util.UUID;

/** Brings a volume to what a stream of changes leads to: a new one, or one that holds what the stream stands on. */
final class StreamImport {
    private final VolumeCommand parent;
    private final String server;
    private final String name;
    private final KeyOptions keys;
    private final String key;
    private final UUID importer = UUID.randomUUID();

    /** @param key what a new volume is to be encrypted with; null for nothing */
    StreamImport(VolumeCommand parent, String server, String name, KeyOptions keys, String key) {
        this.parent = parent;
        this.server = server;
        this.name = name;
        this.keys = keys;
        this.key = key;
    }

    /** Does all of it, and answers with the volume. */
    Volume run(ReadableByteChannel channel) throws IOException {
        StreamReader stream = new StreamReader(channel);
        StreamHeader header = stream.header();
        boolean isNew = header.base().equals(StreamHeader.NOTHING);
        try (AdminClient admin = parent.connect()) {
            if (isNew) {
                create(admin, header);
            } else {
                begin(admin, header);
            }
            boolean whole = false;
            try {
                apply(stream);
                Volume finished = finish(admin, header);
                whole = true;
                return finished;
            } finally {
                if (!whole && isNew) {
                    VolumeImportCommand.takeAway(admin, name);
                }
            }
        }
    }

    private void create(AdminClient admin, StreamHeader header) {
        Volume created = admin.call(stub -> stub.createVolume(keys.newVolume(key)
                .setName(name)
                .setSizeBytes(header.sizeBytes())
                .setBlockSizeBytes(header.blockSizeBytes())
                .setImporter(OpenedVolume.idBytes(importer))
                .build()));
        KeyOptions.requireEncrypted(key, created, admin);
    }

    private void begin(AdminClient admin, StreamHeader header) {
        Volume volume = admin.call(stub -> stub.beginImport(BeginImportRequest.newBuilder()
                .setName(name)
                .setImporter(OpenedVolume.idBytes(importer))
                .setBaseContent(header.base().toString())
                .setContent(header.content().toString())
                .build()));
        if (volume.getSizeBytes() < header.sizeBytes()) {
            var unused = admin.call(stub -> stub.resizeVolume(ResizeVolumeRequest.newBuilder()
                    .setName(name)
                    .setSizeBytes(header.sizeBytes())
                    .build()));
        }
    }

    private void apply(StreamReader stream) throws IOException {
        // How much there will be, the stream says at its end only.
        Progress progress = new Progress(stream.header().sizeBytes(), Size::text);
        try (OpenedVolume opened = new OpenedVolume(server, parent.security(), keys, key, name, importer, false)) {
            Transfer transfer = opened.transfer();
            stream.apply(transfer, progress);
            transfer.flush();
        }
        progress.end();
    }

    private Volume finish(AdminClient admin, StreamHeader header) {
        return admin.callAtLength(stub -> stub.finishImport(FinishImportRequest.newBuilder()
                .setName(name)
                .setSnapshot(header.snapshot())
                .setContent(header.content().toString())
                .build()));
    }
}
