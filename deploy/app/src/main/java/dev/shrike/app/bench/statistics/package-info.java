/** What samples of a latency tell: order statistics, intervals by bootstrap, tests, the end of a warm-up, drift. */
package dev.shrike.app.bench.statistics;
