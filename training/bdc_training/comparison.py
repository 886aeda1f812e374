"""What compare_units reads and writes: the file of variants and tables, results of single runs, the tables."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import yaml

from .config_reading import from_mapping
from .file_replacement import replace_file
from .network_cost import Cost


@dataclass(frozen=True)
class Variant:
    name: str
    # Config values by key path. Texts may hold {runs} and {seed}: the folder of all runs and the seed of this one.
    set: Mapping[str, Any] = field(default_factory=dict)
    # A variant before it whose run of the same seed this one reads.
    needs: str = ""

    def overrides(self, runs: Path, seed: int) -> list[str]:
        """As `key.path=value`; JSON is YAML."""
        filled = {
            key: value.format(runs=runs, seed=seed) if isinstance(value, str) else value
            for key, value in self.set.items()
        }
        return [f"{key}={json.dumps(value)}" for key, value in filled.items()]


@dataclass(frozen=True)
class Row:
    variant: str
    # In the table; the variant's name without.
    label: str = ""
    # For the reader of the table.
    note: str = ""


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    # The variant whose mIoU is 100 %.
    reference: str
    rows: tuple[Row, ...]
    text: str = ""


@dataclass(frozen=True)
class Comparison:
    # The network's config file, relative to this one.
    config: str
    variants: tuple[Variant, ...]
    tables: tuple[Table, ...]
    # Config values of all variants.
    set: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [variant.name for variant in self.variants]
        for what, all_names in (("variants", names), ("tables", [table.name for table in self.tables])):
            if len({*all_names}) < len(all_names):
                raise ValueError(f"{what}: expected every name once; found {', '.join(all_names)}")
        for i, variant in enumerate(self.variants):
            _require(variant.needs in ("", *names[:i]), f"variants[{i}].needs", names[:i], variant.needs)
        for table in self.tables:
            where = f"tables.{table.name}"
            _require(table.reference in names, f"{where}.reference", names, table.reference)
            for row in table.rows:
                _require(row.variant in names, f"{where}.rows", names, row.variant)

    def variant(self, name: str) -> Variant:
        return next(variant for variant in self.variants if variant.name == name)

    def chosen(self, tables: Sequence[str] | None) -> tuple[Table, ...]:
        """The tables of these names, or all. @raises ValueError for one that there isn't."""
        names = [table.name for table in self.tables]
        for name in tables or ():
            _require(name in names, "tables", names, name)
        return tuple(table for table in self.tables if tables is None or table.name in tables)


def _require(holds: bool, where: str, names: Sequence[str], found: str) -> None:
    if not holds:
        raise ValueError(f"{where}: expected one of {', '.join(names)}; found {found}")


def load_comparison(path: Path) -> Comparison:
    """@raises ValueError naming the file and the key at fault."""
    try:
        return from_mapping(Comparison, yaml.safe_load(path.read_text()), "")
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error


@dataclass(frozen=True)
class RunResult:
    """Of one variant and seed after training, on the validation set. IoUs are shares (0…1), lengths metres."""

    variant: str
    seed: int
    # Of the configuration that was trained: `configuration_digest`.
    configuration: str
    steps: int
    val_samples: int
    seconds: float
    mean_iou: float
    prior_mean_iou: float
    occupied_iou: float
    depth_error: float
    parameters: int
    cost: Cost


def configuration_digest(base: Mapping[str, Any], variant: Variant) -> str:
    """Of a config file's content with what all variants set, and of what this one does.

    `input.trained_views` is only told on by the model file and changes no training.
    """
    images = {key: value for key, value in base.get("input", {}).items() if key != "trained_views"}
    content = [{**base, "input": images}, variant.set]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def load_results(path: Path) -> list[RunResult]:
    """Empty where there is no file. @raises ValueError for a file of something else."""
    if not path.exists():
        return []
    try:
        return [RunResult(**{**run, "cost": Cost(**run["cost"])}) for run in json.loads(path.read_text())]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: expected results as compare_units writes them; found {error}") from error


def save_results(path: Path, results: Sequence[RunResult]) -> None:
    """As JSON, and beside it as CSV."""
    replace_file(path, (json.dumps([asdict(result) for result in results], indent=2) + "\n").encode())
    text = io.StringIO()
    rows = [{**asdict(result), **asdict(result.cost)} for result in results]
    columns = [name for name in rows[0] if name != "cost"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    replace_file(path.with_suffix(".csv"), text.getvalue().encode())


def markdown_section(table: Table, results: Sequence[RunResult]) -> str:
    """Means over seeds ± their sample standard deviation, in percent; variants without a result are left out."""
    by_variant = {row.variant: [r for r in results if r.variant == row.variant] for row in table.rows}
    reference = mean([r.mean_iou for r in results if r.variant == table.reference] or [0.0])
    lines = [
        f"| unit | seeds | mIoU (%) | of {table.reference} (%) | occupied IoU (%) | depth error (m) "
        "| ±1·±1, ±1·real, real (M MAC) | parameters (k) | note |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in table.rows:
        runs = by_variant[row.variant]
        if not runs:
            continue
        cost = runs[0].cost
        # No share of a reference that isn't trained, or has learned nothing.
        share = f"{100 * mean(r.mean_iou for r in runs) / reference:.0f}" if reference > 0 else "–"
        columns = [
            row.label or row.variant,
            str(len(runs)),
            _spread([100 * r.mean_iou for r in runs], 1),
            share,
            _spread([100 * r.occupied_iou for r in runs], 1),
            _spread([r.depth_error for r in runs], 2),
            ", ".join(f"{count / 1e6:.0f}" for count in (cost.binary, cost.mixed, cost.real)),
            f"{runs[0].parameters / 1e3:.0f}",
            row.note,
        ]
        lines.append(f"| {' | '.join(columns)} |")
    shown = [result for runs in by_variant.values() for result in runs]
    steps, samples = (
        ", ".join(str(n) for n in sorted({getattr(run, key) for run in shown})) for key in ("steps", "val_samples")
    )
    prior = 100 * shown[0].prior_mean_iou
    foot = (
        f"{steps} steps each, measured on {samples} samples; constant prior {prior:.1f} %; "
        "± is the standard deviation over seeds."
    )
    return "\n\n".join(part for part in (f"## {table.title}", table.text.strip(), "\n".join(lines), foot) if part)


def _spread(values: Sequence[float], digits: int) -> str:
    average = f"{mean(values):.{digits}f}"
    return average if len(values) < 2 else f"{average} ± {stdev(values):.{digits}f}"
