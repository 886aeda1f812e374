"""A comparison of units goes on where it stopped and tells means with their spread."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training import unit_run
from bdc_training.compare_units import CONFIGS, main
from bdc_training.comparison import (
    Row,
    RunResult,
    Table,
    Variant,
    configuration_digest,
    load_comparison,
    load_results,
    markdown_section,
    save_results,
)
from bdc_training.config import config_mapping, load_config
from bdc_training.network_cost import Cost, network_cost
from bdc_training.page_section import write_page_section
from bdc_training.training_config import training_config


@pytest.fixture()
def arguments(tmp_path: Path) -> list[str]:
    write_tiny_dataset(tmp_path / "data", samples=2)
    write_tiny_config(tmp_path / "tiny.yaml")
    variants = [{"name": "V0", "set": {"unit.version": "V0"}}, {"name": "V1", "set": {"unit.version": "V1"}}]
    tables = [
        {"name": "one", "title": "V0 alone", "reference": "V0", "rows": [{"variant": "V0"}]},
        {"name": "two", "title": "Both", "reference": "V0", "rows": [{"variant": "V0"}, {"variant": "V1"}]},
    ]
    comparison = {"config": "tiny.yaml", "variants": variants, "tables": tables}
    (tmp_path / "comparison.yaml").write_text(yaml.safe_dump(comparison))
    data = str(tmp_path / "data")
    command = ["--variants", str(tmp_path / "comparison.yaml"), "--data", data, "--val", data]
    return [*command, "--out", str(tmp_path / "out"), "--threads", "1", "--device", "cpu"]


@pytest.fixture()
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The runs that are trained, as they begin."""
    names: list[str] = []

    class CountedRun(unit_run.TrainingRun):
        def run(self) -> bool:
            names.append(str(self._out.relative_to(tmp_path / "out")))
            return super().run()

    monkeypatch.setattr(unit_run, "TrainingRun", CountedRun)
    return names


def runs_of(path: Path) -> list[tuple[str, int]]:
    return [(result.variant, result.seed) for result in load_results(path)]


def by_run(path: Path) -> dict[tuple[str, int], RunResult]:
    return {(result.variant, result.seed): result for result in load_results(path)}


def test_every_variant_is_trained_with_every_seed_once(
    arguments: list[str], tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*arguments, "--steps", "2"]
    assert main([*command, "--seeds", "1", "--tables", "one"]) == 0
    assert trained == ["V0/seed-0"]
    output = capsys.readouterr().out
    assert "## V0 alone" in output and "## Both" not in output
    assert main([*command, "--seeds", "2"]) == 0
    assert trained == ["V0/seed-0", "V1/seed-0", "V0/seed-1", "V1/seed-1"]
    results = tmp_path / "out" / "results.json"
    assert runs_of(results) == [("V0", 0), ("V1", 0), ("V0", 1), ("V1", 1)]
    with results.with_suffix(".csv").open(newline="") as file:
        assert [(row["variant"], row["steps"]) for row in csv.DictReader(file)] == [("V0", "2"), ("V1", "2")] * 2
    assert "## Both" in capsys.readouterr().out


def test_results_of_another_machine_count(arguments: list[str], tmp_path: Path, trained: list[str]) -> None:
    command = [*arguments, "--steps", "2", "--seeds", "1", "--results", str(tmp_path / "kept.json")]
    assert main([*command, "--tables", "one"]) == 0
    shutil.rmtree(tmp_path / "out")
    assert main(command) == 0
    assert trained == ["V0/seed-0", "V1/seed-0"]
    assert runs_of(tmp_path / "kept.json") == [("V0", 0), ("V1", 0)]


@pytest.mark.parametrize(("option", "value"), [("--steps", "3"), ("--set", "training.weight_decay=0.1")])
def test_results_of_other_runs_are_refused(
    arguments: list[str], option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*arguments, "--seeds", "1", "--tables", "one"]
    assert main([*command, "--steps", "2"]) == 0
    assert main([*command, "--steps", "2", option, value]) == 2
    assert "there is a result of V0, seed 0, after 2 steps" in capsys.readouterr().err


def test_results_on_other_samples_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    command = [*arguments, "--seeds", "1", "--tables", "one", "--steps", "2"]
    assert main([*command, "--val-samples", "1"]) == 0
    assert main([*command, "--val-samples", "1"]) == 0
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "there is a result of V0, seed 0, measured on 1 samples; wanted are 2" in error


def test_known_results_need_no_data_to_be_shown(arguments: list[str], tmp_path: Path) -> None:
    command = [*arguments, "--seeds", "1", "--tables", "one", "--steps", "2", "--val-samples", "2"]
    assert main(command) == 0
    shutil.rmtree(tmp_path / "data")
    assert main(command) == 0


def test_runs_side_by_side_reach_what_they_reach_one_by_one(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "comparison.yaml"
    comparison = yaml.safe_load(path.read_text())
    teacher = {"training.distillation.teacher": "{runs}/V0/seed-{seed}"}
    comparison["variants"][1] = {"name": "V1", "needs": "V0", "set": teacher}
    comparison["tables"] = comparison["tables"][1:]
    path.write_text(yaml.safe_dump(comparison))
    command = [*arguments, "--steps", "2", "--seeds", "2"]
    assert main(command) == 0
    results = tmp_path / "out" / "results.json"
    expected = {run: replace(found, seconds=0) for run, found in by_run(results).items()}
    shutil.rmtree(tmp_path / "out")
    assert main([*command, "--jobs", "2"]) == 0
    assert {run: replace(found, seconds=0) for run, found in by_run(results).items()} == expected
    order = runs_of(results)
    assert all(order.index(("V0", seed)) < order.index(("V1", seed)) for seed in (0, 1))


def test_an_error_in_one_of_several_runs_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    command = [*arguments, "--steps", "2", "--seeds", "2", "--jobs", "2", "--tables", "one"]
    assert main([*command, "--set", "training.initial=nowhere.pt"]) == 2
    assert "nowhere.pt" in capsys.readouterr().err


def test_a_run_that_another_needs_is_trained_again_where_only_its_result_is_known(
    arguments: list[str], tmp_path: Path, trained: list[str]
) -> None:
    path = tmp_path / "comparison.yaml"
    comparison = yaml.safe_load(path.read_text())
    comparison["variants"][1] = {
        "name": "V1",
        "needs": "V0",
        "set": {"training.distillation.teacher": "{runs}/V0/seed-{seed}"},
    }
    path.write_text(yaml.safe_dump(comparison))
    command = [*arguments, "--steps", "2", "--seeds", "1", "--results", str(tmp_path / "kept.json")]
    assert main([*command, "--tables", "one"]) == 0
    shutil.rmtree(tmp_path / "out")
    assert main(command) == 0
    assert trained == ["V0/seed-0", "V0/seed-0", "V1/seed-0"]
    assert runs_of(tmp_path / "kept.json") == [("V0", 0), ("V1", 0)]


def test_a_stopped_run_goes_on_from_its_checkpoint(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_steps: list[int] = []

    class StoppedRun(unit_run.TrainingRun):
        def run(self) -> bool:
            first_steps.append(self._step)
            if len(first_steps) == 1:
                step = self._train_step

                def train_step_then_stop(*inputs: object) -> object:
                    self.request_stop()
                    return step(*inputs)  # type: ignore[arg-type]

                self._train_step = train_step_then_stop  # type: ignore[method-assign]
            return super().run()

    monkeypatch.setattr(unit_run, "TrainingRun", StoppedRun)
    assert main([*arguments, "--steps", "3", "--seeds", "1"]) == 130
    assert load_results(tmp_path / "out" / "results.json") == []
    assert main([*arguments, "--steps", "3", "--seeds", "1"]) == 0
    assert first_steps == [0, 1, 0]


def result(variant: str, seed: int, mean_iou: float) -> RunResult:
    cost = Cost(1_000_000, 0, 2_000_000)
    return RunResult(variant, seed, "abc", 500, 100, 60.0, mean_iou, 0.058, 0.8, 1.5, 730_000, cost)


def test_the_table_has_means_and_the_standard_deviation_over_seeds(tmp_path: Path) -> None:
    rows = (Row("twin"), Row("V3", label="BDC", note="the paper's"), Row("later"))
    table = Table("units", "Units", "twin", rows, text="Why.")
    results = [result("twin", 0, 0.2), result("V3", 0, 0.14), result("twin", 1, 0.2), result("V3", 1, 0.18)]
    section = markdown_section(table, results)
    row = next(line for line in section.splitlines() if line.startswith("| BDC"))
    assert row == "| BDC | 2 | 16.0 ± 2.8 | 80 | 80.0 ± 0.0 | 1.50 ± 0.00 | 1, 0, 2 | 730 | the paper's |"
    assert section.startswith("## Units\n\nWhy.\n\n| unit")
    assert section.splitlines()[-1].startswith("500 steps each, measured on 100 samples; constant prior 5.8 %")
    assert "later" not in section
    save_results(tmp_path / "results.json", results)
    assert load_results(tmp_path / "results.json") == results


def test_a_file_of_something_else_is_no_results(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('[{"variant": "V0"}]')
    with pytest.raises(ValueError, match=r"results\.json: expected results as compare_units writes them"):
        load_results(tmp_path / "results.json")


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tables": [{"name": "one", "title": "", "reference": "V9", "rows": []}]}, r"one\.reference: expected one of"),
        (
            {"tables": [{"name": "one", "title": "", "reference": "V0", "rows": [{"variant": "V9"}]}]},
            r"tables\.one\.rows: expected one of V0, V1; found V9",
        ),
        ({"variants": [{"name": "V0"}, {"name": "V0"}]}, r"variants: expected every name once"),
        ({"variants": [{"name": "V0", "needs": "V1"}, {"name": "V1"}]}, r"variants\[0\]\.needs: .*found V1"),
        ({"variants": [{"nam": "V0"}]}, r"variants\[0\]\.nam: no such key; did you mean name\?"),
    ],
)
def test_mistakes_in_the_file_are_named(arguments: list[str], tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "comparison.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change}))
    with pytest.raises(ValueError, match=message):
        load_comparison(path)


def test_a_table_that_there_is_not_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--tables", "three"]) == 2
    assert "tables: expected one of one, two; found three" in capsys.readouterr().err


SHIPPED = load_comparison(CONFIGS / "ablations.yaml")


def test_the_shipped_variants_are_of_networks_that_exist_and_differ() -> None:
    configs = []
    for variant in SHIPPED.variants:
        shared = Variant("", SHIPPED.set).overrides(Path("out"), 0)
        config = load_config(CONFIGS / SHIPPED.config, [*shared, *variant.overrides(Path("out"), 0)])
        configs.append(replace(config, training=training_config(config.training)))
    assert all(config not in configs[:i] for i, config in enumerate(configs))


def test_the_kept_results_are_of_the_shipped_variants() -> None:
    shared = config_mapping(CONFIGS / SHIPPED.config, Variant("", SHIPPED.set).overrides(Path("out"), 0))
    digests = {variant.name: configuration_digest(shared, variant) for variant in SHIPPED.variants}
    kept = load_results(CONFIGS.parents[1] / "docs" / "ablations.json")
    assert {run.variant for run in kept} == set(digests)
    assert all(run.configuration == digests[run.variant] for run in kept)


@pytest.mark.parametrize("variant", SHIPPED.variants, ids=lambda variant: variant.name)
def test_a_shipped_variant_is_computed_at_a_tiny_size(variant: Variant, tmp_path: Path) -> None:
    write_tiny_config(tmp_path / "tiny.yaml")
    cost = network_cost(load_config(tmp_path / "tiny.yaml", variant.overrides(Path("out"), 0)))
    has_binary_weights = variant.set.get("unit.precision", "binary") == "binary"
    assert cost.real > 0 and (cost.binary > 0) == has_binary_weights


def test_the_tables_are_put_into_a_page(arguments: list[str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Ablations\n\nKept.\n")
    command = [*arguments, "--steps", "1", "--seeds", "1", "--val-samples", "1", "--page", str(page)]
    assert main([*command, "--tables", "two"]) == 0
    text = page.read_text()
    assert text.startswith("# Ablations\n\nKept.\n\n<!-- two: written by compare_units -->\n\n## Both")
    assert "| V0 | 1 |" in text and "| V1 | 1 |" in text
    assert main([*command, "--tables", "one"]) == 0
    assert page.read_text().startswith(text.rstrip())


def test_a_section_is_replaced_where_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for name, text in (("one", "First."), ("two", "Second."), ("one", "Third.")):
        write_page_section(page, name, "compare_units", text)
    text = page.read_text()
    assert "First." not in text
    assert text.index("Third.") < text.index("Second.")
    page.write_text(text.replace("<!-- end of one -->", ""))
    with pytest.raises(ValueError, match="end of one"):
        write_page_section(page, "one", "compare_units", "Fourth.")
