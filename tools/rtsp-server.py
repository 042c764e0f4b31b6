#!/usr/bin/python3
"""Serves a moving pattern, or a clip over and over, by RTSP on loopback; for tools/rtsp-check.sh and package-check.sh.

usage: rtsp-server.py PORT [--user USER --password PASSWORD] [--rate FPS] [--video CLIP.mp4 | --photograph FILE.jpg]
The clip is a video, or 60 frames of a window of 640x480 that wanders over a photograph.
"""
import argparse
import os
import tempfile

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def elementary(video):
    """The H.264 of an MP4 file in a file of its own, which can be read over and over."""
    descriptor, path = tempfile.mkstemp(suffix=".h264")
    os.close(descriptor)
    pipeline = Gst.parse_launch(
        f'filesrc location="{video}" ! qtdemux ! h264parse config-interval=-1'
        f' ! video/x-h264,stream-format=byte-stream,alignment=au ! filesink location="{path}"'
    )
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    return path


WINDOW = 640, 480
MARGIN = 320
CLIP_FRAMES = 60


def photograph(path, rate):
    """The elements of a pipeline that encode the window on a photograph."""
    width, height = WINDOW
    return (
        f'filesrc location="{path}" ! jpegdec ! videoconvert ! videoscale add-borders=true'
        f" ! video/x-raw,format=I420,width={width + MARGIN},height={height},pixel-aspect-ratio=1/1"
        f" ! imagefreeze is-live=true ! video/x-raw,framerate={rate}"
        f" ! videocrop name=window right={MARGIN} ! video/x-raw,width={width},height={height}"
        " ! openh264enc complexity=low gop-size=12 ! h264parse"
    )


def wander(_factory, media):
    """Moves the window from left to right, over and over."""
    window = media.get_element().get_by_name("window")
    seen = 0

    def move(_pad, _info):
        nonlocal seen
        left = seen % CLIP_FRAMES * MARGIN // CLIP_FRAMES
        seen += 1
        window.set_property("left", left)
        window.set_property("right", MARGIN - left)
        return Gst.PadProbeReturn.OK

    window.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, move)


parser = argparse.ArgumentParser()
parser.add_argument("port")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--rate", default="25/1")
parser.add_argument("--video")
parser.add_argument("--photograph")
options = parser.parse_args()

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(options.port)
factory = GstRtspServer.RTSPMediaFactory()
if options.video:
    frames = (
        f'multifilesrc location="{elementary(options.video)}" loop=true'
        f" ! h264parse ! video/x-h264,alignment=au,framerate={options.rate} ! h264timestamper ! identity sync=true"
    )
elif options.photograph:
    frames = photograph(options.photograph, options.rate)
    factory.connect("media-configure", wander)
else:
    frames = (
        f"videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=640,height=480,"
        f"framerate={options.rate} ! openh264enc complexity=low gop-size=12 ! h264parse"
    )
factory.set_launch(f"( {frames} ! rtph264pay config-interval=-1 name=pay0 pt=96 )")
factory.set_shared(True)
if options.user:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(options.user, options.password, token)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)
server.get_mount_points().add_factory("/live", factory)
if server.attach(None) == 0:
    raise SystemExit(f"rtsp-server: port {options.port} is taken")
print("ready", flush=True)
GLib.MainLoop().run()
