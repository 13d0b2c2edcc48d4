/**
 * The {@code farblock} command: thin front ends over the server, the daemon and their APIs, one class a sub-command.
 *
 * <p>Results go to standard output, everything else to standard error. What was refused or went wrong as it may is a
 * {@link io.farblock.cli.CommandException}: one line and an exit code of {@link io.farblock.cli.ExitCode}. Everything
 * runs on the main thread.
 */
package io.farblock.cli;
