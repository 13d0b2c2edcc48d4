package io.farblock.daemon;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Target;
import io.farblock.daemon.DaemonException.Kind;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;

/**
 * Who may open the node of a device for a virtual machine: who opens it has the volume. From any thread.
 *
 * @param user its owner; null for root
 * @param group whose members may open it too; null for nobody's
 */
record NodeOwner(UserPrincipal user, GroupPrincipal group) {
    /** Whom a request names, by name or by number; refuses who is not known, and a disk of this machine. */
    static NodeOwner of(AttachRequest request) throws DaemonException {
        String user = request.getUser();
        String group = request.getGroup();
        if (request.getTarget() != Target.TARGET_VM && !(user + group).isEmpty()) {
            throw new DaemonException(Kind.INVALID, "only a device for a virtual machine is given to a user or group");
        }
        UserPrincipalLookupService accounts = FileSystems.getDefault().getUserPrincipalLookupService();
        try {
            return new NodeOwner(
                    user.isEmpty() ? null : accounts.lookupPrincipalByName(user),
                    group.isEmpty() ? null : accounts.lookupPrincipalByGroupName(group));
        } catch (IOException e) {
            throw new DaemonException(
                    Kind.INVALID, "this machine does not know the user or group of '" + user + ":" + group + "'", e);
        }
    }

    /** Gives them the node. */
    void own(String node) throws IOException {
        Path path = Path.of(node);
        if (user != null) {
            Files.setOwner(path, user);
        }
        if (group != null) {
            Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setGroup(group);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw----"));
        }
    }
}
