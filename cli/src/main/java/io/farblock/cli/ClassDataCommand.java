package io.farblock.cli;

import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.daemon.DaemonOptions;
import io.farblock.daemon.NodeDaemon;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * Loads the classes of the server, the daemon and the commands, for the launcher, which has the virtual machine keep
 * them in an archive: a start then costs about a third less.
 */
@Command(name = "class-data", hidden = true, description = "Load what the other commands load.")
final class ClassDataCommand implements Callable<Integer> {
    @Parameters(paramLabel = "DIRECTORY", description = "An empty directory.")
    private Path directory;

    @Override
    public Integer call() throws Exception {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        Path socket = directory.resolve("daemon.sock");
        NodeIdentity identity = NodeIdentity.ofThisHost(socket);
        try (StorageServer server = StorageServer.start(ServerOptions.of(directory.resolve("data"), anyPort, anyPort));
                NodeDaemon daemon = NodeDaemon.start(new DaemonOptions(socket, 1, identity.name(), identity.id()));
                AdminClient admin =
                        new AdminClient("127.0.0.1:" + server.adminAddress().getPort());
                NodeClient node = new NodeClient(socket)) {
            admin.call(stub -> stub.createVolume(CreateVolumeRequest.newBuilder()
                    .setName("class-data")
                    .setSizeBytes(1 << 20)
                    .build()));
            admin.call(stub -> stub.listVolumes(ListVolumesRequest.getDefaultInstance()));
            daemon.devices();
            node.call(stub -> stub.listDevices(ListDevicesRequest.getDefaultInstance()));
        }
        return ExitCode.OK;
    }
}
