/** What is made of the built project for others to run. */
package io.farblock.packaging;
