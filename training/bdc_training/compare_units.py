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
from functools import cached_property
from pathlib import Path

from .arguments import positive_int
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
from .page_section import write_page_section
from .side_by_side import SideBySide
from .training_data import batch_maker
from .training_run import DivergedError, TrainingRunOptions
from .unit_run import StoppedError, UnitRun, UnitTrainer, unit_options

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
        jobs: int = 1,
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
        self._trainer = UnitTrainer() if jobs == 1 else SideBySide(jobs)

    @property
    def results(self) -> Sequence[RunResult]:
        return self._results

    def request_stop(self) -> None:
        self._trainer.request_stop()

    def run(self, tables: Sequence[Table], seeds: int) -> bool:
        """Computes what the tables lack. False if it was stopped."""
        runs = self._missing_runs(tables, seeds)
        try:
            if isinstance(self._trainer, SideBySide):
                self._trainer.run_all(runs, self._add)
            else:
                for run in runs:
                    result = self._trainer.run(run)
                    if result is not None:
                        self._add(result)
        except StoppedError:
            return False
        return True

    def _add(self, result: RunResult) -> None:
        self._results.append(result)
        self._on_result(self._results)

    def _missing_runs(self, tables: Sequence[Table], seeds: int) -> list[UnitRun]:
        """Each after the one that it needs."""
        shown = {row.variant for table in tables for row in table.rows}
        runs: dict[tuple[str, int], UnitRun] = {}
        for seed in range(seeds):
            for variant in self._comparison.variants:
                if variant.name not in shown or self._is_known(variant, seed):
                    continue
                needed = variant
                chain = [self._unit_run(variant, seed, is_measured=True)]
                while needed.needs:
                    needed = self._comparison.variant(needed.needs)
                    chain.append(self._unit_run(needed, seed, is_measured=False))
                for run in reversed(chain):
                    if run.is_measured or run.key not in runs:
                        runs[run.key] = run
        return list(runs.values())

    def _unit_run(self, variant: Variant, seed: int, is_measured: bool) -> UnitRun:
        digest = configuration_digest(self._shared, variant)
        return UnitRun(variant, seed, digest, unit_options(self._base, variant, seed), self._val_samples, is_measured)

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
        # Where the numbers are the same nothing need be read to know it.
        if known.val_samples != self._val_samples and known.val_samples != self._val_count:
            raise ValueError(
                f"there is a result of {variant.name}, seed {seed}, measured on {known.val_samples} samples; wanted "
                f"are {self._val_count}: give --val and --val-samples as then, or choose other --results"
            )
        return True

    @cached_property
    def _val_count(self) -> int:
        """Samples that runs are measured on."""
        config = load_config(self._base.config, self._base.overrides)
        count = len(batch_maker(config, self._base.val).dataset)
        return min(self._val_samples or count, count)


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
    parser.add_argument("--jobs", type=positive_int, default=1, help="runs at once (default: %(default)s)")
    parser.add_argument("--threads", type=positive_int, help="of each run (default: one per core; with --jobs, one)")
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
            threads=options.threads or (1 if options.jobs > 1 else None),
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

        run = UnitComparison(comparison, base, load_results(file), options.val_samples, write, options.jobs)
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
