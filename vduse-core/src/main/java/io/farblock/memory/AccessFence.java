package io.farblock.memory;

/**
 * Brings to light that an access to driver memory has failed.
 *
 * <p>Where the memory behind a mapping was taken away (a memfd truncated under us), an access raises SIGBUS. In compiled
 * code HotSpot steps over the instruction and throws {@link InternalError} some time later: on JDK 25 at the thread's
 * next return from a native method, on JDK 17 only when the thread next enters the runtime, which in code that allocates
 * nothing can be in another queue's work or in the event loop itself. So every run of accesses ends with {@link #check}
 * inside the {@code try} that knows whose memory it was.
 *
 * <p>Cost: about 15 ns on JDK 25, 190 ns on JDK 17; no garbage. On JDK 17 it works only if {@link #enterRuntime} is
 * interpreted, which the option {@code -XX:CompileCommand=exclude,io.farblock.memory.AccessFence::enterRuntime} sees to.
 */
public final class AccessFence {
    private static final boolean NATIVE_RETURN_DELIVERS = Runtime.version().feature() >= 25;
    private static final Object LOCK = new Object();

    // Made once: it says nothing about where it is thrown, and a fence must leave no garbage.
    @SuppressWarnings("StaticAssignmentOfThrowable")
    private static final Nothing NOTHING = new Nothing();

    private AccessFence() {}

    /**
     * Throws now what an access of this thread before this call would throw later.
     *
     * @throws InternalError if there was such an access
     */
    public static void check() {
        if (NATIVE_RETURN_DELIVERS) {
            // Any native method that the compiler does not know by heart would do; this one has no effect.
            boolean unused = Thread.holdsLock(LOCK);
        } else {
            enterRuntime();
        }
    }

    /** The interpreter asks the runtime for the handler of an exception, and the runtime delivers on its way back. */
    private static void enterRuntime() {
        try {
            throw NOTHING;
        } catch (Nothing expected) {
            // Thrown for the way, not for the end.
        }
    }

    private static final class Nothing extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Nothing() {
            super(null, null, false, false);
        }
    }
}
