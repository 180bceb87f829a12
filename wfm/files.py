"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from wfm.errors import Fault, InputError


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` in one step, so that nobody ever reads half of it.

    A link stays and its target is replaced; a device or a pipe is written into.
    """
    check_place(path)
    try:
        data = content.encode("utf-8") if isinstance(content, str) else content
    except UnicodeEncodeError as error:
        half = Fault("half a character (a lone surrogate) cannot be written", str(path))
        raise InputError.of([half]) from error
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path.resolve(), data)
    except OSError as error:
        raise InputError.of([Fault(f"cannot write here: {error.strerror}", str(path))]) from error


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        partial.chmod(0o644)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def check_place(path: Path) -> None:
    """Say before the work is done that its outcome could not be written."""
    if path.is_dir():
        raise InputError.of([Fault("this is a folder; name a file", str(path))])
    if not path.parent.is_dir():
        raise InputError.of([Fault("there is no such folder to write to", str(path.parent))])
    if not os.access(path.parent, os.W_OK) and not path.exists():
        raise InputError.of([Fault("this folder may not be written to", str(path.parent))])


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
