/** {@code shrike serve}: cameras, one loop each, outputs, the page, and the supervisor above. */
package dev.shrike.app.serve;
