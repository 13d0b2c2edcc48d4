package io.farblock.bench;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.UnixSocket;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtioFeatures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A virtio disk that another process serves over vhost-user, set up and running. From one thread. */
final class VhostUserDisk implements AutoCloseable {
    private static final long WANTED = VirtioFeatures.VERSION_1
            | VirtioFeatures.EVENT_IDX
            | VirtioFeatures.INDIRECT_DESC
            | VirtioFeatures.BLK_FLUSH
            | VirtioFeatures.BLK_MQ
            | VhostUserLink.F_PROTOCOL_FEATURES;
    private static final long NEEDED = WANTED & ~VirtioFeatures.BLK_MQ;

    private final DriverMemoryFile memory;
    private final VhostUserLink link;
    private final List<DriverQueue> queues = new ArrayList<>();

    /** Connects to a device and starts its first queues. */
    VhostUserDisk(String path, int queueCount) throws IOException {
        memory = new DriverMemoryFile((long) queueCount * DriverQueue.BYTES);
        link = new VhostUserLink(UnixSocket.connect(path));
        long offered = link.ask(VhostUserLink.GET_FEATURES);
        if ((offered & NEEDED) != NEEDED) {
            throw new IOException(path + " offers features 0x" + Long.toHexString(offered) + " only");
        }
        link.send(VhostUserLink.SET_OWNER, VhostUserLink.payload(0));
        long protocol = link.ask(VhostUserLink.GET_PROTOCOL_FEATURES) & VhostUserLink.PROTOCOL_F_MQ;
        link.send(VhostUserLink.SET_PROTOCOL_FEATURES, number(protocol));
        if (queueCount > 1 && link.ask(VhostUserLink.GET_QUEUE_NUM) < queueCount) {
            throw new IOException(path + " has less than " + queueCount + " queues");
        }
        link.send(VhostUserLink.SET_FEATURES, number(offered & WANTED));
        sendMemory();
        for (int i = 0; i < queueCount; i++) {
            queues.add(new DriverQueue(memory, DriverMemoryFile.BASE + (long) i * DriverQueue.BYTES));
            start(i);
        }
    }

    List<DriverQueue> queues() {
        return queues;
    }

    private void sendMemory() throws IOException {
        ByteBuffer table = VhostUserLink.payload(8 + 32);
        table.putInt(1).putInt(0);
        // Guest address, size, address in this process, offset in the file. The third is a name for the rings only.
        table.putLong(DriverMemoryFile.BASE).putLong(memory.lengthBytes());
        table.putLong(DriverMemoryFile.BASE).putLong(0);
        link.send(VhostUserLink.SET_MEM_TABLE, table.flip(), memory.file());
    }

    private void start(int index) throws IOException {
        DriverQueue queue = queues.get(index);
        VirtQueueAddresses ring = queue.addresses();
        link.send(VhostUserLink.SET_VRING_NUM, pair(index, ring.entries()));
        link.send(VhostUserLink.SET_VRING_BASE, pair(index, 0));
        ByteBuffer addresses = VhostUserLink.payload(40).putInt(index).putInt(0);
        addresses
                .putLong(ring.descriptorIova())
                .putLong(ring.usedIova())
                .putLong(ring.availIova())
                .putLong(0);
        link.send(VhostUserLink.SET_VRING_ADDR, addresses.flip());
        send(VhostUserLink.SET_VRING_CALL, index, queue.callFd().descriptor());
        send(VhostUserLink.SET_VRING_KICK, index, queue.kickFd().descriptor());
        link.send(VhostUserLink.SET_VRING_ENABLE, pair(index, 1));
    }

    private void send(int request, int index, FileDescriptor with) throws IOException {
        link.send(request, number(index), with);
    }

    private static ByteBuffer number(long value) {
        return VhostUserLink.payload(Long.BYTES).putLong(value).flip();
    }

    private static ByteBuffer pair(int index, int value) {
        return VhostUserLink.payload(2 * Integer.BYTES)
                .putInt(index)
                .putInt(value)
                .flip();
    }

    @Override
    public void close() {
        link.close();
        queues.forEach(DriverQueue::close);
        memory.close();
    }
}
