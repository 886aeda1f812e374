"""Reading PyTorch checkpoints that strangers made: nothing in the file can run code.

`torch.load(weights_only=True)` of PyTorch 1.13 refuses plain numbers, which such files hold beside the weights, and its
`pickle_module` has no effect, so the file's format (a zip of one pickle and a record for each storage) is read here.
"""

import collections
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


# Where a checkpoint keeps its weights, the first one that is there.
WRAPPERS = ("state_dict", "ema_state_dict")


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name: of its `state_dict`, as mmcv writes it and averaged weights beside it, of
    its `ema_state_dict` where it has no other, or the whole file.

    @raises ValueError if the file isn't a checkpoint of PyTorch 1.6 or later, is damaged, or has anything but tensors,
    numbers and texts in it; OSError if it can't be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = _Unpickler(archive).load()
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: no checkpoint as PyTorch writes them since 1.6 ({error})") from error
    except OSError:
        raise
    except Exception as error:
        # Unpickling what isn't a pickle raises nearly anything.
        raise ValueError(f"{path}: not a checkpoint that can be read safely ({error})") from error
    if isinstance(content, dict):
        content = next((content[key] for key in WRAPPERS if isinstance(content.get(key), dict)), content)
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError(
            f"{path}: expected tensors by name, or {' or '.join(WRAPPERS)} of them; found {type(content).__name__}"
        )
    return dict(content)


class _Unpickler(pickle.Unpickler):
    """Knows the names that a checkpoint of tensors, numbers and texts is made of, and no others. NumPy's numbers, which
    stand beside the weights (a best score), become nothing."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise pickle.UnpicklingError(f"expected one data.pkl; found {len(pickles)}")
        super().__init__(archive.open(pickles[0]))
        self._archive = archive
        self._folder = pickles[0].removesuffix("/data.pkl")
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which weights have no need of") from None

    def persistent_load(self, pid: Any) -> Tensor:
        _, dtype, key, _, count = pid
        if key not in self._storages:
            data = bytearray(self._archive.read(f"{self._folder}/data/{key}"))
            self._storages[key] = (
                torch.frombuffer(data, dtype=dtype, count=count) if count else torch.empty(0, dtype=dtype)
            )
        return self._storages[key]


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    # Checked against the storage's size by PyTorch.
    return torch.as_strided(storage, size, stride, offset)


class _Ignored:
    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    ("numpy.core.multiarray", "scalar"): _Ignored,
    ("numpy._core.multiarray", "scalar"): _Ignored,
    ("numpy", "dtype"): _Ignored,
    # How protocol 2 spells the bytes of such a number.
    ("_codecs", "encode"): _Ignored,
}
