/** The CPU engine: backend and building of files. Around it stand packages in layers, see docs/architecture.md. */
package dev.shrike.cpu;
