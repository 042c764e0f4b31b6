#!/usr/bin/env python3
"""Publishes what Shrike sees as vision_msgs/Detection2DArray, from JSON lines of its unix socket; see docs/ros2.md."""
import json
import socket
import threading
import time
from datetime import datetime, timedelta, timezone

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def to_message(frame, frame_id):
    """One line of type "frame" as a message. Tracks give ids; without tracking the detections are taken."""
    message = Detection2DArray()
    message.header.frame_id = frame_id
    micros = (datetime.fromisoformat(frame["time"].replace("Z", "+00:00")) - EPOCH) // timedelta(microseconds=1)
    message.header.stamp.sec, message.header.stamp.nanosec = micros // 1000000, micros % 1000000 * 1000
    seen = [track for track in frame["tracks"] if track["lost_ms"] == 0] if frame["tracks"] else frame["detections"]
    for found in seen:
        if None in found["box"]:
            continue
        x1, y1, x2, y2 = found["box"]
        detection = Detection2D()
        detection.header = message.header
        detection.id = found.get("id", "")
        detection.bbox.center.position.x, detection.bbox.center.position.y = (x1 + x2) / 2, (y1 + y2) / 2
        detection.bbox.size_x, detection.bbox.size_y = x2 - x1, y2 - y1
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = found["label"], found["score"]
        detection.results.append(hypothesis)
        message.detections.append(detection)
    return message


class ShrikeDetections(Node):
    def __init__(self):
        super().__init__("shrike_detections")
        self.path = self.declare_parameter("socket", "/run/shrike/results.sock").value
        self.topics = {}
        threading.Thread(target=self.read_forever, daemon=True).start()

    def read_forever(self):
        while rclpy.ok():
            try:
                with socket.socket(socket.AF_UNIX) as stream:
                    stream.connect(self.path)
                    for line in stream.makefile(encoding="utf-8"):
                        self.publish(json.loads(line))
            except (OSError, ValueError, KeyError) as error:
                self.get_logger().warning(f"{self.path}: {error}", throttle_duration_sec=60)
            time.sleep(1)

    def publish(self, line):
        if line["type"] == "frame":
            name = "".join(c if c.isascii() and c.isalnum() else "_" for c in line["camera"])
            if name not in self.topics:
                self.topics[name] = self.create_publisher(Detection2DArray, f"~/c_{name}", qos_profile_sensor_data)
            self.topics[name].publish(to_message(line, line["camera"]))


if __name__ == "__main__":
    rclpy.init()
    rclpy.spin(ShrikeDetections())
