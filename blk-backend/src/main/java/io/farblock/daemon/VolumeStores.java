package io.farblock.daemon;

import io.farblock.api.node.DeviceRecord;
import io.farblock.block.BlockStore;
import io.farblock.daemon.DaemonException.Kind;
import io.netty.channel.IoEventLoop;
import java.util.List;

/** The stores of one volume: one for each queue, on the queue's loop, all of one session. */
final class VolumeStores {
    private final List<BlockStore> stores;

    private VolumeStores(List<BlockStore> stores) {
        this.stores = stores;
    }

    static VolumeStores open(DaemonOptions options, DeviceRecord record, List<IoEventLoop> loops)
            throws DaemonException {
        List<BlockStore> opened = List.of();
        if (opened.size() < loops.size()) {
            String server = record.getRequest().getServer();
            throw new DaemonException(Kind.UNREACHABLE, options.clientName() + " cannot reach " + server);
        }
        return new VolumeStores(opened);
    }

    List<BlockStore> stores() {
        return stores;
    }

    void close() {
        stores.forEach(BlockStore::close);
    }
}
