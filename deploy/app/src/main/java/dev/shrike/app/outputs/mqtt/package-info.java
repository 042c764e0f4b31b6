/** Events, counts and commands by MQTT. */
package dev.shrike.app.outputs.mqtt;
