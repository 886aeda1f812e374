"""Runs of compare_units in processes of their own, several at once."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from .comparison import RunResult
from .training_run import DivergedError
from .unit_run import StoppedError, UnitRun, UnitTrainer, next_to_start


class SideBySide:
    """Does what UnitTrainer does, `jobs` runs at a time; one that reads another begins after it."""

    def __init__(self, jobs: int):
        self._jobs = jobs
        self._processes: dict[Connection, tuple[BaseProcess, UnitRun]] = {}
        self._stop_requested = False

    def request_stop(self) -> None:
        """Safe in a signal handler."""
        self._stop_requested = True
        for process, _ in list(self._processes.values()):
            process.terminate()

    def run_all(self, runs: Sequence[UnitRun], on_result: Callable[[RunResult], None]) -> None:
        """Calls `on_result` in the order in which runs end. If one fails, the others are stopped first.

        @raises StoppedError
        @raises DivergedError
        """
        waiting = list(runs)
        try:
            while waiting or self._processes:
                while len(self._processes) < self._jobs and not self._stop_requested:
                    run = next_to_start(waiting, {other.key for other in (*waiting, *self._running())})
                    if run is None:
                        break
                    waiting.remove(run)
                    self._start(run)
                if not self._processes:
                    raise StoppedError
                for connection in wait(list(self._processes)):
                    result = self._finish(connection)  # type: ignore[arg-type]
                    if result is not None:
                        on_result(result)
        finally:
            self.request_stop()
            for process, _ in self._processes.values():
                process.join()

    def _running(self) -> list[UnitRun]:
        return [run for _, run in self._processes.values()]

    def _start(self, run: UnitRun) -> None:
        context = multiprocessing.get_context("spawn")  # threads of PyTorch don't survive a fork
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(run, sender))
        process.start()
        sender.close()
        self._processes[receiver] = process, run

    def _finish(self, connection: Connection) -> RunResult | None:
        process, run = self._processes.pop(connection)
        try:
            outcome = connection.recv()
        except EOFError:
            process.join()
            raise RuntimeError(
                f"{run.variant.name}, seed {run.seed}: its process ended with exit code {process.exitcode}"
            ) from None
        process.join()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def _work(run: UnitRun, connection: Connection) -> None:
    trainer = UnitTrainer()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: trainer.request_stop())
    try:
        connection.send(trainer.run(run))
    except (OSError, ValueError, DivergedError, StoppedError) as error:
        connection.send(error)
