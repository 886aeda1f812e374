"""Trains the variants of a comparison file, each with several seeds, and writes tables of what they reach.

All variants see the same samples in the same order for one seed, and a run serves all tables that show its variant. A
run that is finished is not repeated and one that was stopped goes on, so the command can be interrupted and given
again, or given more seeds or tables, also on another machine that has the file of results.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from .arguments import positive_int
from .checkpoint import load_checkpoint, load_weights
from .comparison import (
    Comparison,
    RunResult,
    Table,
    Variant,
    configuration_digest,
    load_comparison,
    load_results,
    markdown_section,
    save_results,
)
from .config import config_mapping, load_config
from .device_interface import DeviceInterface
from .distributed import join
from .evaluate import evaluate
from .network import build_network
from .network_cost import network_cost
from .page_section import write_page_section
from .training_data import batch_maker
from .training_run import DivergedError, TrainingRun, TrainingRunOptions

CONFIGS = Path(__file__).parents[1] / "configs"


class UnitComparison:
    """`base` has the data, the device and the length of every run; its `out` is the folder of all of them."""

    def __init__(
        self,
        comparison: Comparison,
        base: TrainingRunOptions,
        results: Sequence[RunResult],
        val_samples: int | None,
        on_result: Callable[[Sequence[RunResult]], None] = lambda _: None,
    ):
        """`results` are known already. `on_result` is called with all results after each run."""
        shared = (*Variant("", comparison.set).overrides(base.out, 0), *base.overrides)
        if load_config(base.config, shared).heads.occupancy == "none":
            raise ValueError(f"{base.config}: units are compared by occupancy, which needs heads.occupancy")
        self._comparison = comparison
        self._base = replace(base, overrides=shared)
        self._shared = config_mapping(base.config, shared)
        self._results = list(results)
        self._val_samples = val_samples
        self._on_result = on_result
        self._run: TrainingRun | None = None
        self._stop_requested = False

    @property
    def results(self) -> Sequence[RunResult]:
        return self._results

    def request_stop(self) -> None:
        self._stop_requested = True
        if self._run is not None:
            self._run.request_stop()

    def run(self, tables: Sequence[Table], seeds: int) -> bool:
        """Computes what the tables lack. False if it was stopped."""
        shown = {row.variant for table in tables for row in table.rows}
        for seed in range(seeds):
            for variant in self._comparison.variants:
                if variant.name not in shown or self._is_known(variant, seed):
                    continue
                if not self._train(variant, seed):
                    return False
                self._results.append(self._measure(variant, seed))
                self._on_result(self._results)
        return True

    def _is_known(self, variant: Variant, seed: int) -> bool:
        known = next((r for r in self._results if (r.variant, r.seed) == (variant.name, seed)), None)
        if known is None:
            return False
        wanted = (configuration_digest(self._shared, variant), self._base.steps)
        if (known.configuration, known.steps) != wanted:
            raise ValueError(
                f"there is a result of {variant.name}, seed {seed}, after {known.steps} steps of configuration "
                f"{known.configuration}; wanted are {wanted[1]} steps of configuration {wanted[0]}: choose other "
                "--results and another --out"
            )
        return True

    def _options(self, variant: Variant, seed: int) -> TrainingRunOptions:
        runs = self._base.out
        overrides = (*self._base.overrides, *variant.overrides(runs, seed), f"training.seed={seed}")
        return replace(self._base, out=runs / variant.name / f"seed-{seed}", overrides=overrides)

    def _train(self, variant: Variant, seed: int) -> bool:
        """False if it was stopped."""
        if variant.needs and not self._train(self._comparison.variant(variant.needs), seed):
            return False
        options = self._options(variant, seed)
        has_begun = (options.out / "checkpoint.pt").exists()
        if has_begun and load_checkpoint(options.out / "checkpoint.pt").step == options.steps:
            return True
        print(f"{variant.name}, seed {seed}", flush=True)
        self._run = TrainingRun(replace(options, resume=has_begun))
        return not self._stop_requested and self._run.run()

    def _measure(self, variant: Variant, seed: int) -> RunResult:
        options = self._options(variant, seed)
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
            configuration=configuration_digest(self._shared, variant),
            steps=checkpoint.step,
            val_samples=count,
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
    parser.add_argument("--variants", type=Path, default=CONFIGS / "ablations.yaml", help="default: %(default)s")
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="of the file's tables (default: all)")
    parser.add_argument("--data", type=Path, required=True, help="data set to learn from (nuScenes + Occ3D layout)")
    parser.add_argument("--val", type=Path, required=True, help="data set to measure on, of other scenes")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--results", type=Path, help="JSON of all runs' results (default: OUT/results.json)")
    parser.add_argument("--page", type=Path, help="Markdown page for the tables, such as ../docs/ablations.md")
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
        tables = comparison.chosen(options.tables)
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
        file = options.results or options.out / "results.json"

        def sections(results: Sequence[RunResult]) -> list[tuple[Table, str]]:
            measured = {result.variant for result in results}
            shown = [table for table in tables if any(row.variant in measured for row in table.rows)]
            return [(table, markdown_section(table, results)) for table in shown]

        def write(results: Sequence[RunResult]) -> None:
            save_results(file, results)
            if options.page is not None:
                for table, text in sections(results):
                    write_page_section(options.page, table.name, "compare_units", text)

        run = UnitComparison(comparison, base, load_results(file), options.val_samples, write)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: run.request_stop())
        if not run.run(tables, options.seeds):
            return 130
        write(run.results)
    except (OSError, ValueError, DivergedError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print("\n\n".join(text for _, text in sections(run.results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
