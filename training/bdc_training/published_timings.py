"""Runs the published networks at full size on the engine and writes what their modules take.

Each is exported with random weights that look trained to a temporary folder and run by `bdc-occ frame`: twice, the
second time is told. It needs the built command (npm run build).

python -m bdc_training.published_timings FRAME.json [--page ../docs/paper.md]
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from .config import load_config
from .export import export_network
from .golden_networks import randomise
from .network import build_network
from .page_section import write_page_section

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "training" / "configs"
COMMAND = ROOT / "dist" / "cli" / "main.js"
MODULES = ("image_encoder", "view_transformer", "bev_encoder", "heads")


@dataclass(frozen=True)
class Run:
    title: str
    config: str
    overrides: tuple[str, ...] = ()


RUNS = (
    Run("BDC-T", "bdc-t-r50-occupancy"),
    Run("BDC-B", "bdc-b-r50-occupancy"),
    Run("BDC-T, 4D stereo", "bdc-t-r50-4d-stereo-occupancy"),
    Run("BDC-B, 4D stereo", "bdc-b-r50-4d-stereo-occupancy"),
    Run("BDC-T, detection", "bdc-t-r50-detection"),
    Run("FlashOcc", "flashocc-r50"),
    Run("FlashOcc, 4D stereo", "flashocc-r50-4d-stereo"),
    Run("BEVDet", "bevdet-r50"),
    *(
        Run(f"{unit}-T", "bdc-t-r50-occupancy", (f"unit.version={unit}",))
        for unit in ("ReActNet", "BBCU", "BiMatting", "BiSRNet")
    ),
)


@dataclass(frozen=True)
class Timing:
    run: Run
    # Of `bdc-occ frame --json`, milliseconds; `modules` by name.
    latency: dict
    isa: str
    threads: int
    # Largest resident set of the whole process, bytes.
    resident: int


def measure(run: Run, frame: Path, threads: int, repetitions: int) -> Timing:
    """The fastest of so many runs, and the most memory that one of them needed.

    @raises ValueError if the command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        export_random(run, Path(folder) / "model.safetensors")
        timings = [_run_frame(run, frame, threads, Path(folder)) for _ in range(repetitions)]
    fastest = min(timings, key=lambda timing: timing.latency["total"])
    return replace(fastest, resident=max(timing.resident for timing in timings))


def _run_frame(run: Run, frame: Path, threads: int, folder: Path) -> Timing:
    model = str(folder / "model.safetensors")
    arguments = ["frame", str(frame), "--model", model, "--out", str(folder), "--threads", str(threads), "--json"]
    with (folder / "report.json").open("w+") as report:
        process = subprocess.Popen(["node", str(COMMAND), *arguments], stdout=report)
        resident = 0
        while process.poll() is None:
            resident = max(resident, _largest_resident(process.pid))
            time.sleep(0.02)
        if process.returncode != 0:
            raise ValueError(f"{run.title}: bdc-occ {' '.join(arguments)} ended with status {process.returncode}")
        report.seek(0)
        result = json.load(report)
    return Timing(run, result["latency_ms"], result["isa"], result["threads"], resident)


def _largest_resident(process: int) -> int:
    """Bytes so far; 0 where it has ended. What wait4 tells counts the memory of the process that started it, too."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 0 if found is None else int(found[1]) * 1024


def export_random(run: Run, path: Path) -> None:
    config = load_config(CONFIGS / f"{run.config}.yaml", run.overrides)
    torch.manual_seed(0)
    network = build_network(config)
    randomise(network, np.random.default_rng(0))
    export_network(network.eval(), config, path)


def markdown(timings: Sequence[Timing]) -> str:
    modules = " | ".join(name.replace("_", " ") for name in MODULES)
    lines = [
        f"| network | {modules} | prepare, decode | frame (ms) | resident (MB) |",
        f"| --- |{' ---: |' * (len(MODULES) + 3)}",
    ]
    for timing in timings:
        latency = timing.latency
        values = [latency["modules"][name] for name in MODULES]
        values += [latency["preprocess"] + latency["decode"], latency["total"]]
        cells = [timing.run.title, *(f"{value:.0f}" for value in values), f"{timing.resident / 1e6:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    isa, threads = timings[0].isa, timings[0].threads
    return "\n".join([*lines, "", f"Instruction set {isa}, threads: {threads}."])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.published_timings", description=__doc__)
    parser.add_argument("frame", type=Path, help="frame file of six cameras (docs/frame-file.md)")
    parser.add_argument("--page", type=Path, help="Markdown page to put the table into, such as ../docs/paper.md")
    parser.add_argument("--threads", type=int, default=1, help="of the engine (default: %(default)s)")
    parser.add_argument(
        "--repetitions",
        type=int,
        default=1,
        help="runs of each network, of which the fastest counts (default: %(default)s)",
    )
    parser.add_argument("--only", action="append", metavar="CONFIG", help="only this configuration, by its file's name")
    options = parser.parse_args(arguments)
    runs = [run for run in RUNS if options.only is None or run.config in options.only]
    if not runs:
        parser.error(f"--only: expected one of {', '.join(sorted({run.config for run in RUNS}))}")
    timings = []
    try:
        for run in runs:
            timings.append(measure(run, options.frame, options.threads, options.repetitions))
            print(markdown(timings[-1:]).splitlines()[2], flush=True)
        if options.page is not None:
            write_page_section(options.page, "timings", "published_timings", markdown(timings))
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
