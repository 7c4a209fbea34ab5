"""Annotated narratives: read, checked against the codebook, written, and made from texts with inline marks.

One JSON object a line::

    {"id": "en-mara-014", "lang": "en", "country": "Moldova", "source": "invented", "text": "...",
     "violation": ["health.denial"], "perpetrator": ["health"], "population": ["plhiv"],
     "evidence": {"violation": {"health.denial": ["exact words"]}, ...},
     "primary": {"violation": "health.denial", "population": "plhiv"},
     "spans": [{"start": 12, "end": 24, "label": "AGE"}],
     "writer": "mara", "theme": "dentist-refusal", "tags": ["slur"], "translation_of": null, "person": null}

An axis is a list of codes, ``[]`` where nothing applies, ``null`` where nobody coded it. ``spans`` are half-open, in
code points,
sorted and apart; ``null`` where nobody marked identifiers. ``person`` is an opaque id of whose case it is, where a site
knows; ``null``: each case is one person's. Evidence and spans may be missing in files from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, NoReturn

from nlp.codebook import Axis, Codebook
from nlp.errors import CorpusError
from nlp.types import Entity, Narrative, Span

from .marking import Marked, MarkingError, add_marks, nested, read_marked

HARD = (
    "slur", "threat-only", "fear", "negation", "past", "other-role", "helper-named", "two-clients", "many-perpetrators",
    "law-quoted", "happy-violence",
)  # fmt: skip
"""Tags of the kinds of hard case (annotations/guidelines.md)."""


@dataclass(frozen=True)
class Case:
    """One annotated narrative. ``codes`` maps each axis to its gold codes, or None where it was not coded."""

    case_id: str
    language: str
    text: str = field(repr=False)
    codes: Mapping[str, frozenset[str] | None]
    primary: Mapping[str, str | None] = field(default_factory=dict)
    evidence: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)
    entities: tuple[Entity, ...] | None = None
    country: str | None = None
    source: str = "invented"
    writer: str = ""
    theme: str = ""
    tags: tuple[str, ...] = ()
    translation_of: str | None = None
    person_id: str | None = None

    @property
    def person(self) -> str:
        """Whose case it is: by its ``person``, or else the case stands for one person, with its translations."""
        return self.person_id or self.translation_of or self.case_id

    def places(self, axis: str, code: str) -> list[Span]:
        """Where the words stand that somebody marked as evidence of a code: each at its first place in the text."""
        stretches = self.evidence.get(axis, {}).get(code, ())
        return [Span(at, at + len(words)) for words in stretches if words and (at := self.text.find(words)) >= 0]

    def all_places(self) -> list[tuple[str, str, Span]]:
        """The same for every code: axis, code and place."""
        return [
            (axis, code, place)
            for axis, by_code in self.evidence.items()
            for code in by_code
            for place in self.places(axis, code)
        ]

    def narrative(self) -> Narrative:
        return Narrative(self.text, case_id=self.case_id, language=self.language, country=self.country)


def id_digest(case_id: str) -> str:
    """What stands for the id of a case in a bundle: twelve digits of its SHA-256."""
    return hashlib.sha256(case_id.encode()).hexdigest()[:12]


def is_hard(case: Case) -> bool:
    """Whether a case has a tag of a kind of hard case."""
    return any(tag in HARD for tag in case.tags)


def groups_of(cases: Sequence[Case]) -> list[str]:
    """The group of each case. Cases of one group never straddle a split: those of one writer on one theme, and
    translations with their original and its group, wherever in the files they stand."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for case in cases:
        for other in (case.translation_of, f"{case.writer}/{case.theme}" if case.theme else None):
            if other is not None:
                first, second = sorted((find(case.case_id), find(other)))
                leader[second] = first
    return [find(case.case_id) for case in cases]


def read_cases(path: Path, codebook: Codebook) -> list[Case]:
    """All cases of a JSONL file, or of all JSONL files of a folder in the order of their names.

    Raises `CorpusError` with file, line and reason; ids must be unique over all files.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    seen: set[str] = set()
    cases = []
    for file in files:
        for line, data in json_lines(file):
            case = case_from_json(data, codebook, file.name, line)
            if case.case_id in seen:
                _fail("this id stands twice", file.name, line)
            seen.add(case.case_id)
            cases.append(case)
    if not cases:
        raise CorpusError("there is no narrative in it", source=str(path), line=0)
    return cases


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, json.loads(line)
    except json.JSONDecodeError:
        raise CorpusError("is no JSON object", source=path.name, line=number) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"cannot be read ({type(error).__name__})", source=str(path), line=0) from None


def case_from_json(data: Any, codebook: Codebook, source: str, line: int) -> Case:
    """A checked case. No message holds text of the narrative."""
    if not isinstance(data, dict):
        _fail("wants a JSON object", source, line)
    for key in ("id", "lang", "text"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            _fail(f"`{key}` wants a text", source, line)
    for key in ("country", "source", "writer", "theme", "translation_of", "person"):
        if not isinstance(data.get(key), (str, NoneType)):
            _fail(f"`{key}` wants a text or null", source, line)
    if not _is_list_of_texts(data.get("tags") or []):
        _fail("`tags` wants a list of texts", source, line)
    text = data["text"]
    codes = {axis.id: _codes(data.get(axis.id), axis, source, line) for axis in codebook.axes}
    return Case(
        case_id=data["id"],
        language=data["lang"],
        text=text,
        codes=codes,
        primary=_primary(data.get("primary"), codes, codebook, source, line),
        evidence=_evidence(data.get("evidence") or {}, codes, text, source, line),
        entities=_entities(data.get("spans"), codebook, text, source, line),
        country=data.get("country"),
        source=data.get("source") or "",
        writer=data.get("writer") or "",
        theme=data.get("theme") or "",
        tags=tuple(data.get("tags") or ()),
        translation_of=data.get("translation_of"),
        person_id=data.get("person"),
    )


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _codes(value: Any, axis: Axis, source: str, line: int) -> frozenset[str] | None:
    if value is None:
        return None
    if not _is_list_of_texts(value):
        _fail(f"`{axis.id}` wants a list of codes, or null where it was not coded", source, line)
    if unknown := sorted(set(map(str, value)) - set(axis.codes)):
        _fail(f"`{axis.id}` has {len(unknown)} code(s) that the codebook does not have", source, line)
    return frozenset(value)


def _primary(
    value: Any, codes: Mapping[str, frozenset[str] | None], codebook: Codebook, source: str, line: int
) -> dict[str, str | None]:
    leading = [axis.id for axis in codebook.axes if axis.has_primary]
    if not isinstance(value, dict):  # older files name the primary code of the first axis alone
        value = {leading[0]: value} if leading and isinstance(value, str) else {}
    primary: dict[str, str | None] = {}
    for axis in leading:
        code = value.get(axis)
        if code is not None and code not in (codes[axis] or ()):
            _fail(f"the primary code of `{axis}` is not among its codes", source, line)
        primary[axis] = code
    return primary


def _evidence(
    value: Any, codes: Mapping[str, frozenset[str] | None], text: str, source: str, line: int
) -> dict[str, dict[str, tuple[str, ...]]]:
    if not isinstance(value, dict):
        _fail("`evidence` wants a mapping of axis to code to words", source, line)
    for axis, by_code in value.items():
        if not isinstance(by_code, dict) or not all(_is_list_of_texts(stretches) for stretches in by_code.values()):
            _fail("`evidence` wants a mapping of axis to code to a list of words", source, line)
        for code, stretches in by_code.items():
            if code not in (codes.get(axis) or ()):
                _fail("`evidence` speaks for a code that is not coded", source, line)
            if any(stretch not in text for stretch in stretches):
                _fail(f"`evidence` for {code} does not stand in the text", source, line)
    return {axis: {code: tuple(items) for code, items in by_code.items()} for axis, by_code in value.items()}


def _entities(value: Any, codebook: Codebook, text: str, source: str, line: int) -> tuple[Entity, ...] | None:
    if value is None:
        return None
    types = {identifier.id for identifier in codebook.identifiers}
    entities = []
    end = 0
    for item in value if isinstance(value, list) else [None]:
        span, kind = _span(item, source, line)
        if kind not in types:
            _fail("`spans` has a label that is no identifier of the codebook", source, line)
        if span.start < end or span.end > len(text):
            _fail("`spans` overlap, are not sorted, or reach past the text", source, line)
        end = span.end
        entities.append(Entity(span, kind, 1.0, "gold"))
    return tuple(entities)


def _span(item: Any, source: str, line: int) -> tuple[Span, str]:
    if not isinstance(item, dict) or not all(type(item.get(key)) is int for key in ("start", "end")):
        _fail("`spans` wants a list of objects with start, end and label", source, line)
    if not isinstance(item.get("label"), str) or not 0 <= item["start"] < item["end"]:
        _fail("`spans` wants a label and 0 <= start < end", source, line)
    return Span(item["start"], item["end"]), item["label"]


def case_json(case: Case) -> dict[str, Any]:
    """The JSON object of a case, keys in the order of the format."""
    return {
        "id": case.case_id,
        "lang": case.language,
        "country": case.country,
        "source": case.source,
        "text": case.text,
        **{axis: None if codes is None else sorted(codes) for axis, codes in case.codes.items()},
        "evidence": {
            axis: {code: list(items) for code, items in by_code.items()} for axis, by_code in case.evidence.items()
        },
        "primary": dict(case.primary),
        "spans": None
        if case.entities is None
        else [{"start": item.span.start, "end": item.span.end, "label": item.type} for item in case.entities],
        "writer": case.writer,
        "theme": case.theme,
        "tags": list(case.tags),
        "translation_of": case.translation_of,
        **({"person": case.person_id} if case.person_id else {}),
    }


def write_cases(path: Path, cases: Iterable[Case]) -> None:
    """Write cases as JSONL, in the order given."""
    text = "".join(json.dumps(case_json(case), ensure_ascii=False) + "\n" for case in cases)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def cases_from_marked(path: Path, codebook: Codebook) -> list[Case]:
    """Cases of a file in the inline marking format. Raises `CorpusError`."""
    try:
        marked = list(read_marked(path.read_text(encoding="utf-8-sig")))
    except MarkingError as error:
        raise CorpusError(error.reason, source=path.name, line=error.line) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"cannot be read ({type(error).__name__})", source=str(path), line=0) from None
    return [case_from_json(_marked_json(item, codebook, path.name), codebook, path.name, item.line) for item in marked]


def _marked_json(item: Marked, codebook: Codebook, source: str) -> dict[str, Any]:
    parts = item.case_id.split("-")
    if len(parts) < 3:
        _fail("a case id wants language, writer and number: en-mara-014", source, item.line)
    uncoded = _listed(item.header.get("uncoded", ""))
    evidence: dict[str, dict[str, list[str]]] = {axis.id: {} for axis in codebook.axes if axis.id not in uncoded}
    for start, end, code in item.evidence:
        try:
            axis = codebook.axis_of(code).id
        except KeyError:
            _fail(f"{code} is no code of the codebook", source, item.line)
        if axis in uncoded:
            _fail(f"{code} is marked, but `{axis}` is said to be uncoded", source, item.line)
        evidence[axis].setdefault(code, []).append(item.text[start:end])
    leading = [axis.id for axis in codebook.axes if axis.has_primary]
    named = [name.strip() for name in item.header.get("primary", "").split("|")]
    if len(named) != len(leading):
        _fail(f"`primary` wants one code, or -, for each of {', '.join(leading)}, with | between", source, item.line)
    return {
        "id": item.case_id,
        "lang": item.header.get("language", parts[0]),
        "country": item.header.get("country"),
        "source": item.header.get("source", "invented"),
        "text": item.text,
        **{axis.id: sorted(evidence[axis.id]) if axis.id in evidence else None for axis in codebook.axes},
        "evidence": evidence,
        "primary": {axis: None if code == "-" else code for axis, code in zip(leading, named, strict=True)},
        "spans": [{"start": start, "end": end, "label": label} for start, end, label in item.spans],
        "writer": parts[1],
        "theme": item.header.get("theme", ""),
        "tags": _listed(item.header.get("tags", "")),
        "translation_of": item.header.get("translation-of"),
        "person": item.header.get("person"),
    }


def marked_form(case: Case) -> str:
    """A case in the inline marking format, to be edited by hand.

    Evidence that crosses an identifier or other evidence is widened until it holds all of it. Read back, every line
    break is ``\\n`` (``\\r\\n`` too), blanks around the whole text are gone, and a case whose identifiers nobody marked
    counts as one without identifiers.
    """
    spans = [(entity.span.start, entity.span.end, entity.type) for entity in case.entities or ()]
    evidence = [(place.start, place.end, code) for _, code, place in case.all_places()]
    header = {
        "language": case.language if case.language != case.case_id.split("-")[0] else None,
        "country": case.country,
        "source": case.source if case.source != "invented" else None,
        "theme": case.theme or None,
        "tags": ", ".join(case.tags) or None,
        "primary": " | ".join(code or "-" for code in case.primary.values()) or None,
        "uncoded": ", ".join(axis for axis, codes in case.codes.items() if codes is None) or None,
        "translation-of": case.translation_of,
        "person": case.person_id,
    }
    lines = [f"@@ {case.case_id}", *(f"{key}: {value}" for key, value in header.items() if value is not None), "---"]
    return "\n".join([*lines, add_marks(case.text, spans, nested(spans, evidence)), ""])


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


def count_codes(cases: Sequence[Case], codebook: Codebook) -> dict[str, int]:
    """How many cases have each code, codes in the order of the codebook."""
    return {
        code: sum(code in (case.codes[axis.id] or ()) for case in cases)
        for axis in codebook.axes
        for code in axis.codes
    }


def _fail(reason: str, source: str, line: int) -> NoReturn:
    raise CorpusError(reason, source=source, line=line) from None
