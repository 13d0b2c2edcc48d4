package io.farblock.vduse;

import io.farblock.linux.Errno;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.NativeMemory;
import io.farblock.vduse.VduseAbi.Request;
import io.farblock.vduse.VduseAbi.Response;
import java.nio.ByteBuffer;

/**
 * The kernel's messages to the device, and the device's answers.
 *
 * <p>Each message is answered exactly once, at once or later, in any order, before the device's {@code msg_timeout}:
 * the kernel calls a device broken for ever that misses it. Called on the device's control loop.
 */
public final class ControlMessages {
    /** Who handles the messages. Each call leads to one {@link #reply}, {@link #replyQueueState} or failure. */
    public interface Listener {
        /** The driver asks where queue {@code queueIndex} stands; the queue is to be quiet from now on. */
        void onGetQueueState(int requestId, int queueIndex);

        /** The driver has written the device status; 0 is a reset. */
        void onSetStatus(int requestId, int status);

        /** The memory behind {@code [firstIova, lastIova]} may have changed. */
        void onUpdateIotlb(int requestId, long firstIova, long lastIova);
    }

    private final VduseDevice device;
    private final Listener listener;
    private final NativeMemory request = new NativeMemory(Request.BYTES);
    private final NativeMemory response = new NativeMemory(Response.BYTES);

    /** Messages of one device for one listener. */
    public ControlMessages(VduseDevice device, Listener listener) {
        this.device = device;
        this.listener = listener;
    }

    /** Hands every waiting message to the listener. Never waits. */
    public void receive() throws LinuxException {
        while (LibC.read(device.descriptor().number(), request.address(), Request.BYTES) == Request.BYTES) {
            dispatch(request.buffer());
        }
        int errno = LibC.lastError();
        if (errno != Errno.EAGAIN && errno != Errno.EINTR) {
            throw new LinuxException("read of a message from", device.name(), errno);
        }
    }

    private void dispatch(ByteBuffer message) throws LinuxException {
        int requestId = message.getInt(Request.REQUEST_ID);
        switch (message.getInt(Request.TYPE)) {
            case Request.GET_VQ_STATE -> listener.onGetQueueState(requestId, message.getInt(Request.VQ_STATE_INDEX));
            case Request.SET_STATUS -> listener.onSetStatus(requestId, message.get(Request.STATUS) & 0xFF);
            case Request.UPDATE_IOTLB ->
                listener.onUpdateIotlb(
                        requestId, message.getLong(Request.IOVA_START), message.getLong(Request.IOVA_LAST));
            // A message of a newer kernel than this code knows: an honest no is what it asks for.
            default -> reply(requestId, false);
        }
    }

    /** Answers a message. */
    public void reply(int requestId, boolean ok) throws LinuxException {
        send(requestId, ok ? Response.OK : Response.FAILED, 0, 0);
    }

    /** Answers GET_VQ_STATE with the first avail index that was not taken. */
    public void replyQueueState(int requestId, int queueIndex, int availIndex) throws LinuxException {
        send(requestId, Response.OK, queueIndex, availIndex);
    }

    private void send(int requestId, int result, int queueIndex, int availIndex) throws LinuxException {
        ByteBuffer fields = response.buffer();
        fields.putInt(Response.REQUEST_ID, requestId).putInt(Response.RESULT, result);
        fields.putInt(Response.VQ_STATE_INDEX, queueIndex).putShort(Response.VQ_STATE_AVAIL_INDEX, (short) availIndex);
        long written = LibC.write(device.descriptor().number(), response.address(), Response.BYTES);
        // ENOENT: nobody waits for this answer any more (timed out, or the waiter was killed).
        if (written != Response.BYTES && LibC.lastError() != Errno.ENOENT) {
            throw LinuxException.last("write of an answer to", device.name());
        }
    }
}
