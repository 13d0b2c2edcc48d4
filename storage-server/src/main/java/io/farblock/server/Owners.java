package io.farblock.server;

import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import java.util.List;

/** Whose volumes are, as the caller of the admin API may say it. On the thread that serves the call. */
final class Owners {
    private Owners() {}

    /** Those of a new volume: whom an administrator names, and otherwise the node that makes it. */
    static List<String> ofNew(List<String> wanted) throws VolumeException {
        Identity caller = AdminGate.caller();
        if (caller.role() == Role.NODE) {
            if (!wanted.isEmpty() && !wanted.equals(List.of(caller.name()))) {
                throw notAllowed(caller);
            }
            return List.of(caller.name());
        }
        checkNames(wanted);
        return wanted;
    }

    /** Refuses what the caller may not change. */
    static void check(SetVolumeRequest request) throws VolumeException {
        if (request.hasOwners() && !Access.isAdmin(AdminGate.caller())) {
            throw notAllowed(AdminGate.caller());
        }
        checkNames(request.getOwners().getNamesList());
        checkNames(request.getReaders().getNamesList());
    }

    private static void checkNames(List<String> names) throws VolumeException {
        for (String name : names) {
            if (!Identity.isName(name)) {
                throw new VolumeException(
                        VolumeException.Kind.INVALID,
                        "\"" + Names.printable(name) + "\" is no name of a node: 1 to 64 of A-Z a-z 0-9 _ . -");
            }
        }
    }

    private static VolumeException notAllowed(Identity caller) {
        return new VolumeException(
                VolumeException.Kind.NOT_ALLOWED, "only an administrator names owners, and this is " + caller);
    }
}
