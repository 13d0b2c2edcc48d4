package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The changes of one attachment that were acknowledged and may still be lost: one log for all its queues, in the order
 * of acknowledgement, kept until they are durable and sent again when the server's host has lost its memory.
 *
 * <p>The rules, of which each closes a way to lose data:
 *
 * <ol>
 *   <li><b>Eras.</b> An era is a time under one durability verifier. A connection belongs to the era that its welcome
 *       began or confirmed. A reply counts only if its connection's era is the log's at that moment, decided under the
 *       lock in the same step that keeps the change or forgets what was flushed. Otherwise nothing is acknowledged: the
 *       session leaves that connection and sends the request again.
 *   <li><b>Which verifier is newer.</b> The values have no order. One that the log does not have begins an era if its
 *       hello was sent in the era that is ending. If it was sent earlier, the welcome may be an old one that was under
 *       way for long: the session connects again.
 *   <li><b>Who sends again.</b> The session that begins an era with changes in the log. It sends them in their order, two
 *       that overlap never at once. Everything else of all sessions, in flight or new, waits until the last one is
 *       acknowledged in this era. If its connection is lost, the same session begins at the first change again, because
 *       only its own welcome proves that what it had sent does not land any more. If the verifier changes again, a new
 *       era begins, with the same log.
 *   <li><b>What a flush covers.</b> All that was in the log when it was sent, on whichever queue: the server had
 *       acknowledged that before. Nothing that came later.
 *   <li><b>What may land late.</b> A change that was sent and then failed or cancelled may still land until its session is
 *       welcomed again. No session of the attachment sends anything before that.
 *   <li><b>What is kept.</b> Every acknowledged change, with force unit access too: an older kept write that is sent again
 *       must not be the last one.
 * </ol>
 *
 * <p>Of a volume with shared writers nothing is kept, since another client may have written the same blocks later. If the
 * verifier changes while something was not flushed, the next flush of the attachment fails, once.
 *
 * <p>One way stays: the server's host crashes, and then this process, before the changes that were sent again are
 * flushed. A write with force unit access among them can then be hidden behind an older one.
 *
 * <p>What is kept has a bound. A change finds room before it is sent, so that it can be kept when it is acknowledged; at
 * half of the bound sessions flush by themselves, and when it is reached further changes wait. One change is always
 * admitted, however long. For any thread.
 */
public final class UnflushedWrites {
    /** Enough for 50 ms of 300 MB/s: more than a flush usually takes. A log has more while others leave it. */
    public static final long DEFAULT_BYTES = 16 << 20;
    /** What a log may keep however many there are in the process. */
    public static final long LEAST_BYTES = 8 << 20;

    private static final long GIVE_BACK_NANOS = 10_000_000_000L;

    /** What a session that was welcomed may do. */
    enum Turn {
        /** Send what it has. */
        GO,
        /** Wait until another session has sent the log, or was welcomed again. */
        WAIT,
        /** Send the log. */
        REPLAY,
        /** Connect again: this connection is of a past era, or it is not known whether it is. */
        CONNECT_AGAIN
    }

    private final UnflushedBudget budget;
    private final KeptChanges kept;
    private volatile long capacityBytes;
    private final AtomicLong reservedBytes = new AtomicLong();
    private final List<ClientLink> members = new ArrayList<>();
    private final List<ClientLink> unfenced = new ArrayList<>();
    private ClientLink replayer;
    private long verifier;
    private boolean shared;
    private boolean flushMustFail;
    private long restingSinceNanos;
    private long endAtTick = -1;
    private volatile boolean held;
    private volatile int era;
    private volatile long begin;
    private volatile long end;
    private volatile long flushedUpTo;
    private volatile boolean roomIsAwaited;

    /** An empty log with this process's share for a bound. */
    public UnflushedWrites() {
        this(UnflushedBudget.OF_PROCESS, DEFAULT_BYTES, new UnpooledByteBufAllocator(true, true));
    }

    /**
     * An empty log.
     *
     * @param capacityBytes how much it keeps
     * @param allocator of its memory: should give it back to the system when it is released
     */
    public UnflushedWrites(long capacityBytes, ByteBufAllocator allocator) {
        this(new UnflushedBudget(capacityBytes, capacityBytes), capacityBytes, allocator);
    }

    /** An empty log that has a share of a budget for its bound, from when it is first used. */
    UnflushedWrites(UnflushedBudget budget, long capacityBytes, ByteBufAllocator allocator) {
        if (capacityBytes < 1) {
            throw new IllegalArgumentException("capacityBytes " + capacityBytes);
        }
        this.budget = budget;
        this.capacityBytes = capacityBytes;
        kept = new KeptChanges(allocator);
    }

    /** How many bytes are kept now. */
    public long keptBytes() {
        return Math.max(0, end - begin);
    }

    /** Changes the bound. More than it may be kept now; further changes wait then. */
    synchronized void capacity(long bytes) {
        capacityBytes = bytes;
        kept.limit((int) Math.max(1, bytes / KeptChanges.CHUNK_BYTES));
    }

    /** How much it may keep. */
    long capacityBytes() {
        return capacityBytes;
    }

    /** A session begins to use the log; returns whether it is the first to do so. */
    boolean join(ClientLink link) {
        // Not under this log's lock: the budget has one of its own, and takes those of all logs under it.
        budget.join(this);
        return add(link);
    }

    private synchronized boolean add(ClientLink link) {
        boolean isFirst = members.isEmpty() && era == 0;
        members.add(link);
        return isFirst;
    }

    /** A session has ended. The last one takes what is kept with it. */
    void leave(ClientLink link) {
        if (remove(link)) {
            budget.leave(this);
        }
    }

    private synchronized boolean remove(ClientLink link) {
        members.remove(link);
        fenced(link);
        if (members.isEmpty()) {
            forget(end);
            kept.giveBack();
            replayer = null;
        } else if (replayer == link) {
            // Queues of an attachment end together; until then the log must not be in nobody's hands.
            replayer = members.get(0);
            wakeAll();
        }
        return members.isEmpty();
    }

    /** The era that a hello is sent in, or that a session looks at the log in. */
    int era() {
        return era;
    }

    /** A connection is welcomed; returns the era that it belongs to, which is 0 if it is not to be used. */
    synchronized int welcomed(int helloEra, Welcome welcome, ClientLink link) {
        fenced(link);
        if (era == 0) {
            verifier = welcome.getDurabilityVerifier();
            shared = welcome.getSharedWriters();
            era = 1;
        } else if (welcome.getDurabilityVerifier() != verifier && helloEra == era) {
            verifier = welcome.getDurabilityVerifier();
            era++;
            beginEra(link);
        }
        return welcome.getDurabilityVerifier() == verifier ? era : 0;
    }

    private void beginEra(ClientLink link) {
        boolean isEmpty = begin == end;
        replayer = shared || isEmpty ? null : link;
        if (shared && !isEmpty) {
            flushMustFail = true;
            forget(end);
        }
        wakeAll();
    }

    /** Whether writes may be lost of which nothing is kept. */
    synchronized boolean isInDoubt() {
        return flushMustFail;
    }

    /** What a session may do on a connection of an era. */
    synchronized Turn turn(int connectionEra, ClientLink link) {
        if (connectionEra != era) {
            return Turn.CONNECT_AGAIN;
        }
        if (held) {
            return Turn.WAIT;
        }
        if (replayer == null) {
            return Turn.GO;
        }
        return replayer == link ? Turn.REPLAY : Turn.WAIT;
    }

    /** Changes of this session were sent, are not answered and do not count any more: nothing is sent until it is welcomed. */
    synchronized void mayLand(ClientLink link) {
        if (!unfenced.contains(link)) {
            unfenced.add(link);
        }
        held = true;
    }

    private void fenced(ClientLink link) {
        if (unfenced.remove(link) && unfenced.isEmpty()) {
            held = false;
            wakeAll();
        }
    }

    /** Whether sessions that are open must not send now; asked before each turn of sending, and so no lock. */
    boolean isHeld() {
        return held;
    }

    /** Every change in the log was acknowledged in this era. */
    synchronized void replayed(int connectionEra, ClientLink link) {
        if (connectionEra == era && replayer == link) {
            replayer = null;
            wakeAll();
        }
    }

    /** Makes the change at a position of the log; returns the position of the next. During a replay the log rests. */
    synchronized long read(long position, BlockRequest again) {
        return kept.read(position, again);
    }

    long begin() {
        return begin;
    }

    long end() {
        return end;
    }

    /** Finds room for a change; if there is none, wakes all members when there may be some. */
    boolean reserve(long bytes) {
        if (tryReserve(bytes)) {
            return true;
        }
        roomIsAwaited = true;
        // What was given back since is not announced any more.
        return tryReserve(bytes);
    }

    private boolean tryReserve(long bytes) {
        long reserved;
        do {
            reserved = reservedBytes.get();
            if (reserved > 0 && reserved + bytes > capacityBytes) {
                return false;
            }
        } while (!reservedBytes.compareAndSet(reserved, reserved + bytes));
        return true;
    }

    /** Gives back the room of a change that is not kept. */
    void unreserve(long bytes) {
        reservedBytes.addAndGet(-bytes);
        if (roomIsAwaited) {
            announceRoom();
        }
    }

    private synchronized void announceRoom() {
        roomIsAwaited = false;
        wakeAll();
    }

    /**
     * Keeps a change that was acknowledged, in the room that was found for it. Returns how the change ends: RETRY, if the
     * acknowledgement came over a connection of a past era and does not count; IO_ERROR, if its memory was taken away, and
     * nobody has a copy.
     */
    synchronized BlockStatus keep(BlockRequest change, int connectionEra) {
        if (connectionEra != era) {
            return BlockStatus.RETRY;
        }
        if (shared) {
            end += KeptChanges.sizeOf(change);
            return BlockStatus.OK;
        }
        if (!kept.append(change)) {
            return BlockStatus.IO_ERROR;
        }
        end = kept.end();
        return BlockStatus.OK;
    }

    /** Whether so much is kept that somebody should flush. */
    boolean flushIsDue() {
        return end - Math.max(begin, flushedUpTo) >= capacityBytes / 2;
    }

    /** A flush is sent; returns what it covers, for {@link #flushed}. */
    synchronized long flushSent() {
        flushedUpTo = end;
        return end;
    }

    /** A flush has failed: what it would have covered is still to be flushed. */
    synchronized void flushFailed() {
        flushedUpTo = begin;
    }

    /**
     * A flush has succeeded. Returns how it ends: RETRY, if it was done in a past era and does not count; IO_ERROR, if
     * somebody waits for it who has to hear that writes may be lost.
     */
    synchronized BlockStatus flushed(long upTo, int connectionEra, boolean isAsked) {
        if (connectionEra != era) {
            return BlockStatus.RETRY;
        }
        forget(upTo);
        if (flushMustFail && isAsked) {
            flushMustFail = false;
            return BlockStatus.IO_ERROR;
        }
        return BlockStatus.OK;
    }

    private void forget(long upTo) {
        long before = begin;
        if (shared) {
            begin = Math.max(before, upTo);
        } else {
            kept.forget(upTo);
            begin = kept.begin();
        }
        reservedBytes.addAndGet(before - begin);
        if (roomIsAwaited && begin > before) {
            announceRoom();
        }
    }

    /** Time has passed: gives memory back that was not needed for a while. */
    synchronized void tick(long nowNanos) {
        if (begin != end || end != endAtTick) {
            endAtTick = end;
            restingSinceNanos = nowNanos;
        } else if (!shared && nowNanos - restingSinceNanos > GIVE_BACK_NANOS) {
            kept.giveBack();
            begin = kept.begin();
            end = kept.end();
            endAtTick = end;
        }
    }

    private void wakeAll() {
        for (int i = 0; i < members.size(); i++) {
            members.get(i).wake();
        }
    }
}
