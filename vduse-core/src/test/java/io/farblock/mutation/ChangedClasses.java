package io.farblock.mutation;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Loads some packages anew, the changed classes first; all else is shared. */
final class ChangedClasses extends URLClassLoader {
    private final List<String> packages;

    ChangedClasses(Path changed, List<String> packages) throws IOException {
        super(urls(changed), ChangedClasses.class.getClassLoader());
        this.packages = packages;
    }

    private static URL[] urls(Path changed) throws IOException {
        List<URL> urls = new ArrayList<>();
        urls.add(changed.toUri().toURL());
        for (String entry : System.getProperty("java.class.path").split(":", -1)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(new URL[0]);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (packages.stream().noneMatch(name::startsWith)) {
            return super.loadClass(name, resolve);
        }
        Class<?> loaded = findLoadedClass(name);
        return loaded == null ? findClass(name) : loaded;
    }
}
