package io.farblock.server;

import io.farblock.linux.Errno;

/** Copies a block to the layer that changes go to, before a part of it is changed there. By whoever has its range. */
final class CopyUp {
    private final Disk disk;
    private final Layers layers;

    CopyUp(Disk disk, Layers layers) {
        this.disk = disk;
        this.layers = layers;
    }

    /** Has the block at byte {@code block} be where changes go; 0 or a negative error number. */
    int fill(Scratch scratch, long block) {
        if (layers.map().slot(block) == layers.chain().target().slot()) {
            return 0;
        }
        long result = read(scratch, block);
        if (result == 0) {
            result = disk.write(
                    layers.target(block), scratch.address(), BlockMap.BLOCK_BYTES, VolumeFiles.offsetInFile(block));
            layers.markDirty(block);
            result = result == BlockMap.BLOCK_BYTES ? 0 : Math.min(result, -Errno.EIO);
        }
        if (result == 0) {
            layers.written(block, BlockMap.BLOCK_BYTES);
        }
        return (int) result;
    }

    private long read(Scratch scratch, long block) {
        int source = layers.source(block);
        if (source == Layers.NO_FILE) {
            scratch.clear(BlockMap.BLOCK_BYTES);
            return 0;
        }
        long got = disk.read(source, scratch.address(), BlockMap.BLOCK_BYTES, VolumeFiles.offsetInFile(block));
        return got == BlockMap.BLOCK_BYTES ? 0 : Math.min(got, -Errno.EIO);
    }
}
