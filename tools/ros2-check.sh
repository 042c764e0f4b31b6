#!/usr/bin/env bash
# Runs the ROS 2 node against a socket with one line, with stand-ins for rclpy and vision_msgs where ROS 2 is not
# installed, which Debian does not have: tools/ros2-check.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/rclpy" "$work/vision_msgs"
cat >"$work/rclpy/__init__.py" <<'PYTHON'
def ok():
    return True
PYTHON
cat >"$work/rclpy/node.py" <<'PYTHON'
import sys
from types import SimpleNamespace


class Publisher:
    def __init__(self, topic):
        self.topic = topic

    def publish(self, message):
        Node.published.append((self.topic, message))


class Node:
    published = []
    parameters = {}

    def __init__(self, name):
        self.name = name

    def declare_parameter(self, name, value):
        return SimpleNamespace(value=Node.parameters.get(name, value))

    def create_publisher(self, kind, topic, quality):
        return Publisher(topic)

    def get_logger(self):
        return SimpleNamespace(warning=lambda text, **kinds: print(text, file=sys.stderr))
PYTHON
echo 'qos_profile_sensor_data = None' >"$work/rclpy/qos.py"
: >"$work/vision_msgs/__init__.py"
# Only fields that the messages have (vision_msgs 4), so that a misspelt one is an error.
cat >"$work/vision_msgs/msg.py" <<'PYTHON'
def record(**fields):
    class Record:
        __slots__ = tuple(fields)

        def __init__(self):
            for name, make in fields.items():
                setattr(self, name, make())
    return Record


Header = record(stamp=record(sec=int, nanosec=int), frame_id=str)
Box = record(center=record(position=record(x=float, y=float), theta=float), size_x=float, size_y=float)
ObjectHypothesisWithPose = record(hypothesis=record(class_id=str, score=float), pose=object)
Detection2D = record(header=Header, results=list, bbox=Box, id=str)
Detection2DArray = record(header=Header, detections=list)
PYTHON
cat >"$work/check.py" <<'PYTHON'
import importlib.util
import json
import socket
import sys
import time

from rclpy.node import Node

path = sys.argv[1] + "/socket"
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen()
Node.parameters["socket"] = path
spec = importlib.util.spec_from_file_location("node", "deploy/packaging/ros2/shrike_detections.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
node = module.ShrikeDetections()
box = {"label": "person", "score": 0.5, "box": [10, 20, 50, 100]}
frame = {"type": "frame", "camera": "yard 1", "time": "2026-01-02T03:04:05.678901Z", "detections": [box, box],
         "tracks": [dict(box, id="r-yard-1", lost_ms=0), dict(box, id="r-yard-2", lost_ms=40)]}
lines = [{"type": "source"}, frame, dict(frame, tracks=[], time="2026-01-02T03:04:05Z"),
         dict(frame, tracks=[], detections=[dict(box, box=[None, 0, 1, 1])])]
# The first reader gets an unfinished line and a broken connection: the node comes back.
client, _ = server.accept()
client.sendall(b'{"type": "fra')
client.close()
client, _ = server.accept()
for line in lines:
    client.sendall(json.dumps(line).encode() + b"\n")
end = time.monotonic() + 30
while len(Node.published) < 3 and time.monotonic() < end:
    time.sleep(0.01)
assert len(Node.published) == 3, Node.published
topic, first = Node.published[0]
assert topic == "~/c_yard_1", topic
assert first.header.frame_id == "yard 1"
assert (first.header.stamp.sec, first.header.stamp.nanosec) == (1767323045, 678901000), first.header.stamp.sec
assert [found.id for found in first.detections] == ["r-yard-1"]
bounds = first.detections[0].bbox
assert (bounds.center.position.x, bounds.center.position.y, bounds.size_x, bounds.size_y) == (30, 60, 40, 80)
hypothesis = first.detections[0].results[0].hypothesis
assert (hypothesis.class_id, hypothesis.score) == ("person", 0.5)
assert len(Node.published[1][1].detections) == 2 and Node.published[1][1].header.stamp.nanosec == 0
assert Node.published[2][1].detections == []
print("ros2-check: 3 messages as they should be")
PYTHON
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$work" /usr/bin/env python3 "$work/check.py" "$work"
