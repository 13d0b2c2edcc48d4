package io.farblock.kernel.vhost;

import io.farblock.block.BlockStore;
import io.farblock.daemon.VmDevice;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process that serves devices over disks in memory, all on two loops, and does what it is told on standard input.
 * Arguments: the devices' names. It answers each command with one line.
 */
final class DaemonProcess {
    static final int DISK_BYTES = 16 << 20;

    private static final int LOOPS = 2;
    private static final int MESSAGE_TIMEOUT_SECONDS = 60;
    private static final int DRAIN_SECONDS = 20;

    private final List<RamDisk> disks = new ArrayList<>();
    private final List<VmDevice> devices = new ArrayList<>();
    private final MultiThreadIoEventLoopGroup group =
            new MultiThreadIoEventLoopGroup(LOOPS, new DefaultThreadFactory("vm-queue"), EpollIoHandler.newFactory());

    private DaemonProcess() {}

    public static void main(String[] arguments) throws Exception {
        DaemonProcess daemon = new DaemonProcess();
        for (String name : arguments) {
            daemon.attach(name);
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String command = in.readLine(); command != null; command = in.readLine()) {
            System.out.println(daemon.obey(command.split(" ", -1)));
        }
        daemon.close();
    }

    private void attach(String name) throws Exception {
        List<IoEventLoop> loops = List.of(group.next(), group.next());
        RamDisk disk = new RamDisk(DISK_BYTES);
        List<BlockStore> stores = disk.open(loops);
        disks.add(disk);
        devices.add(new VmDevice(name, stores, loops, MESSAGE_TIMEOUT_SECONDS, DRAIN_SECONDS));
    }

    /** {@code paths}, {@code silent DISK}, {@code taken DISK COUNT}, {@code speak DISK} or {@code explain DISK}. */
    private String obey(String[] command) throws IOException {
        switch (command[0]) {
            case "paths" -> {
                return String.join(" ", devices.stream().map(VmDevice::path).toList());
            }
            case "silent" -> disk(command).fallSilent();
            case "taken" -> {
                int count = Integer.parseInt(command[2]);
                Await.until(count + " requests are taken", () -> disk(command).taken() >= count);
            }
            case "speak" -> disk(command).speak();
            case "explain" -> {
                return devices.get(Integer.parseInt(command[1])).explanation() + " "
                        + ProcessView.self().mappedVmBytes();
            }
            default -> throw new IllegalArgumentException(command[0]);
        }
        return "ok";
    }

    private RamDisk disk(String[] command) {
        return disks.get(Integer.parseInt(command[1]));
    }

    private void close() throws Exception {
        for (VmDevice device : devices) {
            device.close();
        }
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
