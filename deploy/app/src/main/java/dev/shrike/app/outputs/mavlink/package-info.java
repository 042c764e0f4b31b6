/** Landing targets for autopilots by MAVLink. */
package dev.shrike.app.outputs.mavlink;
