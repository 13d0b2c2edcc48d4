package io.farblock.mutation;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * One source file with something taken out of it, and the question whether a suite of tests notices.
 *
 * <p>Each edit names a text that occurs in the file exactly once: a safeguard that moves away takes its test with it. A
 * suite has a constructor that takes a seed, and a method {@code run(int)}.
 */
public final class SourceChange {
    private static final long PATIENCE_SECONDS = 120;

    private final Path file;
    private final List<String> texts = new ArrayList<>();
    private final List<String> replacements = new ArrayList<>();

    private SourceChange(Path file, String text, String replacement) {
        this.file = file;
        texts.add(text);
        replacements.add(replacement);
    }

    /** A file without a text. */
    public static SourceChange of(Path file, String text, String replacement) {
        return new SourceChange(file, text, replacement);
    }

    /** And without another one. */
    public SourceChange and(String text, String replacement) {
        texts.add(text);
        replacements.add(replacement);
        return this;
    }

    /** Compiles the changed file into a folder. */
    public void compileInto(Path classes) throws IOException {
        String source = Files.readString(file);
        for (int i = 0; i < texts.size(); i++) {
            if (source.split(Pattern.quote(texts.get(i)), -1).length != 2) {
                throw new AssertionError(file + " is to have exactly once: " + texts.get(i));
            }
            source = source.replace(texts.get(i), replacements.get(i));
        }
        Path changed = Files.createDirectories(classes.resolve("source"))
                .resolve(file.getFileName().toString());
        Files.writeString(changed, source);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter errors = new StringWriter();
        List<String> options =
                List.of("-proc:none", "-cp", System.getProperty("java.class.path"), "-d", classes.toString());
        boolean compiled = compiler.getTask(
                        errors,
                        null,
                        null,
                        options,
                        null,
                        compiler.getStandardFileManager(null, null, null).getJavaFileObjects(changed))
                .call();
        if (!compiled) {
            throw new AssertionError(errors.toString());
        }
    }

    /**
     * What a suite says when it runs over the classes of a folder, or null if it finds nothing. One that runs for ever
     * has found something too.
     *
     * @param packages what is loaded anew for it, each with a dot at its end; all else is shared
     */
    public static Throwable verdict(Path classes, List<String> packages, Class<?> suite, long seed, int argument)
            throws Exception {
        FutureTask<Void> run = new FutureTask<>(() -> run(classes, packages, suite, seed, argument), null);
        Thread thread = new Thread(run, suite.getSimpleName());
        thread.setDaemon(true);
        thread.start();
        try {
            run.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Red red) {
                return red.getCause();
            }
            throw e;
        } catch (TimeoutException e) {
            return e;
        }
    }

    private static void run(Path classes, List<String> packages, Class<?> suite, long seed, int argument) {
        try (ChangedClasses loader = new ChangedClasses(classes, packages)) {
            Class<?> loaded = loader.loadClass(suite.getName());
            Constructor<?> make = loaded.getDeclaredConstructor(long.class);
            Method run = loaded.getDeclaredMethod("run", int.class);
            make.setAccessible(true);
            run.setAccessible(true);
            run.invoke(make.newInstance(seed), argument);
        } catch (InvocationTargetException e) {
            throw new Red(e.getCause());
        } catch (ReflectiveOperationException | IOException e) {
            throw new AssertionError(e);
        }
    }

    /** The suite itself failed, and not what it takes to run it. */
    private static final class Red extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Red(Throwable cause) {
            super(cause);
        }
    }

    @Override
    public String toString() {
        return file.getFileName() + ": " + texts.get(0).strip();
    }
}
