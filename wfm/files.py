"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from wfm.errors import Fault, InputError


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` in one step, so that nobody ever reads half of it."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError.of(
            [Fault(f"cannot write here: {error.strerror}; choose a folder that exists", str(path))]
        ) from error
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        partial.chmod(0o644)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, or say plainly why not."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError.of([Fault("there is no such file", str(path))]) from error
    except IsADirectoryError as error:
        raise InputError.of([Fault("this is a folder; name a file", str(path))]) from error
    except PermissionError as error:
        raise InputError.of([Fault("this file may not be read", str(path))]) from error
    except UnicodeDecodeError as error:
        raise InputError.of(
            [Fault(f"not UTF-8 text (byte {error.start}); save it as UTF-8", str(path))]
        ) from error
