/**
 * What a process tells Prometheus: the port that it is asked on, and the form of the answer.
 *
 * <p>Nothing is counted here. A {@link io.farblock.metrics.MetricSource} is asked when somebody asks the port, on a thread
 * that serves nothing else. The only importer of Prometheus' library.
 */
package io.farblock.metrics;
