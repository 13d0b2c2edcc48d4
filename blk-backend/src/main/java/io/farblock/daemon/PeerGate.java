package io.farblock.daemon;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import io.netty.channel.unix.RawUnixChannelOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the kernel who is at the other end of a local connection, before anything is read from it: root, the daemon's own
 * user, or a member of one group. The mode of a socket's file says the same, but not from the moment that it is there, and
 * anybody with the right to can change it. In front of whoever serves what a channel accepts.
 */
final class PeerGate extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(PeerGate.class);
    private static final int ROOT = 0;
    // Of Linux: the groups that a peer was in when it connected. No place for as many is no membership.
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERGROUPS = 59;
    private static final int MAX_GROUPS = 1024;
    private static final RawUnixChannelOption PEER_GROUPS =
            new RawUnixChannelOption("SO_PEERGROUPS", SOL_SOCKET, SO_PEERGROUPS, MAX_GROUPS * Integer.BYTES);

    private final int ownUser;
    // None; root needs no group.
    private volatile int group = ROOT;

    PeerGate() throws IOException {
        ownUser = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    /** Lets the members of a group in from now on. */
    void admit(int newGroup) {
        group = newGroup;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        EpollDomainSocketChannel channel = (EpollDomainSocketChannel) accepted;
        if (isAdmitted(channel)) {
            context.fireChannelRead(channel);
        } else {
            channel.unsafe().closeForcibly();
        }
    }

    private boolean isAdmitted(EpollDomainSocketChannel channel) {
        try {
            PeerCredentials peer = channel.peerCredentials();
            return peer.uid() == ROOT || peer.uid() == ownUser || isMember(channel, peer);
        } catch (IOException | RuntimeException e) {
            LOG.debug("a local connection of nobody knows whom: {}", e.toString());
            return false;
        }
    }

    private boolean isMember(EpollDomainSocketChannel channel, PeerCredentials peer) {
        if (group == ROOT) {
            return false;
        }
        for (int primary : peer.gids()) {
            if (primary == group) {
                return true;
            }
        }
        ByteBuffer others = channel.config().getOption(PEER_GROUPS).order(ByteOrder.nativeOrder());
        while (others.remaining() >= Integer.BYTES) {
            if (others.getInt() == group) {
                return true;
            }
        }
        return false;
    }
}
