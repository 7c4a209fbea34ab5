"""From old codes and free labels of a table to codes of the codebook, as a person writes it down in a file.

A table (.csv, .tsv, .xlsx) has the columns ``old``, ``code`` and, if wanted, ``axis``; other columns are left alone.
Several codes in a cell are divided by ``;``, and a label may stand in several rows. A YAML file maps a label to a
code, a list of codes or nothing; under the id of an axis stands a mapping of its own::

    beaten by police: [violence.physical, police]
    n/a:
    violation:
        advice only: "-"

An empty code sets the label aside: it carries no code, and is not reported as unknown. ``-`` means that the case was
coded and that nothing applies. Labels are compared as `fold_label` says.

Labels are content of somebody's file: no message quotes them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml

from ..codebook import Codebook
from ..errors import TableError
from .csv_input import CsvSource
from .folding import fold_label
from .header import plain
from .source import Source
from .values import InputOptions, text_of, unescape_cell
from .xlsx_input import XlsxSource

NOTHING = "-"
MAX_YAML = 2_000_000  # bytes; a list of labels has some thousand lines
_TABLES: dict[str, Callable[[Path, InputOptions], Source]] = {".csv": CsvSource, ".tsv": CsvSource, ".xlsx": XlsxSource}
_YAML = (".yaml", ".yml")
MAPPING_FORMATS = (*_TABLES, *_YAML)
_BETWEEN_CODES = re.compile(r"[;,|\s]+")
_NEAR = 0.6  # likeness of `difflib`, whose own default it is
_Kind = Literal["codes", "nothing", "aside"]
_DASHES = frozenset("-–—−")


@dataclass(frozen=True)
class Meaning:
    """What a label says on an axis: codes in the order of the codebook, or ``nothing`` (coded, and nothing applies), or
    that it is set ``aside``. None of them: it speaks of other axes."""

    codes: tuple[str, ...] = ()
    nothing: bool = False
    aside: bool = False


@dataclass(frozen=True)
class LabelMapping:
    """Folded labels with their meaning on each axis, and the first line of each; ``set_aside`` counts those with an
    empty code."""

    name: str
    meanings: Mapping[str, Mapping[str, Meaning]] = field(repr=False)
    lines: Mapping[str, int] = field(repr=False)
    set_aside: int = 0

    def meaning(self, label: str, axis: str) -> Meaning | None:
        """What a label says on an axis; None where it is unknown there."""
        return self.meanings.get(fold_label(label), {}).get(axis)

    @property
    def notes(self) -> list[str]:
        """Sentences about what was read."""
        aside = f", {self.set_aside:,} of them with an empty code: set aside" if self.set_aside else ""
        return [f"{self.name} maps {len(self.meanings):,} label(s){aside}"]


@dataclass(frozen=True)
class _Entry:
    """One line of a mapping as it stands there."""

    line: int
    label: str = field(repr=False)
    codes: str = field(repr=False)
    axis: str = field(repr=False, default="")


def load_mapping(path: Path, codebook: Codebook) -> LabelMapping:
    """Read a mapping and check every line of it against the codebook.

    Raises
    ------
    TableError
        The file cannot be read; or a line has no label, an axis or code that the codebook does not have, a code of
        another axis, or says something else than an earlier line. Names the line; of unknown codes, their neighbors.
    """
    ending = path.suffix.lower()
    if ending not in MAPPING_FORMATS:
        raise TableError(f"{path.name}: a mapping is a file of {', '.join(MAPPING_FORMATS)}")
    try:
        entries = list(_yaml(path, codebook) if ending in _YAML else _table(path))
    except OSError as error:
        raise TableError(f"the mapping {path.name} cannot be read ({error.strerror or type(error).__name__})") from None
    return _Checker(path.name, codebook).mapping(entries)


class _Checker:
    """Turns lines into meanings, or says at which line it cannot."""

    def __init__(self, name: str, codebook: Codebook) -> None:
        self.name = name
        self.codebook = codebook
        self.axes = [axis.id for axis in codebook.axes]
        self.codes: dict[tuple[str, str | None], set[str]] = {}
        self.kinds: dict[tuple[str, str | None], tuple[_Kind, int]] = {}
        self.lines: dict[str, tuple[int, bool]] = {}  # the first line of a label, and whether it has an axis

    def mapping(self, entries: list[_Entry]) -> LabelMapping:
        for entry in entries:
            self._add(entry)
        if not self.lines:
            raise TableError(f"{self.name}: there is no label in this mapping")
        meanings = {label: self._meanings(label) for label in self.lines}
        used = {label for (label, _), (kind, _) in self.kinds.items() if kind != "aside"}
        lines = {label: line for label, (line, _) in self.lines.items()}
        return LabelMapping(self.name, meanings, lines, set_aside=len(set(lines) - used))

    def _meanings(self, label: str) -> dict[str, Meaning]:
        has_axis = self.lines[label][1]
        meanings = {}
        for axis in self.codebook.axes:
            key = (label, axis.id if has_axis else None)
            if key in self.kinds:
                kind, codes = self.kinds[key][0], self.codes[key]
                own = tuple(code for code in axis.codes if code in codes)
                meanings[axis.id] = Meaning(own, nothing=kind == "nothing", aside=kind == "aside")
        return meanings

    def _add(self, entry: _Entry) -> None:
        label = fold_label(entry.label)
        if not label:
            if entry.codes.strip() or entry.axis.strip():
                self._fail(entry.line, "there is a code, but no old label beside it")
            return
        axis = self._axis(entry)
        kind, codes = self._codes(entry, axis)
        self._agree(entry.line, label, axis, kind)
        self.codes.setdefault((label, axis), set()).update(codes)

    def _axis(self, entry: _Entry) -> str | None:
        wanted = entry.axis.strip().casefold()
        if not wanted:
            return None
        if wanted not in self.axes:
            self._fail(entry.line, f"its axis is none of {self.codebook}, which has {', '.join(self.axes)}")
        return wanted

    def _codes(self, entry: _Entry, axis: str | None) -> tuple[_Kind, list[str]]:
        words = [word for word in _BETWEEN_CODES.split(entry.codes.strip().casefold()) if word]
        if not words:
            return "aside", []
        if any(word in _DASHES for word in words):
            if len(words) > 1:
                self._fail(entry.line, f"{NOTHING} (nothing applies) stands beside a code: give one of them")
            return "nothing", []
        for word in words:
            self._check(entry.line, word, axis)
        return "codes", words

    def _check(self, line: int, code: str, axis: str | None) -> None:
        try:
            own = self.codebook.axis_of(code).id
        except KeyError:
            near = nearest_codes(code, self.codebook)
            hint = f": did you mean {' or '.join(near)}?" if near else ""
            self._fail(line, f"the code there is none of {self.codebook}{hint}")
        if axis is not None and own != axis:
            self._fail(line, f"{code} is a code of the axis {own}, and the line is for the axis {axis}")

    def _agree(self, line: int, label: str, axis: str | None, kind: _Kind) -> None:
        """Refuse a line that says something else about its label than an earlier one."""
        first, has_axis = self.lines.setdefault(label, (line, axis is not None))
        if has_axis != (axis is not None):
            self._fail(line, f"its label stands on line {first} too, one of them with an axis: give it in both or none")
        earlier, first = self.kinds.setdefault((label, axis), (kind, line))
        if earlier != kind:
            self._fail(
                line,
                f"its label stands on line {first} too, and of codes, {NOTHING} and an empty code only one can hold",
            )

    def _fail(self, line: int, reason: str) -> NoReturn:
        raise TableError(f"{self.name}, line {line}: {reason}") from None


def nearest_codes(word: str, codebook: Codebook) -> list[str]:
    """Up to three codes that are spelt like a word, or whose last part or label is; the nearest first."""
    spelt: dict[str, list[str]] = {}
    for axis in codebook.axes:
        for label in axis.labels:
            for name in (label.code, label.code.split(".")[-1], *map(fold_label, label.label.values())):
                spelt.setdefault(name, []).append(label.code)
    near = difflib.get_close_matches(word, list(spelt), n=5, cutoff=_NEAR)
    return list(dict.fromkeys(code for name in near for code in spelt[name]))[:3]


def _table(path: Path) -> Iterator[_Entry]:
    """The rows under the names of the columns; lines count with those, as a spreadsheet shows them."""
    if not path.exists():
        raise TableError(f"there is no file {path}")
    try:
        source: Source = _TABLES[path.suffix.lower()](path, InputOptions())
    except TableError as error:
        raise TableError(f"{path.name}: {error}") from None
    places: dict[str, int] | None = None
    try:
        for line, record in enumerate(source.records(), start=1):
            if record.problem:
                raise TableError(f"{path.name}, line {line}: {record.problem}")
            cells = [_cell(cell, source) for cell in record.cells]
            if not any(cells):
                continue
            if places is None:
                places = _places(path, cells)
                continue
            yield _Entry(line, *(cells[at] if 0 <= at < len(cells) else "" for at in places.values()))
    finally:
        source.close()


def _cell(cell: Any, source: Source) -> str:
    text = text_of(cell).strip()
    return text if source.delimiter is None else unescape_cell(text)  # our own files of unknown labels are escaped


def _places(path: Path, cells: list[str]) -> dict[str, int]:
    names = [plain(cell) for cell in cells]
    missing = [name for name in ("old", "code") if name not in names]
    if missing:
        raise TableError(
            f"{path.name}: the first row has to name the columns old, code and, if wanted, axis; there is no "
            f"{' and no '.join(missing)}"
        )
    return {name: names.index(name) if name in names else -1 for name in ("old", "code", "axis")}


def _yaml(path: Path, codebook: Codebook) -> Iterator[_Entry]:
    """The lines of a YAML file, read as the text that stands there: a key such as ``1`` or ``yes`` is a label."""
    if path.stat().st_size > MAX_YAML:
        raise TableError(f"{path.name}: a mapping of more than {MAX_YAML // 1_000_000} MB is no mapping of labels")
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise TableError(f"{path.name} is no UTF-8 text: save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:  # its message may quote a label
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TableError(f"{path.name}, line {line}: this is no valid YAML") from None
    except (yaml.YAMLError, RecursionError):
        raise TableError(f"{path.name} is no valid YAML") from None
    if not isinstance(root, yaml.MappingNode):
        raise TableError(f"{path.name}: a mapping has lines of the form `old label: code`")
    axes = {axis.id for axis in codebook.axes}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode) and isinstance(key, yaml.ScalarNode):
            if key.value not in axes:
                raise TableError(f"{path.name}, line {line}: this is no axis, so that a code has to stand there")
            for label, codes in value.value:
                yield _yaml_entry(path, label, codes, axis=key.value)
        else:
            yield _yaml_entry(path, key, value)


def _yaml_entry(path: Path, key: yaml.Node, value: yaml.Node, axis: str = "") -> _Entry:
    line = key.start_mark.line + 1
    items = value.value if isinstance(value, yaml.SequenceNode) else [value]
    if not isinstance(key, yaml.ScalarNode) or not all(isinstance(item, yaml.ScalarNode) for item in items):
        raise TableError(f"{path.name}, line {line}: give a code, or a list of codes in [ ]")
    codes = ["" if item.tag == "tag:yaml.org,2002:null" else item.value for item in items]
    return _Entry(line, key.value, ";".join(codes), axis)
