package io.farblock.cli;

import io.farblock.api.admin.Limits;
import io.farblock.api.admin.Names;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.api.admin.Volume;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code farblock volume set}: the limits of a volume. */
@Command(
        name = "set",
        description = "Limit how much a volume may be asked for, at once and also while it is attached.",
        footer = {
            "",
            "Requests beyond a limit wait in the device. Reads and writes count apart, flushes not at all. A limit of 0 is",
            "none; limits that are not given stay as they are.",
            "",
            "Examples:",
            "  farblock volume set mail --read-iops 2000 --write-iops 500 --burst 2s",
            "  farblock volume set mail --write-bytes-per-second 50M",
            "  farblock volume set mail --read-iops 0 --write-iops 0 --write-bytes-per-second 0"
        })
final class VolumeSetCommand implements Callable<Integer> {
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,7})(ms|s|m)");

    @ParentCommand
    private VolumeCommand parent;

    @Parameters(paramLabel = "NAME", description = "Name of the volume.")
    private String name;

    @Option(names = "--read-iops", paramLabel = "N", description = "Reads a second.")
    private Long readsPerSecond;

    @Option(names = "--write-iops", paramLabel = "N", description = "Writes and discards a second.")
    private Long writesPerSecond;

    @Option(names = "--read-bytes-per-second", paramLabel = "SIZE", description = "Read at most, such as 100M.")
    private String readBytes;

    @Option(names = "--write-bytes-per-second", paramLabel = "SIZE", description = "Written at most, such as 50M.")
    private String writeBytes;

    @Option(
            names = "--burst",
            paramLabel = "DURATION",
            description = "What was not asked for in so long a time may be asked for at once: 500ms, 10s or 5m;"
                    + " 100ms if there were no limits before.")
    private String burst;

    @Option(
            names = "--owner",
            paramLabel = "NODE",
            description =
                    "Node that may do everything with the volume, by the name in its certificate; as often as there"
                            + " are, in place of those before.")
    private List<String> owners;

    @Option(
            names = "--reader",
            paramLabel = "NODE",
            description = "Node that may read the volume; as often as there are, in place of those before.")
    private List<String> readers;

    @Mixin
    private Output output;

    @Override
    public Integer call() {
        SetVolumeRequest request = request();
        if (request.equals(SetVolumeRequest.newBuilder().setName(name).build())) {
            throw new CommandException(
                    ExitCode.USAGE, "nothing to set: give at least one limit, such as --read-iops 2000");
        }
        try (AdminClient client = parent.connect()) {
            Volume volume = client.call(stub -> stub.setVolume(request));
            String text =
                    "limits of " + name + ": " + (volume.hasLimits() ? inWords(volume.getLimits()) : "none") + "\n";
            output.print(volume, request.hasLimits() ? text : inWords(volume));
        }
        return ExitCode.OK;
    }

    private SetVolumeRequest request() {
        SetVolumeRequest.Builder request = SetVolumeRequest.newBuilder().setName(name);
        Limits limits = limits();
        if (!limits.equals(Limits.getDefaultInstance())) {
            request.setLimits(limits);
        }
        if (owners != null) {
            request.setOwners(Names.newBuilder().addAllNames(owners));
        }
        if (readers != null) {
            request.setReaders(Names.newBuilder().addAllNames(readers));
        }
        return request.build();
    }

    private String inWords(Volume volume) {
        return "owners of " + name + ": " + orNone(volume.getOwnersList()) + "; readers: "
                + orNone(volume.getReadersList()) + "\n";
    }

    private static String orNone(List<String> names) {
        return names.isEmpty() ? "none" : String.join(", ", names);
    }

    private Limits limits() {
        Limits.Builder limits = Limits.newBuilder();
        if (readsPerSecond != null) {
            limits.setReadsPerSecond(readsPerSecond);
        }
        if (writesPerSecond != null) {
            limits.setWritesPerSecond(writesPerSecond);
        }
        if (readBytes != null) {
            limits.setReadBytesPerSecond(Size.parse(readBytes));
        }
        if (writeBytes != null) {
            limits.setWriteBytesPerSecond(Size.parse(writeBytes));
        }
        if (burst != null) {
            limits.setBurstMillis(millis(burst));
        }
        return limits.build();
    }

    private static long millis(String text) {
        Matcher match = DURATION.matcher(text);
        if (!match.matches()) {
            throw new CommandException(ExitCode.USAGE, "'" + text + "' is no duration: write 500ms, 10s or 5m");
        }
        long number = Long.parseLong(match.group(1));
        return switch (match.group(2)) {
            case "ms" -> number;
            case "s" -> number * 1_000;
            default -> number * 60_000;
        };
    }

    /** Such as "2000 reads/s, 50M/s written, bursts of 100 ms". */
    static String inWords(Limits limits) {
        List<String> words = new ArrayList<>();
        add(words, limits.getReadsPerSecond(), limits.getReadsPerSecond() + " reads/s");
        add(words, limits.getWritesPerSecond(), limits.getWritesPerSecond() + " writes/s");
        add(words, limits.getReadBytesPerSecond(), Size.text(limits.getReadBytesPerSecond()) + "/s read");
        add(words, limits.getWriteBytesPerSecond(), Size.text(limits.getWriteBytesPerSecond()) + "/s written");
        words.add("bursts of " + limits.getBurstMillis() + " ms");
        return String.join(", ", words);
    }

    private static void add(List<String> words, long limit, String text) {
        if (limit != 0) {
            words.add(text);
        }
    }
}
