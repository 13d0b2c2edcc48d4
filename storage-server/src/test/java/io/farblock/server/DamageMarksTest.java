package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What comes between two steps of a write of a page, or of the end of a sync. */
class DamageMarksTest {
    private final DamageMarks marks = new DamageMarks();
    private final ByteBuffer page = ByteBuffer.allocate(SumMemory.PAGE_BYTES);

    @Test
    void putsBackWhatItHidAfterTheMarkIsGone() {
        marks.note(0, 7);
        page.putInt(0, 7);

        SortedMap<Long, Integer> hidden = marks.hide(0, page, 0);
        assertThat(page.getInt(0)).isEqualTo(LayerSums.DAMAGED);
        marks.end(marks.take(), true);
        DamageMarks.putBack(hidden, page, 0);

        assertThat(page.getInt(0)).isEqualTo(7);
        assertThat(marks.isIn(0)).isFalse();
        assertThat(marks.hide(0, page, 0)).isEmpty();
    }

    @Test
    void hidesNothingOfWhatIsCoveredWhileMarksAreEnding() throws Exception {
        // Another thread's look at marks comes between the end of any two of them.
        int[] hiddenOnes = new int[1];
        for (int round = 0; round < 500; round++) {
            for (int block = 0; block < 64; block++) {
                marks.note(block, 7);
                page.putInt(block * Integer.BYTES, 7);
            }
            SortedMap<Long, Integer> taken = marks.take();
            marks.cover(taken);
            AtomicBoolean ended = new AtomicBoolean();
            Thread writer = new Thread(() -> {
                while (!ended.get()) {
                    hiddenOnes[0] += marks.hide(0, page, 0).size();
                }
            });
            writer.start();
            marks.end(taken, true);
            ended.set(true);
            writer.join();
        }
        assertThat(hiddenOnes[0]).isZero();
    }
}
