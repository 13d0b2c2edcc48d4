package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableTest {
    @Test
    void makesColumnsAsWideAsTheirWidestCell() {
        assertThat(new Table("NAME", "SIZE").row("mail", "1G").row("backup", "").text())
                .isEqualTo("NAME    SIZE\nmail    1G\nbackup  -\n");
    }

    @Test
    void isEmptyWithoutHeadingsAndRows() {
        assertThat(new Table().text()).isEmpty();
    }
}
