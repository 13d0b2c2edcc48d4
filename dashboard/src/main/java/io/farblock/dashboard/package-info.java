/** A server in the browser: a page of static files, and what it shows as JSON. Read only. */
package io.farblock.dashboard;
