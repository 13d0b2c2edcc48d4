package io.farblock.simulation;

/** Something that lives until it is killed: what was planned for it does not happen afterwards. */
public final class Life {
    /** What never dies: the world outside of the machines. */
    public static final Life ETERNAL = new Life("world");

    private final String name;
    private boolean over;
    private Runnable whenKilled = () -> {};

    public Life(String name) {
        this.name = name;
    }

    /** What is to happen when it dies in the middle of one of its own steps. */
    void whenKilled(Runnable action) {
        whenKilled = action;
    }

    void killed() {
        whenKilled.run();
    }

    /** From now on nothing happens to it any more. */
    public void end() {
        over = true;
    }

    public boolean isOver() {
        return over;
    }

    @Override
    public String toString() {
        return name;
    }
}
