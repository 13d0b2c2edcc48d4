package io.farblock.cli;

import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.util.Values;
import io.farblock.cli.bench.QueuedLoad;
import io.farblock.cli.bench.Result;
import io.farblock.cli.bench.Shape;
import io.farblock.client.OpenFailedException;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.session.ClientOptions;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code farblock bench}: how fast a server is from here. */
@Command(
        name = "bench",
        description = "Measure how fast the server answers from this machine: network, server and its disk, no device.",
        footer = {
            "",
            "Only reads, unless --destroy-data is given; a volume that was never written to reads as zeros without",
            "touching a disk. Each measurement of writes ends with a flush, whose time counts.",
            "",
            "Examples:",
            "  farblock bench mail --server 10.0.0.5:7070",
            "  farblock volume create scratch --size 1G && farblock bench scratch --destroy-data"
        })
final class BenchCommand implements Callable<Integer> {
    private static final int SMALL_BYTES = 4096;
    private static final int LARGE_BYTES = 128 << 10;
    private static final int LARGE_DEPTH = 8;
    private static final int[] SMALL_DEPTHS = {1, 32};
    private static final int HEADS = 256;
    private static final int OPEN_SECONDS = 25;
    // A flush at the end may take its time, and a server may be away for a while; a command has to end.
    private static final int PATIENCE_SECONDS = 60;
    private static final int CLOSE_SECONDS = 3;
    private static final long SEED = 1;
    // What the daemon gives a device, if there are so many processors.
    private static final int DEVICE_QUEUES = 4;
    private static final int MAX_QUEUES = 16;

    @Parameters(paramLabel = "VOLUME", description = "Name of the volume.")
    private String volume;

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Data address of the storage server; FARBLOCK_SERVER, else ${DEFAULT-VALUE}.")
    private String server;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "3",
            description = "How long each measurement takes; ${DEFAULT-VALUE} if not given.")
    private int seconds;

    @Option(
            names = "--queues",
            paramLabel = "N",
            description = "How many connections share the requests, 1 to 16; as many as a device has if not given.")
    private int queues = Math.min(DEVICE_QUEUES, Runtime.getRuntime().availableProcessors());

    @Option(names = "--destroy-data", description = "Measure writes too: overwrites what the volume holds.")
    private boolean destroyData;

    @Mixin
    private LinkOptions links;

    @Mixin
    private Output output;

    @Override
    public Integer call() throws InterruptedException {
        if (seconds < 1) {
            throw new CommandException(ExitCode.USAGE, "--seconds is at least 1");
        }
        if (queues < 1 || queues > MAX_QUEUES) {
            throw new CommandException(ExitCode.USAGE, "--queues is 1 to " + MAX_QUEUES);
        }
        InetSocketAddress address = Endpoint.parse(server);
        Endpoint.requireSecure(links.security(), address);
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(queues, EpollIoHandler.newFactory());
        List<RemoteStore> stores = new ArrayList<>();
        try {
            open(address, loops, stores);
            List<Result> results = measure(stores);
            output.print(message(results), text(results));
        } finally {
            for (RemoteStore store : stores) {
                store.loop().execute(store::close);
                store.closed().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
            }
            loops.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
        }
        return ExitCode.OK;
    }

    private void open(InetSocketAddress address, MultiThreadIoEventLoopGroup loops, List<RemoteStore> stores)
            throws InterruptedException {
        ClientOptions options = new ClientOptions(volume, UUID.randomUUID(), "farblock bench", !destroyData, false);
        RemoteVolume opened =
                await(RemoteVolume.open(address, links.security(), options, HEADS, loops.next()), OPEN_SECONDS);
        stores.add(opened.store());
        for (int queue = 1; queue < queues; queue++) {
            stores.add(await(opened.openQueue(queue, loops.next()), OPEN_SECONDS));
        }
    }

    private List<Result> measure(List<RemoteStore> stores) throws InterruptedException {
        List<Result> results = new ArrayList<>();
        for (Shape shape : shapes()) {
            if (stores.get(0).info().sizeBytes() < shape.lengthBytes()) {
                throw new CommandException(ExitCode.REFUSED, "the volume is too small: it takes at least 128K");
            }
            // Once for the compiler, and not for the table.
            run(stores, shape, 1);
            results.add(run(stores, shape, seconds));
        }
        return results;
    }

    private Result run(List<RemoteStore> stores, Shape shape, int forSeconds) throws InterruptedException {
        long nanos = TimeUnit.SECONDS.toNanos(forSeconds);
        return await(QueuedLoad.start(stores, shape, SEED, nanos), forSeconds + PATIENCE_SECONDS);
    }

    private List<Shape> shapes() {
        List<Shape> shapes = new ArrayList<>();
        for (int write = 0; write <= (destroyData ? 1 : 0); write++) {
            for (int depth : SMALL_DEPTHS) {
                shapes.add(new Shape(write == 1, false, SMALL_BYTES, depth));
            }
            shapes.add(new Shape(write == 1, true, LARGE_BYTES, LARGE_DEPTH));
        }
        return shapes;
    }

    private <T> T await(CompletableFuture<T> future, int forSeconds) throws InterruptedException {
        try {
            return future.get(forSeconds, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } catch (TimeoutException e) {
            throw new CommandException(ExitCode.UNREACHABLE, "no answer from " + server + " any more", e);
        }
    }

    private static CommandException failure(Throwable cause) {
        int code = ExitCode.FAILED;
        if (cause instanceof OpenFailedException refused) {
            int refusal = refused.isNoSuchVolume() ? ExitCode.NOT_FOUND : ExitCode.REFUSED;
            code = refused.isUnreachable() ? ExitCode.UNREACHABLE : refusal;
        }
        return new CommandException(code, cause.getMessage(), cause);
    }

    private static String text(List<Result> results) {
        Table table = new Table("LOAD", "IOPS", "PER SECOND", "P50 US", "P99 US", "P99.9 US");
        for (Result result : results) {
            table.row(
                    result.shape().toString(),
                    String.format(Locale.ROOT, "%.0f", result.iops()),
                    Size.text((long) result.bytesPerSecond()),
                    micros(result, 50),
                    micros(result, 99),
                    micros(result, 99.9));
        }
        return table.text();
    }

    private static String micros(Result result, double percentile) {
        return String.format(Locale.ROOT, "%.0f", result.percentileMicros(percentile));
    }

    private static Struct message(List<Result> results) {
        ListValue.Builder loads = ListValue.newBuilder();
        for (Result result : results) {
            loads.addValues(Values.of(Struct.newBuilder()
                    .putFields("load", Values.of(result.shape().toString()))
                    .putFields("requests", Values.of((double) result.requests()))
                    .putFields("seconds", Values.of(result.seconds()))
                    .putFields("iops", Values.of(result.iops()))
                    .putFields("p50_us", Values.of(result.percentileMicros(50)))
                    .putFields("p99_us", Values.of(result.percentileMicros(99)))
                    .putFields("p999_us", Values.of(result.percentileMicros(99.9)))
                    .build()));
        }
        return Struct.newBuilder().putFields("loads", Values.of(loads.build())).build();
    }
}
