/** {@code shrike compress}: the other commands in a row, as a plan that can be resumed. */
package dev.shrike.app.compress;
