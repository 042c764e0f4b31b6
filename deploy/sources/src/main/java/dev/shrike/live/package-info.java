/** Detection on the newest frame of a source. */
package dev.shrike.live;
