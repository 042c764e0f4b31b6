package dev.shrike.app.outputs.mavlink;

import io.dronefleet.mavlink.MavlinkConnection;
import io.dronefleet.mavlink.common.LandingTarget;
import io.dronefleet.mavlink.common.LandingTargetType;
import io.dronefleet.mavlink.common.MavFrame;
import io.dronefleet.mavlink.minimal.Heartbeat;
import io.dronefleet.mavlink.minimal.MavAutopilot;
import io.dronefleet.mavlink.minimal.MavState;
import io.dronefleet.mavlink.minimal.MavType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.util.List;

/** Packets of MAVLink 2. This class alone sees the library's types, which may not be there. */
final class MavlinkMessages {
    private static final int VERSION = 3;

    private final int systemId;
    private final int componentId;
    private final ByteArrayOutputStream packet = new ByteArrayOutputStream();
    /** Counts the packets, so that the autopilot sees lost ones. */
    private final MavlinkConnection connection = MavlinkConnection.create(InputStream.nullInputStream(), packet);

    MavlinkMessages(int systemId, int componentId) {
        this.systemId = systemId;
        this.componentId = componentId;
    }

    byte[] heartbeat() throws IOException {
        return packet(Heartbeat.builder().type(MavType.MAV_TYPE_ONBOARD_CONTROLLER)
                .autopilot(MavAutopilot.MAV_AUTOPILOT_INVALID).systemStatus(MavState.MAV_STATE_ACTIVE)
                .mavlinkVersion(VERSION).build());
    }

    byte[] landingTarget(LandingTargetFinder.Target target) throws IOException {
        return packet(LandingTarget.builder().timeUsec(BigInteger.valueOf(target.epochMicros()))
                .targetNum(target.number()).frame(MavFrame.MAV_FRAME_BODY_FRD).angleX(target.angleX())
                .angleY(target.angleY()).sizeX(target.sizeX()).sizeY(target.sizeY()).q(List.of(1f, 0f, 0f, 0f))
                .type(LandingTargetType.LANDING_TARGET_TYPE_VISION_OTHER).build());
    }

    private byte[] packet(Object message) throws IOException {
        packet.reset();
        connection.send2(systemId, componentId, message);
        return packet.toByteArray();
    }
}
