package io.farblock.cli.doctor;

/**
 * What one check found.
 *
 * @param check what was looked at
 * @param what how it is, for people
 * @param remedy the command that mends it; empty if nothing needs mending
 */
public record Finding(String check, Severity severity, String what, String remedy) {
    /** How bad it is. */
    public enum Severity {
        /** As it should be. */
        OK,
        /** It works, with less safety or for fewer uses. */
        WARNING,
        /** Something that is needed does not work. */
        PROBLEM
    }
}
