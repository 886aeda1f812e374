"""What compare_units reads and writes: the variants' file, results of single runs, the table."""

import csv
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
from .page_section import write_page_section


@dataclass(frozen=True)
class Variant:
    name: str
    # Config values by key path. Texts may hold {runs} and {seed}: the folder of all runs and the seed of this one.
    set: Mapping[str, Any] = field(default_factory=dict)
    # For the reader of the table.
    note: str = ""

    def overrides(self, runs: Path, seed: int) -> list[str]:
        """As `key.path=value`; JSON is YAML."""
        filled = {
            key: value.format(runs=runs, seed=seed) if isinstance(value, str) else value
            for key, value in self.set.items()
        }
        return [f"{key}={json.dumps(value)}" for key, value in filled.items()]


@dataclass(frozen=True)
class Comparison:
    # The network's config file, relative to this one.
    config: str
    # The variant whose mIoU is 100 % in the table; trained first where others learn from it.
    reference: str
    variants: tuple[Variant, ...]
    # Heading and introduction of its section on a page of comparisons.
    title: str = "Units compared"
    text: str = ""
    # Config values of all variants.
    set: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [variant.name for variant in self.variants]
        if self.reference not in names:
            raise ValueError(f"reference: expected one of {', '.join(names)}; found {self.reference}")
        if len({*names}) < len(names):
            raise ValueError(f"variants: expected every name once; found {', '.join(names)}")


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
    steps: int
    seconds: float
    mean_iou: float
    prior_mean_iou: float
    occupied_iou: float
    depth_error: float
    parameters: int
    cost: Cost


def save_result(path: Path, result: RunResult) -> None:
    replace_file(path, json.dumps(asdict(result), indent=2).encode())


def load_result(path: Path) -> RunResult | None:
    """None where the run isn't finished."""
    if not path.exists():
        return None
    values = json.loads(path.read_text())
    return RunResult(**{**values, "cost": Cost(**values["cost"])})


def write_tables(out: Path, comparison: Comparison, results: Sequence[RunResult]) -> None:
    """comparison.json and .csv with every run, comparison.md with a row a variant."""
    replace_file(out / "comparison.json", json.dumps([asdict(result) for result in results], indent=2).encode())
    text = io.StringIO()
    rows = [{**asdict(result), **asdict(result.cost)} for result in results]
    columns = [name for name in rows[0] if name != "cost"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    replace_file(out / "comparison.csv", text.getvalue().encode())
    replace_file(out / "comparison.md", markdown_table(comparison, results).encode())


def write_section(page: Path, name: str, comparison: Comparison, results: Sequence[RunResult]) -> None:
    """Puts the comparison's table into its section of a Markdown page."""
    parts = [f"## {comparison.title}", comparison.text.strip(), markdown_table(comparison, results).strip()]
    write_page_section(page, name, "compare_units", "\n\n".join(part for part in parts if part))


def markdown_table(comparison: Comparison, results: Sequence[RunResult]) -> str:
    """Means over seeds ± their sample standard deviation, in percent; variants without a result are left out."""
    by_variant = {v.name: [r for r in results if r.variant == v.name] for v in comparison.variants}
    reference = mean([result.mean_iou for result in by_variant[comparison.reference]] or [0.0])
    lines = [
        f"| unit | seeds | mIoU (%) | of {comparison.reference} (%) | occupied IoU (%) | depth error (m) "
        "| ±1·±1, ±1·real, real (M MAC) | parameters (k) | note |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for variant in comparison.variants:
        runs = by_variant[variant.name]
        if not runs:
            continue
        cost = runs[0].cost
        # No share of a reference that isn't trained, or has learned nothing.
        share = f"{100 * mean(r.mean_iou for r in runs) / reference:.0f}" if reference > 0 else "–"
        columns = [
            variant.name,
            str(len(runs)),
            _spread([100 * r.mean_iou for r in runs], 1),
            share,
            _spread([100 * r.occupied_iou for r in runs], 1),
            _spread([r.depth_error for r in runs], 2),
            ", ".join(f"{count / 1e6:.0f}" for count in (cost.binary, cost.mixed, cost.real)),
            f"{runs[0].parameters / 1e3:.0f}",
            variant.note,
        ]
        lines.append(f"| {' | '.join(columns)} |")
    steps = ", ".join(str(count) for count in sorted({result.steps for result in results}))
    prior = 100 * results[0].prior_mean_iou
    lines += ["", f"{steps} steps each; constant prior {prior:.1f} %; ± is the standard deviation over seeds.", ""]
    return "\n".join(lines)


def _spread(values: Sequence[float], digits: int) -> str:
    average = f"{mean(values):.{digits}f}"
    return average if len(values) < 2 else f"{average} ± {stdev(values):.{digits}f}"
