"""Reading and writing files: bounds that a file cannot talk its way around, and a crash at any moment that loses nothing."""

from __future__ import annotations

import errno
import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ddsp_studio.files import FileTooLarge, check_regular, read_bytes, read_text, write_text
from ddsp_studio.processors import model_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- writing --------------------------------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_crash_between_any_two_steps_leaves_a_whole_file(tmp_path, monkeypatch, links):
    path = tmp_path / "a.ddsp"
    write_text(path, "first")
    write_text(path, "second", keep_previous=True)
    steps = 0

    def counted(real):
        def step(*arguments, **options):
            nonlocal steps
            steps -= 1
            if not steps:
                raise Crash
            return real(*arguments, **options)

        return step

    def refused(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("ddsp_studio.files.os.link", counted(os.link) if links else refused)
    monkeypatch.setattr("ddsp_studio.files.os.replace", counted(os.replace))
    for crash_at in (1, 2, 3):
        steps = crash_at
        try:
            write_text(path, "third", keep_previous=True)
        except Crash:
            assert path.read_text() == "second"
        assert (tmp_path / "a.ddsp~").read_text() in ("first", "second")
        assert names(tmp_path) == ["a.ddsp", "a.ddsp~"]
    if not links:  # there are two steps only, so the third time nothing crashed
        assert path.read_text() == "third"
        return
    steps = 0
    write_text(path, "third", keep_previous=True)
    assert path.read_text() == "third"
    assert (tmp_path / "a.ddsp~").read_text() == "second"


def test_the_file_is_there_while_the_previous_version_is_kept(tmp_path, monkeypatch):
    path, seen, replace = tmp_path / "a.ddsp", [], os.replace
    write_text(path, "old")

    def watched(source, target):
        seen.append(path.read_text())
        replace(source, target)
        seen.append(path.read_text())

    monkeypatch.setattr("ddsp_studio.files.os.replace", watched)
    write_text(path, "new", keep_previous=True)
    assert seen == ["old", "old", "old", "new"]


def test_the_previous_version_is_no_second_name_of_the_new_one(tmp_path):
    path = tmp_path / "a.ddsp"
    for text in ("1", "2", "3"):
        write_text(path, text, keep_previous=True)
    assert (path.read_text(), (tmp_path / "a.ddsp~").read_text()) == ("3", "2")
    assert path.stat().st_ino != (tmp_path / "a.ddsp~").stat().st_ino


@pytest.mark.parametrize("keep", [False, True])
def test_a_folder_is_never_replaced(tmp_path, keep):
    folder = tmp_path / "dir.ddsp"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match=r"it is a folder, not a file: '.*dir\.ddsp'"):
        write_text(folder, "text", keep_previous=keep)
    assert names(tmp_path) == ["dir.ddsp"]
    assert names(folder) == ["mine.txt"]


def test_a_folder_in_the_place_of_the_previous_version_is_never_replaced(tmp_path):
    path = tmp_path / "a.ddsp"
    write_text(path, "old")
    (tmp_path / "a.ddsp~").mkdir()
    with pytest.raises(
        OSError, match=r"the previous version would be kept as a\.ddsp~, which is a folder or a device: '.*a\.ddsp'"
    ):
        write_text(path, "new", keep_previous=True)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.ddsp", "a.ddsp~"]


# -- reading --------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among the files here")
def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer
    for path, reason in (
        (tmp_path / "pipe", "a device or a pipe"),
        (Path("/dev/zero"), "a device or a pipe"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(OSError, match=f"it is {reason}, not a file"):
            check_regular(path)
        with pytest.raises(OSError, match=f"it is {reason}, not a file"):
            read_bytes(path, 1000, "patch")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "none", 1000, "patch")


def test_a_bound_holds_whatever_size_the_file_is_said_to_have(tmp_path, monkeypatch):
    path = tmp_path / "a.ddsp"
    path.write_bytes(bytes(1000))
    assert read_bytes(path, 1000, "patch") == bytes(1000)
    with pytest.raises(FileTooLarge, match="a.ddsp is larger than any patch"):
        read_bytes(path, 999, "patch")
    if Path("/proc/self/maps").exists():  # files of the kernel's say that they have 0 bytes
        assert Path("/proc/self/maps").stat().st_size == 0
        with pytest.raises(FileTooLarge):
            read_bytes(Path("/proc/self/maps"), 100, "patch")


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf{}")
    assert read_text(tmp_path / "a", 100, "patch") == "{}"


ABOUT = json.dumps({"format": model_file.FORMAT, "schema": 1, "sample_rate": 16_000, "nodes": {"a": "X"}})


def test_a_member_that_is_longer_than_the_archive_says_is_not_unpacked(tmp_path, monkeypatch):
    true_size, told = 64 * 2**20, 1000
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.json", ABOUT)
        archive.writestr("weights/a/w.npy", bytes(true_size))
    content = written.getvalue().replace(struct.pack("<I", true_size), struct.pack("<I", told))
    (tmp_path / "bomb.ddspmodel").write_bytes(content)
    unpacked, decompressor = [], zipfile._get_decompressor

    class Watched:
        def __init__(self, real):
            self.real = real

        def __getattr__(self, name):
            return getattr(self.real, name)

        def decompress(self, *arguments):
            unpacked.append(len(data := self.real.decompress(*arguments)))
            return data

    monkeypatch.setattr(zipfile, "_get_decompressor", lambda kind: Watched(decompressor(kind)))
    with pytest.raises(ValueError, match="'bomb.ddspmodel' is cut short, damaged or no model"):
        model_file.load(tmp_path / "bomb.ddspmodel")
    assert 0 < sum(unpacked) < 100_000


def test_an_array_that_is_said_to_be_huge_is_damage(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(tmp_path / "big.ddspmodel", "w") as archive:
        archive.writestr("model.json", ABOUT)
        archive.writestr("weights/a/w.npy", header.getvalue())
    with pytest.raises(ValueError, match="w.npy is no array"):
        model_file.load(tmp_path / "big.ddspmodel")
