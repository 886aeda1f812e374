"""Training in several processes, started by torchrun: which one this is, and what they agree on."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Process:
    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """The one that writes logs and checkpoints and validates."""
        return self.rank == 0

    def first_says(self, value: float) -> float:
        """The first process's value."""
        if self.count == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(tensor, 0)
        return tensor.item()

    def any_says(self, flag: bool) -> bool:
        return sum(self.mean([float(flag)])) > 0

    def mean(self, values: Sequence[float]) -> list[float]:
        """Each value's mean over the processes; NaN if it is NaN in one."""
        if self.count == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return (tensor / self.count).tolist()

    def share_of(self, batch_size: int) -> slice:
        """Which samples of a batch are this process's."""
        if batch_size % self.count:
            raise ValueError(
                f"training.batch_size is of all processes together: {batch_size} is not a multiple of {self.count}"
            )
        size = batch_size // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def with_shared_statistics(self, network: nn.Module) -> nn.Module:
        """Batch norms over all processes' samples, on GPUs; on CPUs, where PyTorch can't, each over its own."""
        if self.count == 1 or self.device.type != "cuda":
            return network
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)

    def with_shared_gradients(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over the processes in the backward pass."""
        if self.count == 1:
            return network
        devices = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=devices)


def join(device: str) -> Process:
    """From torchrun's environment variables; without them a process of its own. `device` is cpu, cuda or auto.

    Processes talk by NCCL on GPUs, each on its own, and by Gloo on CPUs.
    """
    rank, count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise ValueError("--device cuda: PyTorch finds no CUDA device; use --device cpu, or a PyTorch built with CUDA")
    place = torch.device("cpu")
    if device == "cuda" or (device == "auto" and cuda):
        place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(place)
    if count > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    return Process(rank, count, place)


def leave() -> None:
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def default_threads() -> int:
    """The cores, shared among the processes of this machine."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))


def normaliser(count: Tensor) -> Tensor:
    """What each process divides its sum by, so that the mean over processes is the sum over all of them divided by the
    count over all of them, at least 1."""
    return _total(count).clamp(min=1) / _processes()


def process_mean(values: Tensor) -> Tensor:
    """Mean over the processes, without a gradient."""
    return _total(values) / _processes()


def _processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _total(values: Tensor) -> Tensor:
    """Sum over the processes, without a gradient."""
    total = values.detach().clone()
    if _processes() > 1:
        dist.all_reduce(total)
    return total
