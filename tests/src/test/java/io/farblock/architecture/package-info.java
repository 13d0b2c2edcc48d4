/** What the code must look like: who may import whom, names, sizes; and samples that break each rule. */
package io.farblock.architecture;
