/** Runs engines in turn and records exact times, with what disturbed the machine meanwhile. */
package dev.shrike.app.bench.harness;
