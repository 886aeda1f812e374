"""A comparison of units goes on where it stopped and tells means with their spread."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training import compare_units
from bdc_training.compare_units import CONFIGS, main
from bdc_training.comparison import (
    Comparison,
    RunResult,
    Variant,
    load_comparison,
    load_result,
    markdown_table,
    save_result,
    write_section,
)
from bdc_training.config import load_config
from bdc_training.network_cost import Cost, network_cost
from bdc_training.training_config import training_config


@pytest.fixture()
def arguments(tmp_path: Path) -> list[str]:
    write_tiny_dataset(tmp_path / "data", samples=2)
    write_tiny_config(tmp_path / "tiny.yaml")
    variants = [{"name": "V0", "set": {"unit.version": "V0"}}, {"name": "V1", "set": {"unit.version": "V1"}}]
    comparison = {"config": "tiny.yaml", "reference": "V0", "variants": variants}
    (tmp_path / "comparison.yaml").write_text(yaml.safe_dump(comparison))
    data = str(tmp_path / "data")
    command = ["--variants", str(tmp_path / "comparison.yaml"), "--data", data, "--val", data]
    return [*command, "--out", str(tmp_path / "out"), "--threads", "1", "--device", "cpu"]


def test_every_variant_is_trained_with_every_seed_once(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--steps", "2", "--seeds", "1"]) == 0
    trained: list[str] = []

    class CountedRun(compare_units.TrainingRun):
        def run(self) -> bool:
            trained.append(str(self._out.relative_to(tmp_path / "out")))
            return super().run()

    monkeypatch.setattr(compare_units, "TrainingRun", CountedRun)
    assert main([*arguments, "--steps", "2", "--seeds", "2"]) == 0
    assert trained == ["V0/seed-1", "V1/seed-1"]
    with (tmp_path / "out" / "comparison.csv").open(newline="") as file:
        runs = [(row["variant"], row["seed"], row["steps"]) for row in csv.DictReader(file)]
    assert runs == [("V0", "0", "2"), ("V1", "0", "2"), ("V0", "1", "2"), ("V1", "1", "2")]
    assert len(json.loads((tmp_path / "out" / "comparison.json").read_text())) == 4
    assert (tmp_path / "out" / "comparison.md").read_text() in capsys.readouterr().out
    assert main([*arguments, "--steps", "3", "--seeds", "2"]) == 2
    assert "trained for 2 steps, not 3; choose another --out" in capsys.readouterr().err


def test_a_stopped_run_goes_on_from_its_checkpoint(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_steps: list[int] = []

    class StoppedRun(compare_units.TrainingRun):
        def run(self) -> bool:
            first_steps.append(self._step)
            if len(first_steps) == 1:
                step = self._train_step

                def train_step_then_stop(*inputs: object) -> object:
                    self.request_stop()
                    return step(*inputs)  # type: ignore[arg-type]

                self._train_step = train_step_then_stop  # type: ignore[method-assign]
            return super().run()

    monkeypatch.setattr(compare_units, "TrainingRun", StoppedRun)
    assert main([*arguments, "--steps", "3", "--seeds", "1"]) == 130
    assert load_result(tmp_path / "out" / "V0" / "seed-0" / "result.json") is None
    assert main([*arguments, "--steps", "3", "--seeds", "1"]) == 0
    assert first_steps == [0, 1, 0]


def result(variant: str, seed: int, mean_iou: float) -> RunResult:
    return RunResult(variant, seed, 500, 60.0, mean_iou, 0.058, 0.8, 1.5, 730_000, Cost(1_000_000, 0, 2_000_000))


def test_the_table_has_means_and_the_standard_deviation_over_seeds(tmp_path: Path) -> None:
    comparison = Comparison("edge.yaml", "twin", (Variant("twin"), Variant("V3", note="the paper's"), Variant("later")))
    results = [result("twin", 0, 0.2), result("V3", 0, 0.14), result("twin", 1, 0.2), result("V3", 1, 0.18)]
    row = next(line for line in markdown_table(comparison, results).splitlines() if line.startswith("| V3"))
    assert row == "| V3 | 2 | 16.0 ± 2.8 | 80 | 80.0 ± 0.0 | 1.50 ± 0.00 | 1, 0, 2 | 730 | the paper's |"
    assert "later" not in markdown_table(comparison, results)
    save_result(tmp_path / "result.json", results[1])
    assert load_result(tmp_path / "result.json") == results[1]


def test_texts_may_name_the_run_of_another_variant() -> None:
    variant = Variant("student", {"teacher": "{runs}/twin/seed-{seed}/checkpoint.pt", "steps": 5, "channels": [1, 2]})
    overrides = variant.overrides(Path("out"), 2)
    assert overrides == ['teacher="out/twin/seed-2/checkpoint.pt"', "steps=5", "channels=[1, 2]"]


def test_signs_and_real_inputs_are_counted_apart(tmp_path: Path) -> None:
    write_tiny_config(tmp_path / "tiny.yaml")

    def cost(*overrides: str) -> Cost:
        return network_cost(load_config(tmp_path / "tiny.yaml", overrides))

    signed, real = cost("unit.pointwise_input=sign"), cost("unit.pointwise_input=real")
    assert signed.mixed == 0 < real.mixed
    assert (signed.binary, signed.real) == (real.binary + real.mixed, real.real)
    # V0 has 3×3 layers only; the rest of the network is not the unit's.
    assert cost("unit.version=V0").real == real.real


def test_the_shipped_comparison_is_of_networks_that_exist() -> None:
    comparison = load_comparison(CONFIGS / "comparison.yaml")
    for variant in comparison.variants:
        shared = Variant("", comparison.set).overrides(Path("out"), 0)
        config = load_config(CONFIGS / comparison.config, [*shared, *variant.overrides(Path("out"), 0)])
        training_config(config.training)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": "V9"}, r"reference: expected one of V0, V1; found V9"),
        ({"variants": [{"name": "V0"}, {"name": "V0"}], "reference": "V0"}, r"every name once"),
        ({"variants": [{"nam": "V0"}]}, r"variants\[0\]\.nam: no such key; did you mean name\?"),
    ],
)
def test_mistakes_in_the_file_are_named(arguments: list[str], tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "comparison.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change}))
    with pytest.raises(ValueError, match=message):
        load_comparison(path)


def is_twin(variant: Variant) -> bool:
    return variant.set.get("unit.precision") == "full" or len(variant.set.get("full_precision", [])) == 3


ABLATIONS = sorted((CONFIGS / "ablations").glob("*.yaml"))


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_an_ablation_is_of_networks_that_exist_and_differ(path: Path) -> None:
    comparison = load_comparison(path)
    configs = []
    for variant in comparison.variants:
        shared = Variant("", comparison.set).overrides(Path("out"), 0)
        config = load_config(path.parent / comparison.config, [*shared, *variant.overrides(Path("out"), 0)])
        configs.append((config.unit, config.full_precision))
    assert len({*configs}) == len(comparison.variants)


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_an_ablation_is_computed_at_a_tiny_size(path: Path, tmp_path: Path) -> None:
    write_tiny_config(tmp_path / "tiny.yaml")
    for variant in load_comparison(path).variants:
        cost = network_cost(load_config(tmp_path / "tiny.yaml", variant.overrides(Path("out"), 0)))
        assert cost.real > 0 and (cost.binary > 0) == (not is_twin(variant)), variant.name


def test_the_table_is_put_into_a_page(arguments: list[str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Ablations\n\nKept.\n")
    assert main([*arguments, "--steps", "1", "--seeds", "1", "--val-samples", "1", "--page", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("# Ablations\n\nKept.\n\n<!-- comparison: written by compare_units -->\n\n## Units compared")
    assert "| V0 | 1 |" in text and "| V1 | 1 |" in text


def test_a_section_is_replaced_where_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    comparison = Comparison("edge.yaml", "twin", (Variant("twin"),), title="First")
    write_section(page, "one", comparison, [result("twin", 0, 0.1)])
    write_section(page, "two", comparison, [result("twin", 0, 0.3)])
    write_section(page, "one", comparison, [result("twin", 0, 0.2)])
    text = page.read_text()
    assert "10.0" not in text
    assert text.index("20.0") < text.index("30.0")
    assert text.count("## First") == 2
    page.write_text(text.replace("<!-- end of one -->", ""))
    with pytest.raises(ValueError, match="end of one"):
        write_section(page, "one", comparison, [result("twin", 0, 0.2)])
