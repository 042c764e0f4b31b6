/** Objects followed over frames, and the events of their lives. */
package dev.shrike.tracking;
