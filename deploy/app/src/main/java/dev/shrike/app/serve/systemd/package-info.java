/** What systemd wants to know of a service (sd_notify), over the C library's unix datagrams. */
package dev.shrike.app.serve.systemd;
