import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """The tests' tensors are so small that threads spend their time waiting for each other."""
    torch.set_num_threads(1)
