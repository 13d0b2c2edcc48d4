package io.farblock.server;

import io.farblock.api.admin.CheckBlocksResponse;
import io.farblock.api.admin.DamagedBlock;
import io.farblock.linux.Errno;
import java.io.IOException;
import java.util.List;

/**
 * Reads blocks back from the disk and compares them with their sums, a part of a volume at a time. Nothing is kept
 * between two parts, however long an operator takes.
 *
 * <p>It goes from layer to layer, since a block that is hidden in a volume is there for a snapshot. A layer that is being
 * merged is left out: what it has is compared when it is moved. Borrowed ones are checked with the volume that they
 * belong to. On the volume's control thread, while merges rest.
 */
final class BlockCheck {
    // What keeps others from the control thread for some tenths of a second at most.
    private static final long PART_BYTES = 32 << 20;
    private static final int CHUNK_BYTES = 256 << 10;
    private static final int BLOCK = BlockMap.BLOCK_BYTES;

    private final VolumeRecord record;
    private final FileVolume volume;
    private final Layers layers;
    private final CheckBlocksResponse.Builder found = CheckBlocksResponse.newBuilder();
    private long readBytes;

    BlockCheck(VolumeRecord record, FileVolume volume) {
        this.record = record;
        this.volume = volume;
        layers = volume.layers();
    }

    /** Checks a part from byte {@code from} of a layer on. */
    CheckBlocksResponse part(String layer, long from) throws IOException, VolumeException {
        List<LayerRecord> all = Layers.of(record);
        int index = indexOf(layer, all);
        long at = from;
        while (index < all.size() && readBytes < PART_BYTES) {
            at = isToBeChecked(index)
                    ? checkLayer(layers.chain().layer(index), at)
                    : layers.chain().layer(index).sizeBytes();
            if (at >= layers.chain().layer(index).sizeBytes()) {
                index++;
                at = 0;
            }
        }
        if (index < all.size()) {
            found.setNextLayer(all.get(index).getUuid()).setNextBytes(at);
        }
        if (found.getNewBytes() > 0) {
            // What was compared may have been in the page cache only.
            volume.settleBelowDurably();
        }
        return found.setDoneBytes(sizeOf(all.subList(record.getBorrowedLayers(), index)) + at)
                .setTotalBytes(sizeOf(all.subList(record.getBorrowedLayers(), all.size())))
                .build();
    }

    private int indexOf(String layer, List<LayerRecord> all) throws VolumeException {
        for (int i = record.getBorrowedLayers(); i < all.size(); i++) {
            if (all.get(i).getUuid().equals(layer)) {
                return i;
            }
        }
        throw new VolumeException(
                VolumeException.Kind.IN_USE,
                "layers of volume " + record.getName() + " were merged meanwhile: check it again");
    }

    static long sizeOf(List<LayerRecord> some) {
        return some.stream().mapToLong(LayerRecord::getSizeBytes).sum();
    }

    private boolean isToBeChecked(int index) {
        return layers.chain().layer(index).sums() != null
                && !Layers.of(record).get(index).getMerging();
    }

    // Holes hold nothing. Returns where to go on.
    private long checkLayer(Layer layer, long from) throws IOException {
        long at = from;
        while (at < layer.sizeBytes() && readBytes < PART_BYTES) {
            int fd = layer.files().descriptor(at);
            long fileBegin = at - VolumeFiles.offsetInFile(at);
            long data = volume.disk().nextData(fd, at - fileBegin);
            if (data == -Errno.ENXIO) {
                at = fileBegin + VolumeFiles.FILE_SPAN_BYTES;
            } else {
                at = Math.max(at, fileBegin + checked(data) & -BLOCK);
                long hole = checked(volume.disk().nextHole(fd, data));
                // What a resize that was cut short has left behind the end is not the layer's.
                long last = Math.min(fileBegin + hole, layer.sizeBytes()) + BLOCK - 1 & -BLOCK;
                long end = Math.min(at + CHUNK_BYTES, last);
                if (end > at) {
                    checkChunk(layer, at, (int) (end - at));
                }
                at = Math.max(end, at + BLOCK);
            }
        }
        return at;
    }

    private static long checked(long position) throws IOException {
        if (position < 0) {
            throw new IOException("looking for holes failed: " + Errno.describe((int) -position));
        }
        return position;
    }

    private void checkChunk(Layer layer, long offset, int lengthBytes) {
        // Nobody changes the layers below, but for a merge, which rests.
        int range = volume.ranges().begin(offset, lengthBytes, true);
        try {
            int fd = layer.files().descriptor(offset);
            long inFile = VolumeFiles.offsetInFile(offset);
            // As it is on the disk, if it was not written a moment ago.
            var unused = volume.disk().dropCache(fd, inFile, lengthBytes);
            Scratch scratch = Scratch.ofThread();
            long got = volume.disk().read(fd, scratch.address(), lengthBytes, inFile);
            for (int at = 0; at < lengthBytes; at += BLOCK) {
                if (got == lengthBytes || isReadable(scratch, layer, fd, inFile + at, offset + at)) {
                    checkBlock(scratch, layer, offset + at, got == lengthBytes ? at : 0);
                }
            }
        } finally {
            volume.ranges().end(range);
        }
        readBytes += lengthBytes;
    }

    // One by one, if they cannot be read together.
    private boolean isReadable(Scratch scratch, Layer layer, int fd, long inFile, long offset) {
        boolean isReadable = volume.disk().read(fd, scratch.address(), BLOCK, inFile) == BLOCK;
        if (!isReadable) {
            damaged(layer, offset);
        }
        return isReadable;
    }

    private void checkBlock(Scratch scratch, Layer layer, long offset, int at) {
        if (layer.sums().get(offset) != LayerSums.UNKNOWN) {
            if (layers.checksums().isDamaged(layer, offset, scratch, at)) {
                damaged(layer, offset);
            } else {
                found.setRightBytes(found.getRightBytes() + BLOCK);
            }
        } else if (layers.holder(offset) == layer && layer.sums().open(offset, BLOCK) == 0) {
            layer.sums().put(offset, scratch.hasher().sum(scratch.buffer(), at));
            found.setNewBytes(found.getNewBytes() + BLOCK);
        }
    }

    private void damaged(Layer layer, long offset) {
        found.addDamaged(DamagedBlock.newBuilder().setLayer(layer.name()).setOffsetBytes(offset));
    }
}
