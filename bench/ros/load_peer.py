"""Publishes camera images at a fixed rate and receives what the node makes of them: the other side of bench/ros/main.ts.

Takes the path of a JSON file: `cameras` and `transforms` as scene.ts writes them, `transport`, `rate` (Hz), `warm_up` and `seconds`. Prints
`measuring` when the warm-up is over, `measured` when the last image is out, and in the end one JSON object: what was sent, what came back, and the node's diagnostics.
"""

from __future__ import annotations

import json
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from tf2_msgs.msg import TFMessage

MATCH_LIMIT_S = 60.0
SETTLE_S = 2.0
# in CDR both image types begin with a Header, and that with its stamp, behind four bytes of encapsulation
STAMP_AT = 4

SENSOR_DATA = QoSProfile(depth=5, reliability=QoSReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class Camera:
    """One camera's publishers, with its message made once: only the stamp changes."""

    def __init__(self, node: Node, spec: dict[str, Any], transport: str) -> None:
        self.info = self.camera_info(spec)
        kind = Image if transport == "raw" else CompressedImage
        self.image = bytearray(serialize_message(self.image_message(spec, transport)))
        self.image_publisher = node.create_publisher(kind, spec["image_topic"], SENSOR_DATA)
        self.info_publisher = node.create_publisher(CameraInfo, spec["info_topic"], SENSOR_DATA)

    @staticmethod
    def image_message(spec: dict[str, Any], transport: str) -> Image | CompressedImage:
        data = Path(spec["file"]).read_bytes()
        message = CompressedImage(format="jpeg")
        if transport == "raw":
            message = Image(height=spec["height"], width=spec["width"], encoding="rgb8", step=3 * spec["width"])
        message.data.frombytes(data)
        message.header.frame_id = spec["frame_id"]
        return message

    @staticmethod
    def camera_info(spec: dict[str, Any]) -> CameraInfo:
        numbers = {key: [float(number) for number in spec["info"][key]] for key in "dkrp"}
        model = spec["info"]["distortion_model"]
        info = CameraInfo(height=spec["height"], width=spec["width"], distortion_model=model, **numbers)
        info.header.frame_id = spec["frame_id"]
        return info

    def publish(self, stamp_ns: int) -> None:
        sec, nanosec = divmod(stamp_ns, 1_000_000_000)
        struct.pack_into("<iI", self.image, STAMP_AT, sec, nanosec)
        self.info.header.stamp = Time(sec=sec, nanosec=nanosec)
        self.info_publisher.publish(self.info)
        self.image_publisher.publish(bytes(self.image))


class Load:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.node = Node("load")
        self.cameras = [Camera(self.node, camera, spec["transport"]) for camera in spec["cameras"]]
        self.frames: list[dict[str, int]] = []
        self.results: list[dict[str, int]] = []
        self.diagnostics: list[dict[str, Any]] = []
        self.transforms = self.node.create_publisher(TFMessage, "/tf_static", LATCHED)
        self.transforms.publish(TFMessage(transforms=[self.transform(item) for item in spec["transforms"]]))
        topic = "/bdc_occ/occupied_voxels"
        self.cloud = self.node.create_subscription(PointCloud2, topic, self.on_cloud, 10, raw=True)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.on_diagnostics, 50)

    @staticmethod
    def transform(item: dict[str, Any]) -> TransformStamped:
        message = TransformStamped(child_frame_id=item["child_frame_id"])
        message.header.frame_id = item["header"]["frame_id"]
        for part in ("translation", "rotation"):
            for axis, value in item["transform"][part].items():
                setattr(getattr(message.transform, part), axis, value)
        return message

    def on_cloud(self, message: bytes) -> None:
        at = time.time_ns()
        sec, nanosec = struct.unpack_from("<iI", message, STAMP_AT)
        self.results.append({"stamp": sec * 1_000_000_000 + nanosec, "at": at})

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        values = {
            status.name.removeprefix("bdc_occ: "): {value.key: value.value for value in status.values}
            for status in message.status
        }
        self.diagnostics.append({"at": time.time_ns(), "values": values})

    def wait_matched(self) -> None:
        deadline = time.monotonic() + MATCH_LIMIT_S
        publishers = [publisher for camera in self.cameras for publisher in (camera.image_publisher, camera.info_publisher)]
        while any(publisher.get_subscription_count() == 0 for publisher in publishers) or not self.diagnostics:
            if time.monotonic() > deadline:
                raise TimeoutError("the node does not listen to all cameras")
            time.sleep(0.05)

    def send(self, seconds: float) -> None:
        """All cameras at once, `rate` times a second, as hardware-triggered ones."""
        period_ns = round(1e9 / self.spec["rate"])
        due = time.monotonic_ns()
        end = due + round(seconds * 1e9)
        while due < end:
            time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
            # a machine that is too slow for the rate gets fewer frames, not more time
            due = max(due, time.monotonic_ns() - period_ns) + period_ns
            stamp = time.time_ns()
            for camera in self.cameras:
                camera.publish(stamp)
            self.frames.append({"stamp": stamp, "sent": time.time_ns()})

    def run(self) -> dict[str, Any]:
        self.wait_matched()
        self.send(self.spec["warm_up"])
        time.sleep(SETTLE_S)
        before = self.diagnostics[-1]
        self.frames.clear()
        self.results.clear()
        self.diagnostics.clear()
        print("measuring", flush=True)
        self.send(self.spec["seconds"])
        print("measured", flush=True)
        time.sleep(SETTLE_S)
        return {
            "frames": self.frames,
            "results": self.results,
            "before": before["values"],
            "diagnostics": self.diagnostics,
        }


def main() -> None:
    rclpy.init()
    load = Load(json.loads(Path(sys.argv[1]).read_text()))

    executor = SingleThreadedExecutor()
    executor.add_node(load.node)
    ended = threading.Event()

    def spin() -> None:
        while not ended.is_set():
            executor.spin_once(timeout_sec=0.1)

    spinning = threading.Thread(target=spin)
    spinning.start()
    try:
        print(json.dumps(load.run()), flush=True)
    finally:
        ended.set()
        spinning.join()
        rclpy.shutdown()


if __name__ == "__main__":
    main()
