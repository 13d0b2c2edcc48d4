/**
 * What {@code farblock doctor} looks at: one class for each part of a machine, each check a method that adds one
 * {@link io.farblock.cli.doctor.Finding}. What a check reads lies below a root directory, {@code /} on a real machine,
 * so that a test can lay out a broken one. Nothing here changes the machine or waits for a device.
 */
package io.farblock.cli.doctor;
