package io.farblock.cli;

import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.farblock.api.admin.GetServerRequest;
import io.farblock.api.admin.Server;
import io.farblock.api.node.Daemon;
import io.farblock.api.node.Device;
import io.farblock.api.node.GetDaemonRequest;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.api.node.Target;
import io.farblock.cli.doctor.DataChecks;
import io.farblock.cli.doctor.Finding;
import io.farblock.cli.doctor.Findings;
import io.farblock.cli.doctor.KernelChecks;
import io.farblock.cli.doctor.Machine;
import io.farblock.cli.doctor.PeerChecks;
import io.farblock.cli.doctor.ProcessChecks;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code farblock doctor}: says what is missing, and the command that mends it. */
@Command(
        name = "doctor",
        description = "Look at this machine, its daemon and its server, and name the command that mends what is wrong.",
        footer = {
            "",
            "It changes nothing. The exit code is 1 if something that is needed is broken.",
            "",
            "Examples:",
            "  farblock doctor",
            "  farblock doctor --only server --data /var/lib/farblock",
            "  farblock doctor --json"
        })
final class DoctorCommand implements Callable<Integer> {
    /** What a machine is used for. */
    enum Role {
        node,
        server
    }

    @Mixin
    private LinkOptions links;

    @Mixin
    private NodeOptions node;

    @Mixin
    private Output output;

    @Option(
            names = "--only",
            paramLabel = "node|server",
            description = "Look only at what a machine needs that has devices (node), or that keeps data (server).")
    private Role only;

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Data address of the storage server; FARBLOCK_SERVER, else ${DEFAULT-VALUE}.")
    private String server;

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_ADMIN:-127.0.0.1:7071}",
            description = "Admin address of the storage server; FARBLOCK_ADMIN, else ${DEFAULT-VALUE}.")
    private String admin;

    @Option(
            names = "--data",
            paramLabel = "DIRECTORY",
            description = "Data directory of the server on this machine; by default the one it says it has.")
    private Path data;

    @Option(names = "--root", hidden = true, defaultValue = "/")
    private Path root;

    @Override
    public Integer call() {
        Findings findings = new Findings();
        Machine machine = new Machine(root);
        if (only != Role.server) {
            KernelChecks.run(machine, findings);
        }
        ProcessChecks.java(Runtime.version().feature(), findings);
        if (links.security().isEncrypted()) {
            ProcessChecks.certificate(
                    links.security().identity().toString(), links.security().warning(), findings);
        }
        if (only != Role.server) {
            ProcessChecks.run(machine, findings);
            PeerChecks.dataPort(Endpoint.parse(server), findings);
            daemon(findings);
        }
        if (only != Role.node) {
            server(machine, findings);
        }
        output.print(json(findings), text(findings));
        return findings.hasProblem() ? ExitCode.FAILED : ExitCode.OK;
    }

    private void daemon(Findings findings) {
        try (NodeClient client = new NodeClient(node.socket())) {
            Daemon daemon = client.call(stub -> stub.getDaemon(GetDaemonRequest.getDefaultInstance()));
            PeerChecks.daemon("process " + daemon.getProcessId() + ", " + daemon.getDevices() + " devices", findings);
            for (Device device : client.call(stub -> stub.listDevices(ListDevicesRequest.getDefaultInstance()))
                    .getDevicesList()) {
                if (device.getState().equals("orphaned")) {
                    PeerChecks.orphan(device.getName(), findings);
                } else if (device.getTarget() == Target.TARGET_VM
                        && !device.getPath().isEmpty()) {
                    PeerChecks.machine(device.getName(), device.getPath(), device.getExplanation(), findings);
                }
            }
        } catch (CommandException e) {
            PeerChecks.noDaemon(e.getMessage(), findings);
        }
    }

    private void server(Machine machine, Findings findings) {
        Path directory = data;
        try (AdminClient client = new AdminClient(admin, links.security())) {
            Server answer = client.call(stub -> stub.getServer(GetServerRequest.getDefaultInstance()));
            PeerChecks.server(admin + ", " + answer.getVolumes() + " volumes", findings);
            boolean isLocal = Endpoint.parse(admin).getAddress().isLoopbackAddress();
            if (directory == null && isLocal) {
                directory = Path.of(answer.getDataDirectory());
            }
        } catch (CommandException e) {
            PeerChecks.noServer(e.getMessage(), findings);
        }
        if (directory != null) {
            DataChecks.run(machine, directory, findings);
        }
    }

    private static String text(Findings findings) {
        Table table = new Table("CHECK", "RESULT", "FOUND", "MEND IT WITH");
        for (Finding finding : findings.list()) {
            String mark = finding.severity().name().toLowerCase(Locale.ROOT);
            table.row(finding.check(), mark, finding.what(), finding.remedy());
        }
        return table.text();
    }

    private static Struct json(Findings findings) {
        ListValue.Builder list = ListValue.newBuilder();
        for (Finding finding : findings.list()) {
            list.addValues(Value.newBuilder()
                    .setStructValue(Struct.newBuilder()
                            .putFields("check", string(finding.check()))
                            .putFields(
                                    "severity", string(finding.severity().name().toLowerCase(Locale.ROOT)))
                            .putFields("found", string(finding.what()))
                            .putFields("remedy", string(finding.remedy()))));
        }
        Value checks = Value.newBuilder().setListValue(list).build();
        return Struct.newBuilder()
                .putFields(
                        "ok",
                        Value.newBuilder().setBoolValue(!findings.hasProblem()).build())
                .putFields("checks", checks)
                .build();
    }

    private static Value string(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }
}
