package io.farblock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Holds the project to its import rules, and a sample that breaks every one of them. */
class ImportRulesTest {
    private static final String ROOT = "io.farblock";
    private static final String SAMPLE = "io.farblock.architecture.sample";

    private static final ImportOption NO_TESTS = new ImportOption() {
        private final ImportOption ours = new DoNotIncludeTests();

        @Override
        public boolean includes(Location location) {
            return ours.includes(location) && !location.contains("-tests.jar");
        }
    };

    private static JavaClasses project() {
        return new ClassFileImporter().withImportOption(NO_TESTS).importPackages(ROOT);
    }

    @Test
    void holdTheProjectToItsArrows() {
        JavaClasses project = project();
        for (ArchRule rule : new ImportRules(ROOT).all()) {
            rule.check(project);
        }
    }

    @Test
    void knowEveryPackageOfTheProject() {
        Set<String> found = new TreeSet<>();
        project().forEach(type -> found.add(type.getPackageName().split("\\.", -1)[2]));
        assertThat(found).isEqualTo(new TreeSet<>(ImportRules.packages()));
    }

    @Test
    void failOnASampleThatBreaksThem() {
        JavaClasses sample = new ClassFileImporter().importPackages(SAMPLE);
        assertThat(sample).isNotEmpty();
        Set<String> broken = new TreeSet<>();
        for (ArchRule rule : new ImportRules(SAMPLE).all()) {
            rule.evaluate(sample).getFailureReport().getDetails().forEach(broken::add);
        }
        String all = String.join("\n", broken);
        assertThat(all)
                .contains("sample.virtio.SystemCallInARing")
                .contains("sample.vduse.RingInADevice")
                .contains("sample.client.ServerInAClient")
                .contains("sample.memory.NettyInMemory")
                .contains("sample.block.NativeCodeInTheContract")
                .contains("sample.server.PrometheusInAServer")
                .contains("Cycle detected");
    }

    @Test
    void acceptTheArrowsThatAreAllowed() {
        JavaClasses sample = new ClassFileImporter().importPackages(SAMPLE);
        for (ArchRule rule : new ImportRules(SAMPLE).all()) {
            assertThat(rule.evaluate(sample).getFailureReport().getDetails())
                    .noneMatch(detail -> detail.contains("AddressesInADevice"));
        }
    }
}
