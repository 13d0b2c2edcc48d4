package io.farblock.dashboard;

import io.farblock.api.admin.Overview;
import io.farblock.tls.Identity;
import java.io.IOException;

/** What there is to show. From any thread; may wait for a disk. */
@FunctionalInterface
public interface OverviewSource {
    /**
     * What somebody may see.
     *
     * @throws IOException if it cannot be looked at now; the message says why
     */
    Overview overview(Identity who) throws IOException;
}
