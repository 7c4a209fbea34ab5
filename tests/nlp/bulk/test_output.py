from __future__ import annotations

import csv
import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from nlp.bulk import replacing
from nlp.bulk.tables import OUTPUT_FORMATS, open_output
from nlp.errors import OutputError


def write(path: Path, rows: int = 3, text: str = "Уволили") -> None:
    with open_output(path, ["id", "text"]) as table:
        for number in range(rows):
            table.write([number, text])


def test_csv_opens_in_a_spreadsheet_without_questions(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.csv", ["id", "=text"], delimiter=";") as table:
        table.write([-5, "да;\n=нет"])
        table.write(["-5", '=cmd|"/C calc"!A1'])
    expected = '\ufeffid;\'=text\r\n-5;"да;\n=нет"\r\n-5;"\'=cmd|""/C calc""!A1"\r\n'
    assert (tmp_path / "out.csv").read_bytes() == expected.encode()


def test_tsv_is_divided_by_tabs(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.tsv", ["id", "text"], delimiter=";") as table:
        table.write([1, "a\tb"])
    with (tmp_path / "out.tsv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file, delimiter="\t")) == [["id", "text"], ["1", "a\tb"]]


def test_jsonl_keeps_values_and_is_strict(tmp_path: Path) -> None:
    cells = ["a\ud800", 1, 0.5, None, {"k": [True, float("inf")]}]
    with open_output(tmp_path / "out.jsonl", ["text", "n", "f", "no", "in"]) as table:
        table.write(cells)
    line = (tmp_path / "out.jsonl").read_bytes()
    assert line.endswith(b"}\n")
    found = json.loads(line, parse_constant=pytest.fail)
    assert list(found.values()) == [*cells[:4], {"k": [True, "inf"]}]


@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_an_error_leaves_what_was_there_before_and_nothing_else(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    path.write_text("before")
    for error in (KeyboardInterrupt, ValueError):
        with pytest.raises(error), open_output(path, ["id"]) as table:
            table.write(["a"])
            raise error
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"


@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_nothing_stands_at_the_target_before_the_end(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    with open_output(path, ["id"]) as table:
        table.write(["a"])
        assert not path.exists()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_a_full_disk_is_said_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, code: int
) -> None:
    def full(handle: int) -> None:
        raise OSError(code, "full")

    monkeypatch.setattr(replacing.os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write(tmp_path / f"out{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
@pytest.mark.parametrize("limit", [0, 300, 100_000])
@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_a_file_that_may_not_grow_is_said_and_nothing_is_left(tmp_path: Path, ending: str, limit: int) -> None:
    import resource  # not on Windows

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OutputError, match="the disk is full"), open_output(tmp_path / f"o{ending}", ["a"]) as table:
            for _ in range(12_000):
                table.write([os.urandom(40).hex()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def refuse(path: Path, says: str) -> None:
    with pytest.raises(OutputError, match=says):
        write(path)


def test_targets_that_cannot_be_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    refuse(tmp_path / "folder.csv", "is a folder")
    refuse(tmp_path / "none" / "out.csv", "create it first")


@pytest.mark.parametrize(("code", "says"), [(errno.EACCES, "no permission"), (errno.EIO, "EIO")])
def test_what_the_system_refuses_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, says: str
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr(replacing.tempfile, "mkstemp", refused)
    refuse(tmp_path / "out.csv", says)


def test_an_error_of_the_caller_is_not_taken_for_one_of_writing(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), open_output(tmp_path / "out.csv", ["id"]):
        raise ConnectionError


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own on Windows")
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch(mode=0o640)
    (tmp_path / "link.csv").symlink_to("there.csv")
    write(tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "there.csv").stat().st_size > 0
    assert (tmp_path / "there.csv").stat().st_mode & 0o777 == 0o640


def test_a_row_of_another_width_is_refused_without_its_cells(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 cells for 1 columns"), open_output(tmp_path / "o.csv", ["id"]) as table:
        table.write(["Zarina", "Testova"])


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same name"), open_output(tmp_path / "o.csv", ["id", "id"]):
        pass


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    long_ago = 1_600_000_000
    others = [".out.csv.xx.abcd_123.part", ".out.csv.mine.part", ".other.csv.abcd_123.part"]
    for name in [".out.csv.abcd_123.part", *others]:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (long_ago, long_ago))
    with open_output(tmp_path / "out.csv", ["id"]):
        (written,) = tmp_path.glob(".out.csv.????????.part")
        write(tmp_path / "out.csv")
        assert written.exists()
    assert {file.name for file in tmp_path.iterdir()} == {*others, "out.csv"}


@pytest.mark.skipif(sys.platform == "win32", reason="only its age tells there that nobody writes to a file")
def test_what_a_run_left_that_was_killed_just_now_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".out.csv.abcd_456.part").write_text("Zarina was refused")
    write(tmp_path / "out.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="such folders are POSIX")
def test_a_file_of_somebody_else_in_a_shared_folder_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.csv").write_text("before")
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(OutputError, match="no permission"), open_output(tmp_path / "out.csv", ["id"]):
        pytest.fail("a row could be written")
    assert (tmp_path / "out.csv").read_text() == "before"
