package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the layers of one volume, each in a directory of {@code directory} that has its UUID's name.
 *
 * @param sums where the sums of their blocks are kept in memory
 * @param keepsSums whether a layer that has none is given them, if it is the volume's own
 */
record LayerOpener(Disk disk, Path directory, SumMemory sums, boolean keepsSums) {
    private static final Logger LOG = LoggerFactory.getLogger(LayerOpener.class);

    /** The chain with one more layer on top. */
    LayerChain append(LayerChain chain, LayerRecord layer, boolean isOwn) throws IOException {
        byte slot = chain.freeSlot();
        Path path = directory.resolve(layer.getUuid());
        LayerSums opened = openSums(path, layer.getSizeBytes(), isOwn);
        try {
            return chain.with(
                    chain.count() == 0
                            ? Layer.openLowest(disk, path, slot, layer.getSizeBytes(), opened)
                            : Layer.open(
                                    disk, path, slot, UUID.fromString(layer.getUuid()), layer.getSizeBytes(), opened));
        } catch (IOException e) {
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    /** The chain with more layers of the volume's own on top; if one cannot be opened, those before it are closed. */
    LayerChain appendAll(LayerChain chain, List<LayerRecord> more) throws IOException {
        LayerChain longer = chain;
        try {
            for (LayerRecord layer : more) {
                longer = append(longer, layer, true);
            }
            return longer;
        } catch (IOException e) {
            for (int i = chain.count(); i < longer.count(); i++) {
                longer.layer(i).close();
            }
            throw e;
        }
    }

    private LayerSums openSums(Path path, long sizeBytes, boolean isOwn) throws IOException {
        if (!LayerSums.exist(disk, path)) {
            if (!keepsSums || !isOwn || !createSums(path, sizeBytes)) {
                return null;
            }
        }
        return LayerSums.open(disk, path, sizeBytes, sums);
    }

    // A volume that was there before serves on a full disk as well.
    private boolean createSums(Path path, long sizeBytes) throws IOException {
        try {
            LayerSums.create(disk, path, sizeBytes);
            return true;
        } catch (LinuxException e) {
            if (e.errno() != Errno.ENOSPC && e.errno() != Errno.EDQUOT) {
                throw e;
            }
            LOG.warn("{} has no checksums until it is opened again, the disk is full", path);
            return false;
        }
    }
}
