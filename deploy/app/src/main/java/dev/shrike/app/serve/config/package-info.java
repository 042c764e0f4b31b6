/** The configuration of the service: read within limits, checked by a schema, never half right. */
package dev.shrike.app.serve.config;
