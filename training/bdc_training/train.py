"""Trains a network: python -m bdc_training.train --config CONFIG --data ROOT --val ROOT --out DIR.

On several GPUs: torchrun --nproc-per-node N -m bdc_training.train …
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .arguments import positive_int, positive_number
from .distributed import leave
from .training_run import DivergedError, TrainingRun, TrainingRunOptions


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.train", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="YAML file with the network and its training")
    parser.add_argument("--data", type=Path, required=True, help="data set to learn from (nuScenes + Occ3D layout)")
    parser.add_argument("--val", type=Path, required=True, help="data set to measure on, of other scenes")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint.pt, config.yaml and logs")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in each data set)")
    parser.add_argument("--scenes", type=Path, help="text file of the scenes to learn from (default: all)")
    parser.add_argument("--val-scenes", type=Path, help="text file of the scenes to measure on (default: all)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a value over the config file's, such as training.steps=500 (may be repeated)",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: a GPU if there is one"
    )
    parser.add_argument("--tensorboard", action="store_true", help="log to OUT/tensorboard too (needs tensorboard)")
    parser.add_argument("--threads", type=positive_int, help="of PyTorch (default: the cores, shared among processes)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive_int, help="length of the whole run (default: the config's)")
    length.add_argument(
        "--minutes", type=positive_number, help="length of the whole run; the learning rate is planned to end with it"
    )
    options = parser.parse_args(arguments)
    options.overrides = tuple(options.overrides)
    try:
        return _train(TrainingRunOptions(**vars(options)))
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted before the first step", file=sys.stderr)
        return 130
    finally:
        leave()


def _train(options: TrainingRunOptions) -> int:
    run = TrainingRun(options)

    def stop(signum: int, frame: object) -> None:
        run.request_stop()

    # The step in progress is finished and a checkpoint written: --resume goes on from there.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        finished = run.run()
    except DivergedError as error:
        print(f"training stopped: {error}", file=sys.stderr)
        return 3
    return 0 if finished else 130


if __name__ == "__main__":
    sys.exit(main())
