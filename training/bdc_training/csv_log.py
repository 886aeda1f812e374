"""A CSV file of one row per logged step that survives resuming."""

import csv
import io
from pathlib import Path

from .file_replacement import replace_file


class CsvLog:
    def __init__(self, path: Path, columns: tuple[str, ...], keep_until_step: int):
        """Starts the file, or keeps an earlier run's rows up to a step (0 = none). The first column must be `step`.

        Rows of other columns, and one that an interruption cut short, are left out.
        """
        kept: list[list[str]] = []
        if keep_until_step > 0 and path.exists():
            whole = path.read_text().rpartition("\n")[0]
            rows = list(csv.reader(io.StringIO(whole)))
            if rows and rows[0] == list(columns):
                kept = [row for row in rows[1:] if len(row) == len(columns) and int(row[0]) <= keep_until_step]
        self._path = path
        content = io.StringIO()
        csv.writer(content).writerows([list(columns), *kept])
        replace_file(path, content.getvalue().encode())

    def add(self, step: int, *values: float) -> None:
        """@raises OSError naming the file, if the disk is full."""
        try:
            with self._path.open("a", newline="") as file:
                csv.writer(file).writerow([step, *(f"{value:.6g}" for value in values)])
        except OSError as error:
            raise OSError(error.errno, f"{self._path} could not be written ({error.strerror})") from error
