/** The page of the service: what it serves, to whom, and how it gets rid of those who only hold connections. */
package dev.shrike.app.page;
