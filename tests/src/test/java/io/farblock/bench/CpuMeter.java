package io.farblock.bench;

import java.io.IOException;

/** Knows the processes that a load keeps busy. */
interface CpuMeter {
    /** What they have used so far. */
    CpuTime cpuTime() throws IOException;
}
