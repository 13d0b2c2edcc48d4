package io.farblock.device;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.MemoryHold;
import io.farblock.block.StoreInfo;
import io.farblock.block.Throttle;
import io.farblock.memory.GuestMemory;
import io.farblock.memory.MemoryEpoch;
import io.farblock.virtio.ChainFault;
import io.farblock.virtio.DescriptorChain;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One virtqueue of a block device at work: takes requests from the ring to the store and their results back.
 *
 * <p>A head taken from the ring is given back exactly once, through {@link #finish}, the only place that writes status
 * bytes and used entries. The head is the slot and the request's index, so that nothing is looked up and nothing is
 * allocated. What one turn of the loop completes is published together at its end, with at most one interrupt.
 *
 * <p>Driver memory is touched in two places, {@link #takeAll} and {@link #writeBack}, each of which ends with {@link
 * GuestMemory#fence}: if the memory is taken away, it is this queue that stops, and neither a store nor the loop that
 * sees an error. Stores touch payloads only; what they run into comes to light at the queue's next fence.
 */
public final class BlkQueue {
    // A guest may break its ring and reset as fast as it can; the log is not its to fill.
    private static final int MAX_LOGGED_STOPS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(BlkQueue.class);

    private enum State {
        /** No driver uses it. */
        IDLE,
        /** Takes requests. */
        RUNNING,
        /** Takes none; those it has go on. */
        PAUSED,
        /** The driver broke the ring: takes none until a reset. */
        STOPPED,
        /** Left to another process: nothing is taken, and nothing more is said to the driver. */
        ABANDONED
    }

    private final String name;
    private final BlockStore store;
    private final GuestMemory memory;
    private final QueueHost host;
    private final BlkRequestParser parser;
    private final RequestGate gate;
    private final QueueCounters counters = new QueueCounters();
    private final FaultLog faults;
    private final RequestClock clock;
    private final BlkSlot[] slots = new BlkSlot[BlkLimits.QUEUE_ENTRIES];
    private final Runnable endOfTurn = this::endOfTurn;
    private final Runnable takeMore = this::takeMore;
    private State state = State.IDLE;
    private VirtQueue ring;
    private DescriptorChain chain;
    private EpochHold hold;
    private final int[] taken = new int[BlkLimits.QUEUE_ENTRIES];
    private final int[] finished = new int[BlkLimits.QUEUE_ENTRIES];
    private int takenCount;
    private int finishedCount;
    private int inFlight;
    private boolean takeMorePending;
    private boolean endOfTurnPending;
    private boolean memoryLost;
    private int stops;
    private boolean failing;

    /**
     * A queue that is idle.
     *
     * @param name what the log calls it
     * @param serialNumber what GET_ID answers, at most 20 ASCII bytes of it
     */
    public BlkQueue(String name, BlockStore store, GuestMemory memory, QueueHost host, byte[] serialNumber) {
        this.name = name;
        this.store = store;
        this.memory = memory;
        this.host = host;
        parser = new BlkRequestParser(store.info(), serialNumber);
        gate = new RequestGate(memory, parser, host, this::onKick);
        hold = new EpochHold(memory.epoch());
        faults = new FaultLog(name, counters);
        clock = new RequestClock(name, host, counters.answered());
    }

    /** What it has done so far; from any thread. */
    public QueueCounters counters() {
        return counters;
    }

    /**
     * The driver is ready: takes requests from now on.
     *
     * @param indirect whether the driver may use indirect descriptors
     */
    public void start(VirtQueue newRing, boolean indirect) {
        if (state != State.IDLE) {
            throw new IllegalStateException(name + " started while " + state);
        }
        ring = newRing;
        chain = new DescriptorChain(BlkLimits.CHAIN_DESCRIPTORS, BlkLimits.CHAIN_BYTES, indirect);
        state = State.RUNNING;
        if (ring.isTakenUp()) {
            // For what was published and not announced: the driver would wait for it until the next request ends.
            host.interrupt();
        }
        onKick();
    }

    /** Whether the driver uses it. */
    public boolean isStarted() {
        return state != State.IDLE;
    }

    /** The driver has offered requests, or may have. */
    public void onKick() {
        if (state != State.RUNNING) {
            return;
        }
        try {
            if (takeAll() && !takeMorePending) {
                // More than a ring's worth in one turn: let the network and the other queues of the loop have theirs.
                takeMorePending = true;
                host.later(takeMore);
            }
            memory.fence();
        } catch (VirtQueueException e) {
            stop(e.getMessage());
        } catch (InternalError e) {
            loseMemory(e);
        }
        submitTaken();
    }

    private void takeMore() {
        takeMorePending = false;
        onKick();
    }

    /** Takes what there is; returns whether it gave up before the end. */
    private boolean takeAll() throws VirtQueueException {
        ring.suppressKicks();
        clock.look();
        int budget = ring.entries();
        do {
            for (int head = gate.popHead(ring, chain); head != VirtQueue.EMPTY; head = gate.popHead(ring, chain)) {
                begin(head);
                if (--budget == 0) {
                    return true;
                }
            }
        } while (!gate.isShut() && ring.resumeKicks());
        return false;
    }

    private void begin(int head) {
        counters.begun();
        BlkSlot slot = slot(head);
        slot.begin(memory.epoch());
        slot.takenNanos = clock.nowNanos();
        inFlight++;
        ChainFault fault = chain.walk(ring, memory, head);
        boolean hasStatus = fault == null ? chain.writableBytes() > 0 : chain.endsWritable();
        if (hasStatus) {
            int last = chain.pieceCount() - 1;
            slot.statusAt(chain.buffer(last), chain.offset(last) + chain.length(last) - 1);
        }
        if (fault != null) {
            faults.report(fault);
        } else if (!hasStatus) {
            faults.report(RequestFault.STATUS_MISSING);
        }
        if (fault != null || !hasStatus || failing) {
            finish(slot, BlkLayout.STATUS_IOERR);
        } else {
            parse(slot);
        }
    }

    private void parse(BlkSlot slot) {
        RequestFault fault = parser.parse(chain, slot.request);
        if (fault != null) {
            faults.report(fault);
            finish(slot, fault.status());
        } else if (parser.isGetId()) {
            slot.readBytes = BlkLayout.ID_BYTES;
            finish(slot, BlkLayout.STATUS_OK);
        } else {
            gate.taken(slot.request);
            taken[takenCount++] = slot.request.index();
        }
    }

    private void submitTaken() {
        int count = takenCount;
        takenCount = 0;
        if (count == 0) {
            return;
        }
        clock.look();
        try {
            for (int i = 0; i < count; i++) {
                submit(slots[taken[i]]);
            }
            // The store may have read payloads that are not there any more.
            memory.fence();
        } catch (InternalError e) {
            loseMemory(e);
        }
    }

    private void submit(BlkSlot slot) {
        slot.submittedNanos = clock.nowNanos();
        slot.readBytes = slot.request.operation() == BlockOperation.READ
                ? (int) slot.request.payload().lengthBytes()
                : 0;
        slot.request.payload().heldBy(holdOf(slot.epoch));
        slot.request.payload().stable(slot.epoch.isStable());
        store.submit(slot.request);
    }

    private BlkSlot slot(int head) {
        if (slots[head] == null) {
            slots[head] = new BlkSlot(head, this::onCompleted);
        }
        return slots[head];
    }

    private void onCompleted(BlockRequest request, BlockStatus status) {
        BlkSlot slot = slots[request.index()];
        if (slot != null && slot.request == request) {
            slot.ending = request.payload().isLost() ? BlockStatus.IO_ERROR : status;
            finish(slot, BlkLayout.status(slot.ending));
        }
    }

    /** The one completion path. The driver sees it at the end of the turn. */
    private void finish(BlkSlot slot, int status) {
        if (state == State.ABANDONED) {
            release(slot);
            return;
        }
        slot.status = status;
        finished[finishedCount++] = slot.request.index();
        if (!endOfTurnPending) {
            endOfTurnPending = true;
            host.later(endOfTurn);
            clock.look();
        }
        slot.answeredNanos = clock.nowNanos();
    }

    private void endOfTurn() {
        endOfTurnPending = false;
        boolean interrupt = false;
        if (ring != null && !memoryLost) {
            try {
                writeBack();
                interrupt = ring.publishUsed();
            } catch (InternalError e) {
                loseMemory(e);
            }
        }
        releaseFinished();
        if (interrupt) {
            host.interrupt();
        }
    }

    /** Status bytes first, then used entries; what happened to them, or to a payload, is known before they are shown. */
    private void writeBack() {
        for (int i = 0; i < finishedCount; i++) {
            BlkSlot slot = slots[finished[i]];
            ring.pushUsed(finished[i], slot.writeStatus());
        }
        memory.fence();
    }

    private void releaseFinished() {
        int count = finishedCount;
        finishedCount = 0;
        clock.look();
        for (int i = 0; i < count; i++) {
            counters.ended();
            clock.count(slots[finished[i]]);
            release(slots[finished[i]]);
        }
    }

    private void release(BlkSlot slot) {
        inFlight--;
        slot.end();
    }

    /**
     * HotSpot's form of a SIGBUS: the memory behind the rings or a buffer was taken away. Nothing more is said to the
     * driver; what was taken and not yet given to the store is forgotten, and so is what the store gives back.
     */
    private void loseMemory(InternalError error) {
        memoryLost = true;
        for (BlkSlot slot : slots) {
            if (slot != null && slot.isBegun() && !slot.request.isInFlight() && !isFinished(slot)) {
                release(slot);
            }
        }
        takenCount = 0;
        stop("the driver's memory went away: " + error.getMessage());
    }

    private boolean isFinished(BlkSlot slot) {
        for (int i = 0; i < finishedCount; i++) {
            if (finished[i] == slot.request.index()) {
                return true;
            }
        }
        return false;
    }

    private void stop(String reason) {
        if (state == State.STOPPED) {
            return;
        }
        state = State.STOPPED;
        host.stopped(reason);
        if (++stops < MAX_LOGGED_STOPS) {
            LOG.error("{}: stopped until the driver resets the device: {}", name, reason);
        } else if (stops == MAX_LOGGED_STOPS) {
            LOG.error("{}: stopped once more, and from now on not logged again: {}", name, reason);
        }
    }

    /** Takes no more requests, and calls back when none is in flight and all are published. */
    public void drain(Runnable drained) {
        if (state == State.RUNNING) {
            state = State.PAUSED;
        }
        store.drain(() -> {
            endOfTurn();
            drained.run();
        });
    }

    /** Fails what is in flight, now; a drain that waits for it calls back. */
    public void cancel() {
        store.cancel(BlockStatus.IO_ERROR);
    }

    /** From now on everything ends with an error: what is in flight at once, what comes as soon as it is taken. */
    public void failAll() {
        failing = true;
        gate.throttledBy(null);
        cancel();
        onKick();
    }

    /** How many requests are in flight. */
    public int inFlight() {
        return inFlight;
    }

    /** Of the requests that the store has, the one that was taken first; null if it has none. */
    WaitingRequest waitingLongest() {
        return WaitingRequest.longest(slots);
    }

    /** The next avail index; the queue is drained. */
    public int nextAvail() {
        return ring == null ? 0 : ring.nextAvail();
    }

    /** Goes on after a drain. */
    public void resume() {
        if (state == State.PAUSED) {
            state = State.RUNNING;
            onKick();
        }
    }

    /** Whether all memory that the queue has mapped is still what the driver means by its addresses. */
    public boolean memoryIsCurrent(long firstIova, long lastIova) {
        return memory.isCurrent(firstIova, lastIova);
    }

    /** Forgets every mapping and finds the rings again; what is in flight keeps its own mappings. */
    public void remap() {
        memory.invalidate();
        if (ring != null) {
            try {
                ring.resolve(memory);
            } catch (VirtQueueException e) {
                stop(e.getMessage());
            }
        }
    }

    /** The driver has reset the device; nothing is in flight. Lets go of the rings and of all memory. */
    public void reset() {
        if (memoryLost) {
            forsake();
        }
        if (inFlight != 0) {
            throw new IllegalStateException(name + " reset with " + inFlight + " requests in flight");
        }
        state = State.IDLE;
        memoryLost = false;
        ring = null;
        chain = null;
        memory.invalidate();
    }

    /**
     * Where the store itself met the loss, it may hold a request that it will never complete, or complete late: that
     * slot is replaced and its memory stays mapped for good.
     */
    private void forsake() {
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] != null && slots[i].isBegun()) {
                slots[i] = null;
                inFlight--;
            }
        }
    }

    /**
     * Leaves the rings as they are to whoever serves the device next. What is in flight is not completed: the driver
     * waits, and the next server of the ring does it again.
     */
    public void abandon() {
        endOfTurn();
        state = State.ABANDONED;
        ring = null;
    }

    /** The store is like this now, and this keeps its limits for all queues. */
    public void infoChanged(StoreInfo info, Throttle throttle) {
        parser.infoChanged(info);
        gate.throttledBy(info.limits().isNone() || failing ? null : throttle);
        onKick();
    }

    private MemoryHold holdOf(MemoryEpoch epoch) {
        if (hold.epoch() != epoch) {
            hold = new EpochHold(epoch);
        }
        return hold;
    }
}
