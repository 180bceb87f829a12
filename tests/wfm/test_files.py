"""Files: written whole or not at all, and never in the place of what is no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wfm.errors import InputError
from wfm.files import check_place, write_whole


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text("old", encoding="utf-8")
    write_whole(path, "新")
    assert path.read_text(encoding="utf-8") == "新"
    assert [each.name for each in tmp_path.iterdir()] == ["grades.csv"]


def test_a_folder_is_not(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "made"):
        place.mkdir(exist_ok=True)
        with pytest.raises(InputError, match="this is a folder; name a file"):
            write_whole(place, "x")
    assert [each.name for each in tmp_path.iterdir()] == ["made"]


def test_a_link_is_kept_and_its_target_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old", encoding="utf-8")
    link = tmp_path / "link.csv"
    link.symlink_to("real.csv")
    write_whole(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8") == "new"


def test_a_device_or_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, "abc")
        assert os.read(reader, 10) == b"abc"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_a_fault() -> None:
    with pytest.raises(InputError, match="cannot write here: No space left"):
        write_whole(Path("/dev/full"), "x" * 100_000)


def test_half_a_character_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="half a character"):
        write_whole(tmp_path / "x.csv", "a\ud800")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["none/x.csv", "file/x.csv"])
def test_a_place_is_checked_before_the_work(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="there is no such folder to write to"):
        check_place(tmp_path / place)
    with pytest.raises(InputError, match="there is no such folder to write to"):
        write_whole(tmp_path / place, "x")


def test_a_good_place_passes(tmp_path: Path) -> None:
    check_place(tmp_path / "new.csv")
    check_place(Path("in-this-folder.csv"))
    with pytest.raises(InputError, match="this is a folder"):
        check_place(tmp_path)
