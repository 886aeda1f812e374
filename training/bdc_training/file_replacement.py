"""Files that are whole at any moment."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Written beside and renamed: an interruption or a full disk leaves the earlier file as it was.

    @raises OSError naming the file and that the earlier one is intact.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            # Else a power failure soon after the rename could leave an empty file.
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        kept = "the earlier one is intact" if path.exists() else "there is no earlier one"
        raise OSError(error.errno, f"{path} could not be written ({error.strerror}); {kept}") from error
