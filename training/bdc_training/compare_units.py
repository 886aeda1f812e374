"""Trains the variants of a comparison file, each with several seeds, and writes a table of what they reach.

All variants see the same samples in the same order for one seed. A run that is finished is not repeated and one that
was stopped goes on, so the command can be interrupted and given again, or given more seeds.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from .arguments import positive_int
from .checkpoint import load_weights
from .comparison import (
    Comparison,
    RunResult,
    Variant,
    load_comparison,
    load_result,
    save_result,
    write_section,
    write_tables,
)
from .config import load_config
from .device_interface import DeviceInterface
from .distributed import join
from .evaluate import evaluate
from .network import build_network
from .network_cost import network_cost
from .training_data import batch_maker
from .training_run import DivergedError, TrainingRun, TrainingRunOptions

CONFIGS = Path(__file__).parents[1] / "configs"


class UnitComparison:
    """`base` has the data, the device and the length of every run; its `out` is the folder of all of them."""

    def __init__(
        self,
        comparison: Comparison,
        base: TrainingRunOptions,
        val_samples: int | None,
        write_page: Callable[[Sequence[RunResult]], None] = lambda _: None,
    ):
        """`write_page` is called with all results so far after each run."""
        self._comparison = comparison
        self._write_page = write_page
        self._base = base
        self._val_samples = val_samples
        self._run: TrainingRun | None = None
        self._stop_requested = False

    def request_stop(self) -> None:
        self._stop_requested = True
        if self._run is not None:
            self._run.request_stop()

    def run(self, seeds: int) -> bool:
        """False if it was stopped. The tables are written anew after every run."""
        results: list[RunResult] = []
        for seed in range(seeds):
            for variant in self._comparison.variants:
                result = self._result(variant, seed)
                if result is None:
                    return False
                results.append(result)
                write_tables(self._base.out, self._comparison, results)
                self._write_page(results)
        return True

    def _result(self, variant: Variant, seed: int) -> RunResult | None:
        runs = self._base.out
        options = replace(
            self._base,
            out=runs / variant.name / f"seed-{seed}",
            overrides=(
                *Variant("", self._comparison.set).overrides(runs, seed),
                *variant.overrides(runs, seed),
                *self._base.overrides,
                f"training.seed={seed}",
            ),
        )
        known = load_result(options.out / "result.json")
        if known is not None:
            if known.steps != options.steps:
                raise ValueError(
                    f"{options.out}: trained for {known.steps} steps, not {options.steps}; choose another --out"
                )
            return known
        print(f"{variant.name}, seed {seed}", flush=True)
        self._run = TrainingRun(replace(options, resume=(options.out / "checkpoint.pt").exists()))
        if self._stop_requested or not self._run.run():
            return None
        result = self._measure(variant, seed, options)
        save_result(options.out / "result.json", result)
        return result

    def _measure(self, variant: Variant, seed: int, options: TrainingRunOptions) -> RunResult:
        config = load_config(options.config, options.overrides)
        network = build_network(config)
        checkpoint = load_weights(network, options.out / "checkpoint.pt")
        device = join(options.device).device
        maker = batch_maker(config, options.val, options.cache and options.cache / "val")
        count = min(self._val_samples or len(maker.dataset), len(maker.dataset))
        measured = evaluate(DeviceInterface(network.to(device), device), maker, range(count))
        return RunResult(
            variant=variant.name,
            seed=seed,
            steps=checkpoint.step,
            seconds=checkpoint.seconds,
            mean_iou=measured.network.mean_iou,
            prior_mean_iou=measured.prior.mean_iou,
            occupied_iou=measured.network.occupied_iou,
            depth_error=measured.depth_error,
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            cost=network_cost(config),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.compare_units", description=__doc__)
    parser.add_argument("--variants", type=Path, default=CONFIGS / "comparison.yaml", help="default: %(default)s")
    parser.add_argument("--data", type=Path, required=True, help="data set to learn from (nuScenes + Occ3D layout)")
    parser.add_argument("--val", type=Path, required=True, help="data set to measure on, of other scenes")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs and comparison.csv, .json, .md")
    parser.add_argument("--page", type=Path, help="Markdown page to put the table into, such as ../docs/ablations.md")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in each data set)")
    parser.add_argument("--steps", type=positive_int, default=1000, help="of each run (default: %(default)s)")
    parser.add_argument("--seeds", type=positive_int, default=3, help="runs of each variant (default: %(default)s)")
    parser.add_argument("--val-samples", type=positive_int, help="measure on the first so many samples (default: all)")
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: a GPU if any")
    parser.add_argument("--threads", type=positive_int, help="of PyTorch (default: one per core)")
    options = parser.parse_args(arguments)
    try:
        comparison = load_comparison(options.variants)
        base = TrainingRunOptions(
            config=options.variants.parent / comparison.config,
            data=options.data,
            val=options.val,
            out=options.out,
            cache=options.cache,
            threads=options.threads,
            steps=options.steps,
            overrides=tuple(options.overrides),
            device=options.device,
        )

        def write_page(results: Sequence[RunResult]) -> None:
            if options.page is not None:
                write_section(options.page, options.variants.stem, comparison, results)

        run = UnitComparison(comparison, base, options.val_samples, write_page)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: run.request_stop())
        if not run.run(options.seeds):
            return 130
    except (OSError, ValueError, DivergedError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print((options.out / "comparison.md").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
