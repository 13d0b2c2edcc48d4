/** A sample that breaks a rule. */
package io.farblock.architecture.sample.memory;
