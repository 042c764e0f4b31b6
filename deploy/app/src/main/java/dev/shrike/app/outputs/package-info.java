/** Where the service tells what it sees: lines of JSON, MQTT, metrics. */
package dev.shrike.app.outputs;
