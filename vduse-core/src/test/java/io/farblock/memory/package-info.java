/** Tests of the driver's memory as the device sees it, over real mappings. */
package io.farblock.memory;
