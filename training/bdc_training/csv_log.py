"""A CSV file of one row per logged step that survives resuming."""

import csv
from pathlib import Path


class CsvLog:
    def __init__(self, path: Path, columns: tuple[str, ...], keep_until_step: int):
        """Starts the file, or keeps an earlier run's rows up to a step (0 = none). The first column must be `step`."""
        kept: list[list[str]] = []
        if keep_until_step > 0 and path.exists():
            with path.open(newline="") as file:
                kept = [row for row in list(csv.reader(file))[1:] if int(row[0]) <= keep_until_step]
        self._path = path
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([list(columns), *kept])

    def add(self, step: int, *values: float) -> None:
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerow([step, *(f"{value:.6g}" for value in values)])
