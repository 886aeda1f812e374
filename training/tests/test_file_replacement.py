"""Whole files on a full disk; /dev/full fails every write as a full disk does."""

from pathlib import Path

import pytest

from bdc_training.file_replacement import replace_file


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "state.bin"
    replace_file(path, b"first")
    (tmp_path / "state.bin.partial").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"state\.bin could not be written \(No space left.*the earlier one is intact"):
        replace_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert [file.name for file in tmp_path.iterdir()] == ["state.bin"]
    replace_file(path, b"second")
    assert path.read_bytes() == b"second"


def test_a_full_disk_without_an_earlier_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "new.partial").symlink_to("/dev/full")
    with pytest.raises(OSError, match="there is no earlier one"):
        replace_file(tmp_path / "new", b"content")
    assert not (tmp_path / "new").exists()
