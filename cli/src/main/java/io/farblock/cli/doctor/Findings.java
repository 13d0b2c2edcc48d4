package io.farblock.cli.doctor;

import io.farblock.cli.doctor.Finding.Severity;
import java.util.ArrayList;
import java.util.List;

/** The findings of a visit, in the order of the checks. */
public final class Findings {
    private final List<Finding> list = new ArrayList<>();

    /** Nothing found yet. */
    public Findings() {}

    void ok(String check, String what) {
        list.add(new Finding(check, Severity.OK, what, ""));
    }

    void warning(String check, String what, String remedy) {
        list.add(new Finding(check, Severity.WARNING, what, remedy));
    }

    void problem(String check, String what, String remedy) {
        list.add(new Finding(check, Severity.PROBLEM, what, remedy));
    }

    /** All of them. */
    public List<Finding> list() {
        return List.copyOf(list);
    }

    /** Whether something that is needed is broken. */
    public boolean hasProblem() {
        return list.stream().anyMatch(finding -> finding.severity() == Severity.PROBLEM);
    }
}
