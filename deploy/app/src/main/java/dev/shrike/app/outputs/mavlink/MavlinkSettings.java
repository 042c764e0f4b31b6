package dev.shrike.app.outputs.mavlink;

import java.util.Objects;

/**
 * Where the autopilot is, and what is a landing target.
 *
 * @param host of the autopilot, or of the router in front of it
 * @param port of UDP, usually 14550
 * @param camera id of the camera that looks down
 * @param label class of the target
 * @param horizontalDegrees angle that the image spans from left to right
 * @param verticalDegrees angle that it spans from top to bottom
 * @param systemId id of the vehicle, 1 to 255
 * @param componentId ours, 1 to 255; 191 is an onboard computer
 */
public record MavlinkSettings(String host, int port, String camera, String label, double horizontalDegrees,
        double verticalDegrees, int systemId, int componentId) {
    /** @throws IllegalArgumentException if a number is out of its bounds */
    public MavlinkSettings {
        Objects.requireNonNull(camera, "camera");
        Objects.requireNonNull(label, "label");
        if (host.isBlank() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("the autopilot's address is host and port, not " + host + ":" + port);
        }
        requireAngle("horizontal", horizontalDegrees);
        requireAngle("vertical", verticalDegrees);
        if (systemId < 1 || systemId > 255 || componentId < 1 || componentId > 255) {
            throw new IllegalArgumentException(
                    "MAVLink ids are 1 to 255, not " + systemId + " and " + componentId);
        }
    }

    private static void requireAngle(String name, double degrees) {
        if (!(degrees > 1 && degrees < 179)) {
            throw new IllegalArgumentException(
                    "the " + name + " angle of the image is within 1 and 179 degrees, not " + degrees);
        }
    }
}
