"""The inline marking format of narratives: text with ``[[TYPE:identifier]]`` and ``{{code,code|evidence}}``.

People write and read narratives with their marks in place; the corpus stores plain text and offsets. This module
turns one
into the other, both ways. The format is described in ``annotations/guidelines.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

_MARK = re.compile(r"\[\[([A-Z_]+):|\{\{([^|{}]+)\||\]\]|\}\}")
_HEADER_KEYS = ("country", "theme", "tags", "primary", "uncoded", "translation-of", "language", "person", "source")


Mark = tuple[int, int, str]  # start, end, identifier type or code


class MarkingError(ValueError):
    """A marked text that cannot be read: names the file line and the reason, never the text."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Marked:
    """One narrative as written: its header lines, its plain text, and what was marked in it.

    ``spans`` holds ``(start, end, identifier type)``, ``evidence`` holds ``(start, end, code)``, both half-open in
    code points
    of ``text``.
    """

    case_id: str
    line: int
    header: dict[str, str]
    text: str = field(repr=False)
    spans: tuple[tuple[int, int, str], ...] = field(repr=False)
    evidence: tuple[tuple[int, int, str], ...] = field(repr=False)


def read_marked(source: str) -> Iterator[Marked]:
    """Read a file of marked narratives, in order. Raises `MarkingError` with the line at fault."""
    lines = source.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("@@")]
    for number, line in enumerate(lines[: starts[0] if starts else None], 1):
        if line.strip():
            _fail(number, "text before the first '@@' line")
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _read_one(lines[start:stop], start + 1)


def _read_one(lines: list[str], number: int) -> Marked:
    case_id = lines[0].removeprefix("@@").strip()
    if not case_id or " " in case_id:
        _fail(number, "'@@' wants one case id without blanks")
    try:
        rule = next(at for at, line in enumerate(lines) if line.strip() == "---")
    except StopIteration:
        _fail(number, f"{case_id}: no '---' line between header and text")
    header = {}
    for offset, line in enumerate(lines[1:rule], 1):
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in _HEADER_KEYS:
            _fail(number + offset, f"{case_id}: header wants 'key: value', with a key of {', '.join(_HEADER_KEYS)}")
        header[key.strip()] = value.strip()
    body = "\n".join(lines[rule + 1 :]).strip()
    text, spans, evidence = strip_marks(body, number + rule + 1, case_id)
    return Marked(case_id, number, header, text, spans, evidence)


def strip_marks(
    body: str, line: int = 1, case_id: str = "text"
) -> tuple[str, tuple[tuple[int, int, str], ...], tuple[tuple[int, int, str], ...]]:
    """Plain text of a marked text, its identifier spans and its evidence spans, each sorted."""
    parts: list[str] = []
    length = at = 0
    spans: list[tuple[int, int, str]] = []
    evidence: list[tuple[int, int, str]] = []
    open_marks: list[tuple[str, str, int]] = []  # kind, label, start
    for mark in _MARK.finditer(body):
        parts.append(body[at : mark.start()])
        length += mark.start() - at
        at = mark.end()
        here = line + body.count("\n", 0, mark.start())
        if mark[1]:
            if any(kind == "]]" for kind, _, _ in open_marks):
                _fail(here, f"{case_id}: an identifier inside an identifier")
            open_marks.append(("]]", mark[1], length))
        elif mark[2]:
            open_marks.append(("}}", mark[2], length))
        else:
            if not open_marks or open_marks[-1][0] != mark[0]:
                _fail(here, f"{case_id}: '{mark[0]}' closes nothing that is open")
            kind, label, start = open_marks.pop()
            if start == length:
                _fail(here, f"{case_id}: an empty mark")
            if kind == "]]":
                spans.append((start, length, label))
            else:
                evidence += [(start, length, code.strip()) for code in label.split(",")]
    if open_marks:
        _fail(line, f"{case_id}: {len(open_marks)} mark(s) never closed")
    parts.append(body[at:])
    text = "".join(parts)
    if re.search(r"\[\[|\]\]|\{\{|\}\}", text):
        _fail(line, f"{case_id}: a broken mark is left in the text")
    return text, tuple(sorted(spans)), tuple(sorted(set(evidence)))


def nested(spans: Sequence[Mark], evidence: Sequence[Mark]) -> list[Mark]:
    """Evidence widened until it crosses neither identifiers nor other evidence: what it cut, it holds whole."""
    wide = [_around(mark, spans) for mark in sorted(evidence)]
    before: list[Mark] = []
    while wide != before:
        before = list(wide)
        for at, mark in enumerate(before):
            wide[at] = _around(mark, [*spans, *wide])
    return wide


def _around(mark: Mark, others: Iterable[Mark]) -> Mark:
    start, end, code = mark
    for first, last, _ in others:
        if start < first < end < last or first < start < last < end:
            start, end = min(start, first), max(end, last)
    return start, end, code


def add_marks(text: str, spans: list[tuple[int, int, str]], evidence: list[tuple[int, int, str]]) -> str:
    """The marked form of a text: the inverse of `strip_marks`, for spans that are nested or apart."""
    codes: dict[tuple[int, int], list[str]] = {}
    for start, end, code in evidence:
        codes.setdefault((start, end), []).append(code)
    marks = [(start, end, "{{" + ",".join(sorted(names)) + "|", "}}") for (start, end), names in codes.items()]
    marks += [(start, end, f"[[{label}:", "]]") for start, end, label in spans]
    # Outer marks open first and close last; on equal ranges evidence is the outer one.
    opening = sorted(marks, key=lambda mark: (mark[0], -mark[1], mark[2] != "{{" and mark[3] == "]]"))
    parts: list[str] = []
    stack: list[tuple[int, str]] = []
    at = 0
    for start, end, opener, closer in [*opening, (len(text), len(text), "", "")]:
        while stack and stack[-1][0] <= start:
            stop, close = stack.pop()
            parts += [text[at:stop], close]
            at = stop
        if stack and end > stack[-1][0]:
            raise ValueError("marks cross each other: only nested marks have a marked form")
        parts += [text[at:start], opener]
        at = start
        if closer:
            stack.append((end, closer))
    parts.append(text[at:])
    return "".join(parts)


def _fail(line: int, reason: str) -> NoReturn:
    raise MarkingError(line, reason) from None
