/** Tests of tests: a source is changed, compiled and loaded, and some test is to notice. Other modules use it too. */
package io.farblock.mutation;
