"""What can go wrong, in one tree.

::

    TierdeskError
    ├── InputError            the data or the request is wrong        exit 1 · HTTP 422
    ├── NotFoundError         what was asked for is not there         exit 1 · HTTP 404
    ├── ConflictError         somebody or something was there first   exit 1 · HTTP 409
    ├── AccessDeniedError     this account may not do this            exit 1 · HTTP 403
    ├── SignInError           who are you?                            exit 1 · HTTP 401
    ├── TooManyError          asked too often; wait a while           exit 1 · HTTP 429
    ├── TimeLimitError        time ran out before any answer          exit 3 · HTTP 504
    └── SetupError            the installation is not ready           exit 1 · HTTP 503

Every error says what was wrong, where, and what to do. Exit codes and HTTP statuses are read
from the classes at one point each (``wfm.cli.main`` and ``web.app``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where.

    Parameters
    ----------
    message : str
        What was wrong and what was expected instead.
    file, row, column, value : optional
        Where: ``row`` counts as a spreadsheet does (the header is row 1).
    """

    message: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = [
            part
            for part in (
                self.file,
                f"row {self.row}" if self.row is not None else None,
                f"column {self.column}" if self.column is not None else None,
            )
            if part
        ]
        shown = f" (found {self.value!r})" if self.value is not None else ""
        return f"{', '.join(place)}: {self.message}{shown}" if place else f"{self.message}{shown}"


class TierdeskError(Exception):
    """Root of all errors a user may see."""

    exit_code = 1
    http_status = 500
    texts: Mapping[str, str] = MappingProxyType({})  # by language, where the error brings both

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)

    def lines(self, limit: int = 50) -> Iterator[str]:
        """One line per fault, the headline first when it adds something."""
        if not self.faults:
            yield self.message
            return
        for fault in self.faults[:limit]:
            yield str(fault)
        if len(self.faults) > limit:
            yield f"… and {len(self.faults) - limit} more faults"


class InputError(TierdeskError):
    """The data or the request is wrong."""

    http_status = 422

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> InputError:
        """Wrap faults; the first one is the headline."""
        listed = tuple(faults)
        return cls(str(listed[0]) if listed else "wrong input", listed)


class NotFoundError(TierdeskError):
    http_status = 404


class ConflictError(TierdeskError):
    http_status = 409


class AccessDeniedError(TierdeskError):
    http_status = 403


class SignInError(TierdeskError):
    http_status = 401


class TooManyError(TierdeskError):
    http_status = 429


class TimeLimitError(TierdeskError):
    exit_code = 3
    http_status = 504


class SetupError(TierdeskError):
    http_status = 503


@contextmanager
def faults_of(kernel_error: type[ValueError], file: str | None = None) -> Iterator[None]:
    """Turn a kernel's own error into an `InputError`, one fault per line of its message."""
    try:
        yield
    except kernel_error as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise InputError.of(Fault(line.strip(), file=file) for line in lines) from error
