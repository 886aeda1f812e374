"""The other side of the graph tests: a rclpy node that does what JSON lines on its standard input say.

Each request has an `op` and gets one line back, `{"reply": …}` or `{"error": …}`, in order. Each message that a subscription receives is
a line `{"topic": …, "message": …}`; byte and number arrays longer than 64 go into files of the folder given as argument, and the message
holds `{"file", "dtype", "length"}` in their place. The process ends with its standard input.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from std_srvs.srv import Trigger

MATCH_LIMIT_S = 20.0
PROBE_S = 0.1
INLINE_LENGTH = 64


def message_class(name: str) -> type:
    package, kind, message = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), message)


def qos_profile(settings: dict[str, Any]) -> QoSProfile:
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=settings.get("depth", 10),
        reliability=QoSReliabilityPolicy[settings.get("reliability", "reliable").upper()],
        durability=QoSDurabilityPolicy[settings.get("durability", "volatile").upper()],
    )


def fill(message: Any, fields: dict[str, Any]) -> Any:
    """Sets the fields of a message; `{"file": path}` stands for the bytes of a file."""
    types = message.get_fields_and_field_types()
    for name, value in fields.items():
        current = getattr(message, name)
        if isinstance(value, dict) and "file" in value:
            setattr(message, name, array("B", Path(value["file"]).read_bytes()))
        elif isinstance(value, dict):
            fill(current, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            element = message_class(types[name].split("<")[-1].rstrip(">[]").replace("/", "/msg/"))
            setattr(message, name, [fill(element(), item) for item in value])
        elif types[name] in ("float", "double"):
            setattr(message, name, float(value))
        elif isinstance(value, list) and ("float" in types[name] or "double" in types[name]):
            setattr(message, name, [float(number) for number in value])
        else:
            setattr(message, name, value)
    return message


class Peer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = Node("peer")
        self.publishers: dict[str, Any] = {}
        self.subscriptions: dict[str, Any] = {}
        self.output = threading.Lock()
        self.files = 0
        self.clients: dict[str, Any] = {}
        self.streams: dict[str, threading.Event] = {}

    def say(self, line: dict[str, Any]) -> None:
        with self.output:
            print(json.dumps(line), flush=True)

    def serve(self) -> None:
        for line in sys.stdin:
            request = json.loads(line)
            try:
                self.say({"reply": getattr(self, request.pop("op"))(**request)})
            except Exception as error:  # noqa: BLE001 - the test on the other side decides what an error means
                self.say({"error": f"{type(error).__name__}: {error}"})

    def advertise(self, topic: str, type: str, qos: dict[str, Any]) -> None:
        self.publishers[topic] = self.node.create_publisher(message_class(type), topic, qos_profile(qos))

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        publisher = self.publishers[topic]
        publisher.publish(fill(publisher.msg_type(), message))

    def start_stream(
        self, name: str, messages: list[dict[str, Any]], period_s: float, late_s: float = 0.0, shift_s: float = 0.0
    ) -> None:
        """
        Publishes messages at every multiple of the period of this machine's clock, all stamped with it, until the stream is stopped: streams of
        the same period have the same stamps. `late_s`: how old stamps are when they are published; `shift_s`: added to stamps.
        """
        ended = threading.Event()
        self.streams[name] = ended
        prepared = [
            (self.publishers[item["topic"]], fill(self.publishers[item["topic"]].msg_type(), item["message"]))
            for item in messages
        ]

        def publish() -> None:
            tick = int(time.time() / period_s) + 1
            while not ended.wait(max(0.0, tick * period_s - time.time())):
                stamp = self.time_message(tick * period_s - late_s + shift_s)
                for publisher, message in prepared:
                    if hasattr(message, "transforms"):
                        for transform in message.transforms:
                            transform.header.stamp = stamp
                    else:
                        message.header.stamp = stamp
                    publisher.publish(message)
                # not a burst of old ones where the machine was busy
                tick = max(tick + 1, int(time.time() / period_s))

        threading.Thread(target=publish, daemon=True).start()

    def stop_stream(self, name: str) -> None:
        self.streams.pop(name).set()

    def time_message(self, seconds: float) -> Any:
        nanoseconds = round(seconds * 1e9)
        time_class = message_class("builtin_interfaces/msg/Time")
        return time_class(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)

    def publish_bytes(self, topic: str, hex: str) -> None:
        self.publishers[topic].publish(bytes.fromhex(hex))

    def subscribe(self, topic: str, type: str, qos: dict[str, Any]) -> None:
        def receive(message: Any) -> None:
            self.say({"topic": topic, "message": self.to_json(message)})

        self.subscriptions[topic] = self.node.create_subscription(message_class(type), topic, receive, qos_profile(qos))

    def wait_matched(self) -> None:
        """Until each publisher has a subscription and each subscription a publisher."""
        deadline = time.monotonic() + MATCH_LIMIT_S
        while unmatched := self.unmatched():
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody at the other end of {', '.join(unmatched)}")
            time.sleep(0.01)

    def unmatched(self) -> list[str]:
        lonely = [topic for topic, publisher in self.publishers.items() if publisher.get_subscription_count() == 0]
        return lonely + [topic for topic in self.subscriptions if self.node.count_publishers(topic) == 0]

    def publisher_qos(self, topic: str) -> list[dict[str, Any]]:
        return [self.end_qos(info) for info in self.node.get_publishers_info_by_topic(topic)]

    def subscription_qos(self, topic: str) -> list[dict[str, Any]]:
        return [self.end_qos(info) for info in self.node.get_subscriptions_info_by_topic(topic)]

    def end_qos(self, info: Any) -> dict[str, Any]:
        return {
            "type": info.topic_type,
            "reliability": info.qos_profile.reliability.name.lower(),
            "durability": info.qos_profile.durability.name.lower(),
        }

    def set_parameter(self, node: str, name: str, value: Any) -> dict[str, Any]:
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        result = self.call(SetParameters, f"{node}/set_parameters", request).results
        return self.to_json(result[0]) if result else {}

    def get_parameter(self, node: str, name: str) -> dict[str, Any]:
        values = self.call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=[name])).values
        return self.to_json(values[0])

    def describe_parameter(self, node: str, name: str) -> dict[str, Any]:
        request = DescribeParameters.Request(names=[name])
        return self.to_json(self.call(DescribeParameters, f"{node}/describe_parameters", request).descriptors[0])

    def trigger(self, service: str) -> dict[str, Any]:
        return self.to_json(self.call(Trigger, service, Trigger.Request()))

    def call(self, service: type, name: str, request: Any) -> Any:
        if name not in self.clients:
            client = self.node.create_client(service, name)
            if not client.wait_for_service(MATCH_LIMIT_S):
                raise TimeoutError(f"no service {name}")
            self.wait_discovered(name.rpartition("/")[0])
            self.clients[name] = client
        client = self.clients[name]
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(MATCH_LIMIT_S):
            raise TimeoutError(f"no answer from {name}")
        return future.result()

    def wait_discovered(self, node: str) -> None:
        """
        Until a node has found the ends of this one's clients: before that its answers get lost, which can't be seen from here. So it is asked
        something without effect until it answers. A participant hears of another's ends in the order in which they were made, so whoever
        answers to the newest client has found the older ones.
        """
        probe = self.node.create_client(GetParameters, f"{node}/get_parameters")
        if not probe.wait_for_service(MATCH_LIMIT_S):
            raise TimeoutError(f"no service {probe.srv_name}")
        deadline = time.monotonic() + MATCH_LIMIT_S
        answered = threading.Event()
        while not answered.is_set():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer from {probe.srv_name}")
            probe.call_async(GetParameters.Request()).add_done_callback(lambda _: answered.set())
            answered.wait(PROBE_S)
        self.node.destroy_client(probe)

    def call_service(self, type: str, name: str, request: dict[str, Any]) -> Any:
        service = message_class(type)
        return self.to_json(self.call(service, name, fill(service.Request(), request)))

    def node_names(self) -> list[str]:
        return [f"{namespace.rstrip('/')}/{name}" for name, namespace in self.node.get_node_names_and_namespaces()]

    def subscriber_count(self, topic: str) -> int:
        return self.node.count_subscribers(topic)

    def topics(self) -> dict[str, list[str]]:
        return dict(self.node.get_topic_names_and_types())

    def load_npz(self, file: str) -> dict[str, Any]:
        with np.load(file) as arrays:
            return {name: self.to_json(arrays[name].reshape(-1)) for name in arrays.files}

    def to_json(self, value: Any) -> Any:
        if hasattr(value, "get_fields_and_field_types"):
            return {name: self.to_json(getattr(value, name)) for name in value.get_fields_and_field_types()}
        if isinstance(value, bytes):
            return int.from_bytes(value, "little")
        if isinstance(value, (array, np.ndarray)):
            numbers = np.asarray(value)
            if numbers.size <= INLINE_LENGTH:
                return numbers.tolist()
            self.files += 1
            file = self.folder / f"{self.files}.bin"
            numbers.tofile(file)
            return {"file": str(file), "dtype": str(numbers.dtype), "length": int(numbers.size)}
        if isinstance(value, (list, tuple)):
            return [self.to_json(item) for item in value]
        return value


def main() -> None:
    rclpy.init()
    peer = Peer(Path(sys.argv[1]))

    def spin() -> None:
        try:
            rclpy.spin(peer.node)
        except ExternalShutdownException:
            pass

    spinning = threading.Thread(target=spin)
    spinning.start()
    peer.serve()
    for name in list(peer.streams):
        peer.stop_stream(name)
    rclpy.shutdown()
    spinning.join()


if __name__ == "__main__":
    main()
