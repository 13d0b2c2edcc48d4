package io.farblock.device;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.device.DriverChain.Buffer;
import io.farblock.virtio.ChainFault;
import io.farblock.virtio.DescriptorChain;
import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.SplitRingLayout;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtQueueException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A driver that builds valid requests and rings and then breaks exactly one rule, again and again.
 *
 * <p>Each broken request must be refused for that rule and no other, end with the right status, and change no byte but
 * its status; each broken ring must stop the queue. A valid request of another kind follows and must work. Everything
 * comes from one seed.
 */
final class HostileSuite {
    /** How a broken request must end. */
    private enum End {
        IOERR,
        UNSUPP,
        NO_STATUS
    }

    /** Breaks the valid request that was just built; may build another. */
    private interface Break {
        End apply(Disk disk);
    }

    private record Rule(String name, Enum<?> fault, Disk disk, Break breaking) {}

    /** One disk with a driver, and the eyes with which the suite looks at a chain before the device does. */
    private final class Disk {
        final BlkDriver blk;
        final BlkRequests requests;
        final DescriptorChain eye;
        final BlkRequestParser parserEye;
        final BlockRequest requestEye = new BlockRequest(0, (request, status) -> {});
        final boolean indirect;
        Runnable afterWrite;

        Disk(int blockSizeBytes, boolean readOnly, boolean discards, boolean indirect, boolean eventIdx) {
            this.indirect = indirect;
            blk = new BlkDriver(BlkDriver.info(blockSizeBytes, readOnly, discards), eventIdx);
            blk.memory.fill(random);
            requests = new BlkRequests(blk.memory, blk.store.info(), indirect, random);
            eye = new DescriptorChain(BlkLimits.CHAIN_DESCRIPTORS, BlkLimits.CHAIN_BYTES, indirect);
            parserEye = new BlkRequestParser(blk.store.info(), BlkDriver.SERIAL);
            start();
        }

        void start() {
            try {
                blk.start(BlkDriver.addresses(), indirect, random.nextInt(65536));
            } catch (VirtQueueException e) {
                throw failure("a sound ring was refused: " + e.getMessage());
            }
        }

        DriverChain build(int type) {
            return requests.build(type);
        }

        Buffer buffer(int index) {
            return requests.chain.buffers.get(index);
        }

        int lastIndex() {
            return requests.chain.lastIndex();
        }

        long descriptor(int buffer) {
            return requests.chain.descriptorIova(blk.driver, buffer);
        }

        void write() {
            requests.chain.write(blk.memory, blk.driver, random);
        }
    }

    private final long seed;
    private final Random random;
    private final Map<String, Integer> hits = new TreeMap<>();
    private final List<Rule> rules = new ArrayList<>();
    private final List<Disk> disks = new ArrayList<>();
    private final Disk plain;
    private final Disk large;
    private final Disk readOnly;
    private final Disk directOnly;

    HostileSuite(long seed) {
        this.seed = seed;
        random = new Random(seed);
        plain = disk(512, false, true, true, true);
        large = disk(4096, false, true, true, false);
        readOnly = disk(512, true, false, true, true);
        directOnly = disk(512, false, false, false, false);
        chainRules();
        memoryRules();
        requestRules();
        rangeRules();
    }

    private Disk disk(int blockSizeBytes, boolean isReadOnly, boolean discards, boolean indirect, boolean eventIdx) {
        Disk disk = new Disk(blockSizeBytes, isReadOnly, discards, indirect, eventIdx);
        disks.add(disk);
        return disk;
    }

    /** Runs every rule this often; returns the hits of each. */
    Map<String, Integer> run(int times) {
        try {
            for (int i = 0; i < times; i++) {
                for (Rule rule : rules) {
                    request(rule);
                }
                rings();
                stops();
                tellsTruthOnce();
                storeError();
            }
            for (Disk disk : disks) {
                everythingGivenBack(disk);
            }
            return hits;
        } finally {
            disks.forEach(disk -> disk.blk.close());
        }
    }

    private void hit(String name) {
        hits.merge(name, 1, Integer::sum);
    }

    private AssertionError failure(String text) {
        return new AssertionError(text + " (seed " + seed + ")");
    }

    private void require(boolean condition, String text) {
        if (!condition) {
            throw failure(text);
        }
    }

    private void rule(String name, Enum<?> fault, Disk disk, Break breaking) {
        rules.add(new Rule(name, fault, disk, breaking));
    }

    // ---- requests

    private void request(Rule rule) {
        Disk disk = rule.disk;
        disk.afterWrite = () -> {};
        disk.build(disk.requests.anyType());
        End end = rule.breaking.apply(disk);
        disk.write();
        disk.afterWrite.run();
        DriverChain chain = disk.requests.chain;
        Enum<?> seen = look(disk, chain.head);
        require(seen == rule.fault, rule.name + " was seen as " + seen);
        hit(rule.name);
        refused(disk, rule.name, chain.head, end);
        good(disk);
    }

    /** What the device's own checks say of a chain. */
    private Enum<?> look(Disk disk, int head) {
        ChainFault fault = disk.eye.walk(disk.blk.ring, disk.blk.deviceMemory, head);
        if (fault != null) {
            return fault;
        }
        if (disk.eye.writableBytes() == 0) {
            return RequestFault.STATUS_MISSING;
        }
        return disk.parserEye.parse(disk.eye, disk.requestEye);
    }

    private void refused(Disk disk, String name, int head, End end) {
        BlkDriver blk = disk.blk;
        int submitted = blk.store.submittedCount();
        long malformed = blk.queue.counters().malformed();
        blk.offer(head);
        blk.finishAll();
        require(blk.stopReason == null, name + " stopped the queue: " + blk.stopReason);
        require(blk.store.submittedCount() == submitted, name + " reached the store");
        require(blk.queue.counters().malformed() == malformed + 1, name + " was not counted");
        int expectedLength = end == End.NO_STATUS ? 0 : 1;
        givenBack(disk, name, head, expectedLength);
        if (end != End.NO_STATUS) {
            int status = end == End.UNSUPP ? BlkLayout.STATUS_UNSUPP : BlkLayout.STATUS_IOERR;
            blk.memory.expect(disk.requests.statusIova(), status);
            int actual = blk.memory.u8(disk.requests.statusIova());
            require(actual == status, name + " ended with status " + actual + " and not " + status);
        }
        untouched(disk, name);
    }

    private void givenBack(Disk disk, String name, int head, int length) {
        int used = disk.blk.driver.collect();
        require(used == head, name + ": head " + head + " was offered and " + used + " given back");
        int actual = disk.blk.driver.collectedLength();
        require(actual == length, name + ": written length " + actual + " and not " + length);
        require(disk.blk.driver.collect() == GuestDriver.NONE, name + ": given back twice");
        require(disk.blk.queue.inFlight() == 0, name + ": " + disk.blk.queue.inFlight() + " in flight at the end");
        require(disk.blk.deviceMemory.epoch().users() == 0, name + ": memory is still in use at the end");
    }

    private void untouched(Disk disk, String name) {
        disk.blk.driver.allowUsedRing();
        String change = disk.blk.memory.unexpectedChange();
        require(change == null, name + ": " + change);
    }

    private void good(Disk disk) {
        disk.build(disk.requests.anyType());
        disk.write();
        goodWritten(disk, "a good request");
    }

    /** Offers the valid request that was written last and checks what came of it. */
    private void goodWritten(Disk disk, String name) {
        BlkDriver blk = disk.blk;
        DriverChain chain = disk.requests.chain;
        blk.offer(chain.head);
        blk.finishAll();
        require(blk.stopReason == null, name + " stopped the queue: " + blk.stopReason);
        int type = disk.requests.type;
        int readBytes = type == BlkLayout.TYPE_IN
                ? disk.requests.blocks * blk.store.info().blockSizeBytes()
                : type == BlkLayout.TYPE_GET_ID ? BlkLayout.ID_BYTES : 0;
        givenBack(disk, name, chain.head, readBytes + 1);
        blk.memory.expect(disk.requests.statusIova(), BlkLayout.STATUS_OK);
        require(
                blk.memory.u8(disk.requests.statusIova()) == BlkLayout.STATUS_OK,
                name + " of type " + type + " failed");
        data(disk, type, readBytes);
        untouched(disk, name + " of type " + type);
    }

    private void data(Disk disk, int type, int readBytes) {
        long at = disk.requests.sector * BlkLayout.SECTOR_BYTES;
        int position = 0;
        for (int i = disk.requests.firstData; i <= disk.lastIndex(); i++) {
            Buffer buffer = disk.buffer(i);
            for (int b = 0; b < buffer.length; b++) {
                if (type == BlkLayout.TYPE_OUT && !buffer.write) {
                    int stored = disk.blk.store.diskByte(at + position++) & 0xFF;
                    require(stored == disk.blk.memory.u8(buffer.address + b), "a written byte is not on the disk");
                } else if (buffer.write && position < readBytes) {
                    int expected = type == BlkLayout.TYPE_IN
                            ? disk.blk.store.diskByte(at + position)
                            : BlkDriver.SERIAL[position];
                    disk.blk.memory.expect(buffer.address + b, expected);
                    position++;
                }
            }
        }
    }

    // ---- rules about chains (section 9, 4 to 10)

    private void chainRules() {
        for (Disk disk : List.of(plain, directOnly)) {
            String where = disk.indirect ? "" : ", direct";
            rule("04 next outside of the table" + where, ChainFault.NEXT_OUTSIDE_TABLE, disk, d -> {
                DriverChain chain = d.requests.chain;
                int victim = random.nextInt(d.lastIndex());
                int entries = victim < chain.direct ? BlkDriver.ENTRIES : chain.tableEntries();
                if (victim < chain.direct && victim == chain.direct - 1 && chain.isIndirect()) {
                    victim = chain.direct;
                    entries = chain.tableEntries();
                    if (victim == d.lastIndex()) {
                        victim = chain.direct - 1;
                        entries = BlkDriver.ENTRIES;
                    }
                }
                int broken = victim;
                int next = random.nextInt(3) == 0 ? entries : entries + random.nextInt(65536 - entries);
                d.afterWrite = () -> DriverChain.putNext(d.blk.memory, d.descriptor(broken), next);
                return End.NO_STATUS;
            });
            rule("04 a loop" + where, ChainFault.TOO_MANY_DESCRIPTORS, disk, d -> {
                d.build(BlkLayout.TYPE_FLUSH);
                int victim = d.lastIndex();
                d.afterWrite = () -> {
                    DriverChain.putFlags(
                            d.blk.memory, d.descriptor(victim), SplitRingLayout.FLAG_NEXT | SplitRingLayout.FLAG_WRITE);
                    DriverChain.putNext(d.blk.memory, d.descriptor(victim), d.requests.chain.index(victim));
                };
                return End.NO_STATUS;
            });
        }
        rule("05 indirect, not negotiated", ChainFault.INDIRECT_NOT_NEGOTIATED, directOnly, d -> {
            d.requests.chain.direct = 0;
            d.requests.chain.tableIova = d.requests.take(16 * 64);
            return End.NO_STATUS;
        });
        rule("05 indirect with next", ChainFault.INDIRECT_WITH_NEXT, plain, d -> {
            forceIndirect(d);
            d.afterWrite = () -> addFlag(d, indirectDescriptor(d), SplitRingLayout.FLAG_NEXT);
            return End.NO_STATUS;
        });
        rule("05 indirect in indirect", ChainFault.INDIRECT_NESTED, plain, d -> {
            forceIndirect(d);
            int victim = d.requests.chain.direct + random.nextInt(d.requests.chain.tableEntries());
            d.afterWrite =
                    () -> DriverChain.putFlags(d.blk.memory, d.descriptor(victim), SplitRingLayout.FLAG_INDIRECT);
            return End.NO_STATUS;
        });
        indirectLength("zero", () -> 0);
        indirectLength("not a multiple of 16", () -> 16 * random.nextInt(10) + 1 + random.nextInt(15));
        indirectLength("too long", () -> 16L * (BlkLimits.CHAIN_DESCRIPTORS + 1 + random.nextInt(1 << 20)));
        indirectAddress("in a hole", () -> BlkDriver.HOLE + random.nextInt(1000));
        indirectAddress("over the end", () -> BlkDriver.HOLE - 8);
        indirectAddress("not readable", () -> BlkDriver.WRITE_ONLY + random.nextInt(1000));
        indirectAddress("around the end of addresses", () -> -8);
        rule("07 a descriptor of length zero", ChainFault.ZERO_LENGTH, plain, d -> {
            int victim = random.nextInt(d.lastIndex() + 1);
            d.buffer(victim).length = 0;
            return victim == d.lastIndex() ? End.NO_STATUS : End.IOERR;
        });
        rule("07 readable behind writable", ChainFault.READABLE_AFTER_WRITABLE, plain, d -> {
            d.requests.chain.buffers.add(0, new Buffer(d.requests.take(7), 7, true));
            d.requests.place();
            return End.IOERR;
        });
        rule("09 too long by one buffer", ChainFault.TOO_LONG, plain, d -> {
            long length = BlkLimits.CHAIN_BYTES - 16 + random.nextInt(1 << 20);
            insertData(d, BlkDriver.HIGH + random.nextInt(1 << 20), length, random.nextBoolean());
            return End.IOERR;
        });
        rule("09 too long by the largest length there is", ChainFault.TOO_LONG, plain, d -> {
            insertData(d, BlkDriver.HIGH, 0xFFFF_FFFFL, random.nextBoolean());
            return End.IOERR;
        });
        rule("09 too long together", ChainFault.TOO_LONG, plain, d -> {
            d.build(BlkLayout.TYPE_IN);
            for (int i = 0; i < 3; i++) {
                insertData(d, BlkDriver.HIGH + (1L << 30) - (3 << 20), 6 << 20, true);
            }
            return End.IOERR;
        });
    }

    private void insertData(Disk d, long address, long length, boolean write) {
        List<Buffer> buffers = d.requests.chain.buffers;
        boolean writable = write || buffers.get(d.requests.firstData - 1).write;
        buffers.add(d.requests.firstData, new Buffer(address, length, writable));
        if (writable) {
            // Only writable ones may follow.
            buffers.subList(d.requests.firstData, buffers.size()).forEach(buffer -> buffer.write = true);
        }
        d.requests.place();
    }

    private void forceIndirect(Disk d) {
        DriverChain chain = d.requests.chain;
        if (!chain.isIndirect()) {
            chain.direct = random.nextInt(chain.buffers.size());
            chain.tableIova = d.requests.take(16 * 64);
        }
    }

    private long indirectDescriptor(Disk d) {
        return d.requests.chain.indirectDescriptorIova(d.blk.driver);
    }

    private static void addFlag(Disk d, long descriptor, int flag) {
        DriverChain.putFlags(d.blk.memory, descriptor, DriverChain.flags(d.blk.memory, descriptor) | flag);
    }

    private interface Value {
        long get();
    }

    private void indirectLength(String name, Value length) {
        rule("05 indirect table, length " + name, ChainFault.INDIRECT_LENGTH, plain, d -> {
            forceIndirect(d);
            d.afterWrite = () -> DriverChain.putLength(d.blk.memory, indirectDescriptor(d), length.get());
            return End.NO_STATUS;
        });
    }

    private void indirectAddress(String name, Value address) {
        rule("05 indirect table " + name, ChainFault.INDIRECT_OUTSIDE_MEMORY, plain, d -> {
            forceIndirect(d);
            d.afterWrite = () -> DriverChain.putAddress(d.blk.memory, indirectDescriptor(d), address.get());
            return End.NO_STATUS;
        });
    }

    // ---- rules about memory (section 9, 8)

    private void memoryRules() {
        misplaced("in a hole", (buffer, d) -> buffer.address = BlkDriver.HOLE + random.nextInt(4096));
        misplaced("over the end of a region", (buffer, d) -> buffer.address = BlkDriver.HOLE - buffer.length / 2);
        misplaced(
                "over the end of the high region",
                (buffer, d) -> buffer.address = BlkDriver.HIGH + BlkDriver.HIGH_BYTES - buffer.length / 2);
        misplaced("around the end of addresses", (buffer, d) -> {
            buffer.length += 2;
            buffer.address = -buffer.length / 2;
        });
        misplaced(
                "against its permission",
                (buffer, d) -> buffer.address =
                        (buffer.write ? BlkDriver.READ_ONLY : BlkDriver.WRITE_ONLY) + random.nextInt(4096));
        misplaced("in more pieces than there is room for", (buffer, d) -> {
            buffer.length = 16L * (BlkDriver.CRUMB_COUNT - 10);
            buffer.address = BlkDriver.CRUMBS + random.nextInt(100);
        });
    }

    private interface Misplace {
        void apply(Buffer buffer, Disk disk);
    }

    private void misplaced(String name, Misplace misplace) {
        rule("08 a buffer " + name, ChainFault.OUTSIDE_MEMORY, plain, d -> {
            d.build(random.nextBoolean() ? BlkLayout.TYPE_IN : BlkLayout.TYPE_OUT);
            if (d.buffer(d.lastIndex()).length > 1) {
                d.buffer(d.lastIndex()).length--;
                d.requests.chain.add(d.requests.take(1), 1, true);
                d.requests.place();
            }
            int victim = random.nextInt(d.lastIndex());
            Buffer buffer = d.buffer(victim);
            if (buffer.length < 2) {
                buffer.length = 2;
            }
            misplace.apply(buffer, d);
            return End.IOERR;
        });
        rule("08 a status " + name, ChainFault.OUTSIDE_MEMORY, plain, d -> {
            Buffer status = d.buffer(d.lastIndex());
            status.length = 2;
            misplace.apply(status, d);
            return End.NO_STATUS;
        });
    }

    // ---- rules about requests (section 9, 11 to 17)

    private void requestRules() {
        rule("11 a header cut short", RequestFault.HEADER_MISSING, plain, d -> {
            List<Buffer> buffers = d.requests.chain.buffers;
            d.build(random.nextBoolean() ? BlkLayout.TYPE_FLUSH : BlkLayout.TYPE_IN);
            List<Buffer> header = d.requests.chain.buffers.subList(0, d.requests.firstData);
            Buffer last = header.get(header.size() - 1);
            if (last.length > 1) {
                last.length -= 1 + random.nextInt((int) last.length - 1);
            } else {
                header.remove(header.size() - 1);
            }
            require(buffers != d.requests.chain.buffers, "built anew");
            d.requests.place();
            return End.IOERR;
        });
        rule("11 no room for a status", RequestFault.STATUS_MISSING, plain, d -> {
            d.build(random.nextBoolean() ? BlkLayout.TYPE_FLUSH : BlkLayout.TYPE_OUT);
            d.requests.chain.buffers.remove(d.lastIndex());
            d.requests.place();
            return End.NO_STATUS;
        });
        outsideDisk("beyond the end", d -> capacity(d) + (long) blockSectors(d) * random.nextInt(1000));
        outsideDisk("over the end", d -> capacity(d) - (d.requests.blocks - 1L) * blockSectors(d));
        outsideDisk("negative", d -> -blockSectors(d) * (1L + random.nextInt(1000)));
        outsideDisk("that overflows in bytes", d -> (1L << 55) + blockSectors(d) * (long) random.nextInt(1000));
        outsideDisk("that overflows when added", d -> Long.MAX_VALUE / 8 * 8);
        rule("12 a sector inside a block", RequestFault.OUTSIDE_DISK, large, d -> {
            d.build(dataType());
            d.requests.putHeader(
                    d.requests.type, d.requests.sector + 1 + random.nextInt(7) - (d.requests.sector > 0 ? 8 : 0));
            return End.IOERR;
        });
        rule("12 data that is no whole block", RequestFault.DATA_LENGTH, large, d -> {
            d.build(dataType());
            resizeData(d, random.nextBoolean() ? 512 * (1 + random.nextInt(7)) : 1 + random.nextInt(4095));
            return End.IOERR;
        });
        rule("12 data that is no whole sector", RequestFault.DATA_LENGTH, plain, d -> {
            d.build(dataType());
            resizeData(d, 512 * random.nextInt(3) + 1 + random.nextInt(511));
            return End.IOERR;
        });
        rule("12 no data", RequestFault.DATA_LENGTH, plain, d -> {
            d.build(BlkLayout.TYPE_FLUSH);
            d.requests.putHeader(dataType(), 0);
            return End.IOERR;
        });
        rule("13 a read with readable data", RequestFault.DATA_DIRECTION, plain, d -> {
            d.build(BlkLayout.TYPE_IN);
            d.requests.chain.buffers.add(d.requests.firstData, new Buffer(d.requests.take(512), 512, false));
            d.requests.place();
            return End.IOERR;
        });
        rule("13 a write with writable data", RequestFault.DATA_DIRECTION, plain, d -> {
            d.build(BlkLayout.TYPE_OUT);
            d.requests.chain.buffers.add(d.lastIndex(), new Buffer(d.requests.take(512), 512, true));
            d.requests.place();
            return End.IOERR;
        });
        rule("14 a write of a read-only disk", RequestFault.READ_ONLY, readOnly, d -> {
            d.build(BlkLayout.TYPE_OUT);
            return End.IOERR;
        });
        rule("14 a discard of a read-only disk", RequestFault.READ_ONLY, readOnly, d -> {
            d.build(random.nextBoolean() ? BlkLayout.TYPE_DISCARD : BlkLayout.TYPE_WRITE_ZEROES);
            return End.IOERR;
        });
        rule("16 too little room for the serial", RequestFault.ID_LENGTH, plain, d -> {
            d.build(BlkLayout.TYPE_GET_ID);
            d.requests
                    .chain
                    .buffers
                    .subList(d.requests.firstData, d.requests.chain.buffers.size())
                    .clear();
            int room = random.nextInt(BlkLayout.ID_BYTES);
            d.requests.chain.add(d.requests.take(room + 1), room + 1, true);
            d.requests.place();
            return End.IOERR;
        });
        rule("17 a type nobody knows", RequestFault.UNKNOWN_TYPE, plain, d -> {
            d.requests.putHeader(14 + random.nextInt(1 << 20), d.requests.sector);
            return End.UNSUPP;
        });
        rule("15 a discard that was not offered", RequestFault.UNKNOWN_TYPE, directOnly, d -> {
            d.build(random.nextBoolean() ? BlkLayout.TYPE_DISCARD : BlkLayout.TYPE_WRITE_ZEROES);
            return End.UNSUPP;
        });
    }

    private interface SectorOf {
        long get(Disk disk);
    }

    private void outsideDisk(String name, SectorOf where) {
        for (Disk disk : List.of(plain, large)) {
            rule("12 a sector " + name + (disk == large ? ", 4096" : ""), RequestFault.OUTSIDE_DISK, disk, d -> {
                do {
                    d.build(dataType());
                } while (d.requests.blocks < 2);
                d.requests.putHeader(d.requests.type, where.get(d));
                return End.IOERR;
            });
        }
    }

    private int dataType() {
        return random.nextBoolean() ? BlkLayout.TYPE_IN : BlkLayout.TYPE_OUT;
    }

    private static long capacity(Disk d) {
        return BlkConfigSpace.capacitySectors(d.blk.store.info());
    }

    private static int blockSectors(Disk d) {
        return d.blk.store.info().blockSizeBytes() / BlkLayout.SECTOR_BYTES;
    }

    private void resizeData(Disk d, int length) {
        List<Buffer> buffers = d.requests.chain.buffers;
        buffers.subList(d.requests.firstData, buffers.size()).clear();
        boolean write = d.requests.type == BlkLayout.TYPE_IN;
        buffers.add(new Buffer(d.requests.take(length), length, write));
        buffers.add(new Buffer(d.requests.take(1), 1, true));
        d.requests.place();
    }

    // ---- rules about discards and writes of zeros (section 9, 15)

    private void rangeRules() {
        range("no range", RequestFault.RANGE_COUNT, End.IOERR, d -> resizeRanges(d, 0));
        range(
                "a broken range",
                RequestFault.RANGE_COUNT,
                End.IOERR,
                d -> resizeRanges(d, 16 * random.nextInt(4) + 1 + random.nextInt(15)));
        range(
                "too many ranges",
                RequestFault.RANGE_COUNT,
                End.IOERR,
                d -> resizeRanges(d, 16 * (5 + random.nextInt(9))));
        range("an empty range", RequestFault.RANGE_LENGTH, End.IOERR, d -> d.requests.putRange(0, 0, 0, 0));
        range(
                "too long a range",
                RequestFault.RANGE_LENGTH,
                End.IOERR,
                d -> d.requests.putRange(0, 0, 128 + blockSectors(d) * (1 + random.nextInt(64)), 0));
        range(
                "the longest range there is",
                RequestFault.RANGE_LENGTH,
                End.IOERR,
                d -> d.requests.putRange(0, 0, -blockSectors(d), 0));
        range(
                "unknown flags",
                RequestFault.RANGE_FLAGS,
                End.UNSUPP,
                d -> d.requests.putRange(0, 0, blockSectors(d), 2 << random.nextInt(31)));
        range(
                "a range beyond the disk",
                RequestFault.OUTSIDE_DISK,
                End.IOERR,
                d -> d.requests.putRange(0, capacity(d), blockSectors(d), 0));
        range(
                "a range with a negative sector",
                RequestFault.OUTSIDE_DISK,
                End.IOERR,
                d -> d.requests.putRange(0, -blockSectors(d), blockSectors(d), 0));
        range("writable data", RequestFault.DATA_DIRECTION, End.IOERR, d -> {
            d.requests.chain.buffers.add(d.lastIndex(), new Buffer(d.requests.take(16), 16, true));
            d.requests.place();
        });
        rule("15 a discard that unmaps", RequestFault.RANGE_FLAGS, plain, d -> {
            d.build(BlkLayout.TYPE_DISCARD);
            d.requests.putRange(0, 0, 1, BlkLayout.RANGE_FLAG_UNMAP);
            return End.UNSUPP;
        });
        rule("15 an unaligned length", RequestFault.RANGE_LENGTH, large, d -> {
            d.build(BlkLayout.TYPE_DISCARD);
            d.requests.putRange(0, 0, 1 + random.nextInt(7), 0);
            return End.IOERR;
        });
    }

    private interface BreakRange {
        void apply(Disk disk);
    }

    private void range(String name, RequestFault fault, End end, BreakRange breaking) {
        for (Disk disk : List.of(plain, large)) {
            rule("15 " + name + (disk == large ? ", 4096" : ""), fault, disk, d -> {
                d.build(random.nextBoolean() ? BlkLayout.TYPE_DISCARD : BlkLayout.TYPE_WRITE_ZEROES);
                breaking.apply(d);
                return end;
            });
        }
    }

    private void resizeRanges(Disk d, int length) {
        List<Buffer> buffers = d.requests.chain.buffers;
        buffers.subList(d.requests.firstData, buffers.size()).clear();
        if (length > 0) {
            buffers.add(new Buffer(d.requests.take(length), length, false));
        }
        buffers.add(new Buffer(d.requests.take(1), 1, true));
        d.requests.place();
    }

    // ---- rings (section 9, 1 to 3)

    private void rings() {
        long free = BlkDriver.RAM;
        refusedSize("zero", 0);
        refusedSize("no power of two", 3 * (1 + random.nextInt(60)));
        refusedSize("too large", 2 * BlkLimits.QUEUE_ENTRIES);
        refusedSize("negative", Integer.MIN_VALUE);
        refusedRing(
                "unaligned descriptors", "not aligned", free + 1 + random.nextInt(15), BlkDriver.AVAIL, BlkDriver.USED);
        refusedRing("unaligned avail", "not aligned", free, BlkDriver.AVAIL + 1, BlkDriver.USED);
        refusedRing("unaligned used", "not aligned", free, BlkDriver.AVAIL, BlkDriver.USED + 1 + random.nextInt(3));
        refusedRing("descriptors in a hole", "descriptor table", BlkDriver.HOLE, BlkDriver.AVAIL, BlkDriver.USED);
        refusedRing("avail in a hole", "avail ring", free, BlkDriver.HOLE, BlkDriver.USED);
        refusedRing("used in a hole", "used ring", free, BlkDriver.AVAIL, BlkDriver.HOLE);
        refusedRing(
                "descriptors over the end", "descriptor table", BlkDriver.HOLE - 1008, BlkDriver.AVAIL, BlkDriver.USED);
        refusedRing("avail over the end", "avail ring", free, BlkDriver.HOLE - 132, BlkDriver.USED);
        refusedRing("used over the end", "used ring", free, BlkDriver.AVAIL, BlkDriver.HOLE - 516);
        refusedRing(
                "descriptors unreadable", "descriptor table", BlkDriver.WRITE_ONLY, BlkDriver.AVAIL, BlkDriver.USED);
        refusedRing("avail unreadable", "avail ring", free, BlkDriver.WRITE_ONLY, BlkDriver.USED);
        refusedRing("used unwritable", "used ring", free, BlkDriver.AVAIL, BlkDriver.READ_ONLY);
        refusedRing(
                "descriptors around the end of addresses", "descriptor table", -512, BlkDriver.AVAIL, BlkDriver.USED);
    }

    private void refusedSize(String name, int entries) {
        try {
            new VirtQueueAddresses(entries, BlkDriver.DESCRIPTORS, BlkDriver.AVAIL, BlkDriver.USED)
                    .check(BlkLimits.QUEUE_ENTRIES);
        } catch (VirtQueueException e) {
            require(e.getMessage().contains("power of two"), e.getMessage());
            hit("01 a ring of a size that is " + name);
            return;
        }
        throw failure("a ring of a size that is " + name + " was taken");
    }

    private void refusedRing(String name, String reason, long descriptors, long avail, long used) {
        VirtQueueAddresses addresses = new VirtQueueAddresses(BlkDriver.ENTRIES, descriptors, avail, used);
        try {
            addresses.check(BlkLimits.QUEUE_ENTRIES);
            var unused = new VirtQueue(plain.blk.deviceMemory, addresses, true, 0);
        } catch (VirtQueueException e) {
            require(e.getMessage().contains(reason), name + ": " + e.getMessage());
            hit("01 " + name);
            return;
        }
        throw failure(name + " was taken");
    }

    private void stops() {
        for (Disk disk : List.of(plain, directOnly)) {
            String where = disk.indirect ? "" : ", direct";
            stop(disk, "02 avail.idx too far ahead" + where, "ahead", 0, chain -> {
                int idx =
                        disk.blk.driver.availIdx() + BlkDriver.ENTRIES + 1 + random.nextInt(65535 - BlkDriver.ENTRIES);
                disk.blk.memory.putU16(BlkDriver.AVAIL + SplitRingLayout.AVAIL_IDX, idx);
            });
            stop(disk, "03 a head in flight offered again" + where, "in flight", 1, chain -> {
                disk.blk.driver.offer(chain.head);
                disk.blk.driver.offer(chain.head);
                disk.blk.driver.publish();
            });
            stop(disk, "04 a head outside of the table" + where, "head ", 0, chain -> {
                disk.blk.driver.offer(BlkDriver.ENTRIES + random.nextInt(65536 - BlkDriver.ENTRIES));
                disk.blk.driver.publish();
            });
        }
    }

    private interface BreakRing {
        void apply(DriverChain chain);
    }

    private void stop(Disk disk, String name, String reason, int taken, BreakRing breaking) {
        BlkDriver blk = disk.blk;
        disk.build(BlkLayout.TYPE_FLUSH);
        disk.write();
        int stopsBefore = blk.stops;
        int submitted = blk.store.submittedCount();
        breaking.apply(disk.requests.chain);
        blk.queue.onKick();
        require(blk.stopReason != null && blk.stopReason.contains(reason), name + ": " + blk.stopReason);
        require(blk.store.submittedCount() == submitted + taken, name + ": more was taken than offered");
        hit(name);
        blk.driver.offer(disk.requests.chain.head);
        blk.driver.publish();
        blk.queue.onKick();
        require(blk.store.submittedCount() == submitted + taken, name + ": a stopped queue goes on");
        if (taken > 0) {
            blk.memory.expect(disk.requests.statusIova(), BlkLayout.STATUS_OK);
        }
        blk.queue.onKick();
        blk.finishAll();
        blk.queue.onKick();
        require(blk.stops == stopsBefore + 1, name + ": stopped " + (blk.stops - stopsBefore) + " times");
        untouched(disk, name);
        blk.reset();
        disk.start();
        good(disk);
    }

    // ---- what the driver changes meanwhile (section 9, 5 and 6), and what the store says (19)

    /** While a buffer is being mapped, everything that was read already becomes garbage: nothing may come of it. */
    private void tellsTruthOnce() {
        Disk d = plain;
        d.build(random.nextBoolean() ? BlkLayout.TYPE_IN : BlkLayout.TYPE_OUT);
        boolean write = d.requests.type == BlkLayout.TYPE_IN;
        resizeData(d, 512 * d.requests.blocks);
        Buffer data = d.buffer(d.requests.firstData);
        data.address = (write ? BlkDriver.WRITE_ONLY : BlkDriver.READ_ONLY) + random.nextInt(1000);
        d.write();
        d.blk.queue.remap();
        d.blk.memory.beforeMapping(data.address, () -> {
            DriverChain chain = d.requests.chain;
            int readSoFar = d.requests.firstData >= chain.direct ? d.lastIndex() : d.requests.firstData;
            for (int i = 0; i <= readSoFar; i++) {
                GuestDriver.descriptor(d.blk.memory, d.descriptor(i), BlkDriver.HOLE, 0, 7, 65535);
            }
        });
        goodWritten(d, "a request changed while it was read");
        hit("05, 06 descriptors changed after they were read");
    }

    private void storeError() {
        Disk d = plain;
        d.build(BlkLayout.TYPE_IN);
        d.write();
        d.blk.offer(d.requests.chain.head);
        require(d.blk.store.pendingCount() == 1, "a good read did not reach the store");
        d.blk.failAll(BlockStatus.IO_ERROR);
        givenBack(d, "a failed read", d.requests.chain.head, 1);
        d.blk.memory.expect(d.requests.statusIova(), BlkLayout.STATUS_IOERR);
        require(d.blk.memory.u8(d.requests.statusIova()) == BlkLayout.STATUS_IOERR, "a failed read without its status");
        untouched(d, "a failed read");
        hit("19 a read that the store failed");
    }

    private void everythingGivenBack(Disk disk) {
        disk.blk.reset();
        require(disk.blk.deviceMemory.epoch().users() == 0, "memory in use after a reset");
        require(
                disk.blk.queue.counters().requests()
                        == disk.blk.queue.counters().completed(),
                "not every head was given back");
    }
}
