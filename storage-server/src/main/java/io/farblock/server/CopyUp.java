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
        long result = layers.checksums().read(scratch, block, BlockMap.BLOCK_BYTES);
        if (result > 0) {
            result = disk.write(
                    layers.target(block), scratch.address(), BlockMap.BLOCK_BYTES, VolumeFiles.offsetInFile(block));
            layers.markDirty(block);
            result = result == BlockMap.BLOCK_BYTES ? 0 : Math.min(result, -Errno.EIO);
        }
        if (result == 0) {
            layers.written(block, BlockMap.BLOCK_BYTES);
            layers.checksums().written(scratch, block, BlockMap.BLOCK_BYTES);
        }
        return (int) result;
    }
}
