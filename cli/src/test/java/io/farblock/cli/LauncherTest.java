package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script in front of the Java command: which Java it takes, and what it says when there is none. */
class LauncherTest {
    private static final Path TOP = Path.of("").toAbsolutePath().getParent();

    @TempDir
    Path work;

    private record Ended(int code, String output) {}

    private static Ended run(Path folder, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().put("FARBLOCK_NO_BUILD", "1");
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    /** A path with the tools that the launcher uses, and no Java. */
    private Map<String, String> withoutJava() throws IOException {
        Path tools = Files.createDirectories(work.resolve("bin"));
        for (String tool : new String[] {"bash", "env", "dirname", "readlink", "sed", "id", "nproc", "cksum", "cut"}) {
            for (String folder : new String[] {"/usr/bin/", "/bin/"}) {
                if (Files.exists(Path.of(folder + tool)) && !Files.exists(tools.resolve(tool))) {
                    Files.createSymbolicLink(tools.resolve(tool), Path.of(folder + tool));
                }
            }
        }
        return Map.of(
                "PATH", tools.toString(),
                "JAVA_HOME", "",
                "FARBLOCK_JVM_FOLDER", work.resolve("jvm").toString());
    }

    private void installFakeJava(String version) throws IOException {
        Path home = Files.createDirectories(work.resolve("jvm/java-" + version));
        Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
        Files.writeString(java, "#!/bin/bash\necho \"started with $*\"\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    }

    private Ended launch(Map<String, String> environment) throws IOException, InterruptedException {
        return run(work, environment, TOP.resolve("farblock").toString(), "--version");
    }

    @Test
    void namesTheCommandThatInstallsAJdkWhereThereIsNone() throws Exception {
        Ended ended = launch(withoutJava());
        assertThat(ended.code()).isEqualTo(ExitCode.FAILED);
        assertThat(ended.output())
                .isEqualTo("farblock: no JDK from 17 to 25 found: apt-get install default-jdk-headless\n");
    }

    @Test
    void refusesAJavaThatIsNotTestedAndNamesIt() throws Exception {
        for (String version : new String[] {"11.0.2", "1.8.0_392", "26"}) {
            installFakeJava(version);
            Ended ended = launch(withoutJava());
            assertThat(ended.code()).isEqualTo(ExitCode.FAILED);
            assertThat(ended.output()).hasLineCount(1).contains("only ", "apt-get install default-jdk-headless");
        }
    }

    @Test
    void takesTheRightJavaAmongWrongOnes() throws Exception {
        installFakeJava("11.0.2");
        installFakeJava("21.0.1");
        Ended ended = launch(withoutJava());
        assertThat(ended.code()).as(ended.output()).isZero();
        assertThat(ended.output()).startsWith("started with ").contains("io.farblock.cli.Farblock --version");
    }

    @Test
    void passesOverAJavaHomeThatIsTooOld() throws Exception {
        installFakeJava("11.0.2");
        installFakeJava("25");
        Map<String, String> environment = new java.util.HashMap<>(withoutJava());
        environment.put("JAVA_HOME", work.resolve("jvm/java-11.0.2").toString());
        assertThat(launch(environment).output()).startsWith("started with ");
    }

    @Test
    void saysHowToInstallMaven() throws Exception {
        Path tree = Files.createDirectories(work.resolve("tree"));
        Files.createDirectories(tree.resolve("launcher"));
        Files.copy(TOP.resolve("launcher/common"), tree.resolve("launcher/common"));
        Files.copy(TOP.resolve("farblock"), tree.resolve("farblock"));
        installFakeJava("17");
        Files.createSymbolicLink(work.resolve("jvm/java-17/bin/javac"), Path.of("/bin/true"));
        Map<String, String> environment = new java.util.HashMap<>(withoutJava());
        environment.put("FARBLOCK_NO_BUILD", "");
        Ended ended = run(work, environment, tree.resolve("farblock").toString(), "status");
        assertThat(ended.code()).isEqualTo(ExitCode.FAILED);
        assertThat(ended.output()).isEqualTo("farblock: Maven is missing: apt-get install maven\n");
    }

    private Path installCopy() throws IOException {
        Path installed = Files.createDirectories(work.resolve("opt/farblock"));
        Files.createDirectories(installed.resolve("launcher"));
        Files.createDirectories(installed.resolve("lib"));
        Files.createFile(installed.resolve("lib/one.jar"));
        Files.writeString(installed.resolve("lib/jvm-flags"), "-Done -Dtwo\n");
        for (String script : new String[] {"farblock", "launcher/common", "launcher/supervise"}) {
            Files.copy(TOP.resolve(script), installed.resolve(script));
        }
        return installed;
    }

    @Test
    void worksThroughASymbolicLinkFromAnyFolderInAnInstalledCopy() throws Exception {
        Path installed = installCopy();
        Files.createSymbolicLink(work.resolve("farblock"), installed.resolve("farblock"));
        installFakeJava("17");
        Ended ended = run(Path.of("/"), withoutJava(), work.resolve("farblock").toString(), "status");
        assertThat(ended.code()).as(ended.output()).isZero();
        assertThat(ended.output())
                .contains("-cp " + installed.resolve("lib/one.jar") + " io.farblock.cli.Farblock status");
    }

    /** An upgrade brings jars of other names; a daemon that died afterwards could not be started again with the old ones. */
    @Test
    void startsASupervisedDaemonFromWhatIsInstalledByThen() throws Exception {
        Path library = installCopy().resolve("lib");
        installFakeJava("17");
        Path home = work.resolve("jvm/java-17");
        Files.writeString(
                home.resolve("bin/java"),
                "#!/bin/bash\n[ ! -e %1$s/one.jar ] || { mv %1$s/one.jar %1$s/two.jar; kill -9 $$; }\n"
                                .formatted(library)
                        + "echo \"started with $*\"\n");
        Ended ended = run(
                work,
                Map.of("JAVA_HOME", home.toString()),
                library.resolveSibling("farblock").toString(),
                "daemon",
                "--supervise",
                "--name",
                "x");
        assertThat(ended.code()).as(ended.output()).isZero();
        assertThat(ended.output())
                .contains("-cp " + library.resolve("two.jar") + " io.farblock.cli.Farblock daemon --name x\n");
    }

    @Test
    void passesTheFlagsOfTheBuild() throws Exception {
        installFakeJava("17");
        String flags = Files.readString(TOP.resolve("cli/target/lib/jvm-flags")).strip();
        assertThat(flags).startsWith("-XX:").doesNotContain("$");
        assertThat(launch(withoutJava()).output()).startsWith("started with " + flags + " ");
    }
}
