"""Trains a network: python -m bdc_training.train --config CONFIG --data ROOT --val ROOT --out DIR."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .training_run import TrainingRun, TrainingRunOptions


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.train", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="YAML file with the network and its training")
    parser.add_argument("--data", type=Path, required=True, help="data set to learn from (nuScenes + Occ3D layout)")
    parser.add_argument("--val", type=Path, required=True, help="data set to measure on, of other scenes")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint.pt, train.csv and val.csv")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in each data set)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    parser.add_argument("--threads", type=int, help="of PyTorch (default: one per core)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="length of the whole run (default: the config's)")
    length.add_argument(
        "--minutes", type=float, help="length of the whole run; the learning rate is planned to end with it"
    )
    run = TrainingRun(TrainingRunOptions(**vars(parser.parse_args(arguments))))

    def stop(signum: int, frame: object) -> None:
        run.request_stop()

    # The step in progress is finished and a checkpoint written: --resume goes on from there.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    finished = run.run()
    return 0 if finished else 130


if __name__ == "__main__":
    sys.exit(main())
