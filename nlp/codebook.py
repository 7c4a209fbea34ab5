"""The codebook: axes, their labels, and the identifier types that redaction marks.

A codebook is a YAML file. It is parsed and validated here and nowhere else; a deployment can bring its own. Nothing
in the
software knows the name of a code or of an axis.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml

from .errors import CodebookError

_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_IDENTIFIER = re.compile(r"[A-Z][A-Z0-9_]*")
_LABEL_KEYS = {"id", "label", "definition", "include", "exclude", "beside", "primary"}


@dataclass(frozen=True)
class Exclusion:
    """A border: what is not coded with this label, and the codes that hold instead or beside it."""

    text: str
    use: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """One code of an axis. ``beside`` are codes that always go with it; ``may_lead`` is False for a code that is
    never primary
    beside another."""

    code: str
    label: Mapping[str, str]
    definition: str
    group: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[Exclusion, ...] = ()
    beside: tuple[str, ...] = ()
    may_lead: bool = True


@dataclass(frozen=True)
class Axis:
    """One dimension of coding. ``nothing`` is the name of the answer "coded, and nothing applies" where that is an
    answer of its
    own; ``has_primary`` says whether one code of a case leads."""

    id: str
    label: Mapping[str, str]
    labels: tuple[Label, ...]
    nothing: Mapping[str, str] | None = None
    has_primary: bool = False

    @cached_property
    def codes(self) -> tuple[str, ...]:
        return tuple(label.code for label in self.labels)


@dataclass(frozen=True)
class IdentifierType:
    """A kind of identifier: `direct` identifies by itself, `quasi` together with others."""

    id: str
    kind: Literal["direct", "quasi"]
    definition: str


@dataclass(frozen=True)
class Codebook:
    """A validated codebook; ``digest`` is the SHA-256 of its content, whatever its comments and line breaks."""

    name: str
    version: str
    languages: tuple[str, ...]
    axes: tuple[Axis, ...]
    identifiers: tuple[IdentifierType, ...]
    digest: str
    source: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def axis(self, axis_id: str) -> Axis:
        """The axis with this id. Raises KeyError."""
        return self._axes[axis_id]

    def label(self, code: str) -> Label:
        """The label with this code. Raises KeyError."""
        return self._labels[code][1]

    def axis_of(self, code: str) -> Axis:
        """The axis a code belongs to. Raises KeyError."""
        return self._labels[code][0]

    @cached_property
    def _axes(self) -> dict[str, Axis]:
        return {axis.id: axis for axis in self.axes}

    @cached_property
    def _labels(self) -> dict[str, tuple[Axis, Label]]:
        return {label.code: (axis, label) for axis in self.axes for label in axis.labels}


def load_codebook(path: Path) -> Codebook:
    """Read and validate a codebook file. Raises `CodebookError` with line and code at fault."""
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CodebookError(f"cannot be read ({type(error).__name__})", source=path.name, line=1) from None
    return parse_codebook(source, name=path.name)


def parse_codebook(source: str, *, name: str = "codebook") -> Codebook:
    """Parse and validate the text of a codebook; ``name`` stands in error messages."""
    return _Parser(source, name).codebook()


class _Node(dict[str, Any]):
    """A YAML mapping that remembers the line it starts on."""

    line: int = 1


class _Loader(yaml.SafeLoader):
    """Safe loader that keeps line numbers and refuses a key given twice."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> _Node:
    result = _Node()
    result.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in result:
            problem = f"the key {key} stands twice" if isinstance(key, str) else "a key that is no text"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _refuse(loader: _Loader, node: yaml.Node) -> Any:
    raise yaml.constructor.ConstructorError(None, None, f"{node.tag} has no place in a codebook", node.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
for _tag in ("timestamp", "binary", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _refuse)


class _Parser:
    """Turns the YAML tree into a `Codebook`, or says at which line and code it cannot."""

    def __init__(self, source: str, name: str) -> None:
        self.source = source
        self.name = name
        self.seen: dict[str, int] = {}
        self.references: list[tuple[str, int, str]] = []  # code, line, referring label

    def codebook(self) -> Codebook:
        root = self._load()
        languages = self._texts(root, "languages", root.line, None)
        if not languages:
            self._fail("`languages` wants at least one language", root.line)
        self.languages = languages
        axes = tuple(self._axis(axis_id, node) for axis_id, node in self._mapping(root, "axes", root.line).items())
        if not axes:
            self._fail("`axes` is empty: a codebook needs at least one axis", root.line)
        for code, line, label in self.references:
            if code not in self.seen:
                self._fail(f"refers to {code!r}, which is no code of this codebook", line, label)
        return Codebook(
            name=self._text(root, "codebook", root.line),
            version=self._text(root, "version", root.line),
            languages=languages,
            axes=axes,
            identifiers=self._identifiers(root),
            digest=hashlib.sha256(
                json.dumps(root, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
            ).hexdigest(),
            source=self.source,
        )

    def _load(self) -> _Node:
        if alias := re.search(r"^[^#\n]*?[:\-\[,{]\s*[&*]\w", self.source, re.MULTILINE):
            self._fail(
                "anchors and aliases (& and *) have no place in a codebook", self.source.count("\n", 0, alias.end()) + 1
            )
        try:
            # Safe: _Loader is a SafeLoader that builds nothing but mappings, lists and scalars.
            root = yaml.load(self.source, Loader=_Loader)  # noqa: S506
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self._fail(f"is no valid YAML: {error.problem}", line)
        except yaml.YAMLError:
            self._fail("is no valid YAML", 1)
        if not isinstance(root, _Node):
            self._fail("wants a mapping with codebook, version, languages, axes, identifiers", 1)
        return root

    def _axis(self, axis_id: str, node: Any) -> Axis:
        if not isinstance(node, _Node):
            self._fail(f"axis {axis_id!r} wants a mapping", 1)
        if not _CODE.fullmatch(axis_id):
            self._fail(f"axis {axis_id!r}: ids are lower-case letters, digits and _", node.line)
        labels = [self._label(item, None, node.line) for item in self._list(node, "codes")]
        for group in self._list(node, "groups"):
            if not isinstance(group, _Node):
                self._fail("a group wants id, label and codes", node.line)
            group_id = self._text(group, "id", group.line)
            self._labels(group, "label", group.line, group_id)
            labels += [self._label(item, group_id, group.line) for item in self._list(group, "codes")]
        if not labels:
            self._fail(f"axis {axis_id!r} has no codes", node.line)
        return Axis(
            id=axis_id,
            label=self._labels(node, "label", node.line, axis_id),
            labels=tuple(labels),
            nothing=self._labels(node, "nothing", node.line, axis_id) if "nothing" in node else None,
            has_primary=self._flag(node, "primary", default=False),
        )

    def _label(self, node: Any, group: str | None, line: int) -> Label:
        if not isinstance(node, _Node):
            self._fail("a code wants a mapping with id, label and definition", line)
        code = self._text(node, "id", node.line)
        if not _CODE.fullmatch(code):
            self._fail("codes are lower-case letters, digits and _, with one dot at most", node.line, code)
        if code in self.seen:
            self._fail(f"stands twice: first on line {self.seen[code]}", node.line, code)
        self.seen[code] = node.line
        if unknown := sorted(set(node) - _LABEL_KEYS):
            self._fail(f"has the unknown key {unknown[0]!r}", node.line, code)
        beside = self._texts(node, "beside", node.line, code)
        self.references += [(other, node.line, code) for other in beside]
        return Label(
            code=code,
            label=self._labels(node, "label", node.line, code),
            definition=self._text(node, "definition", node.line, code),
            group=group,
            include=self._texts(node, "include", node.line, code),
            exclude=tuple(self._exclusion(item, node.line, code) for item in self._list(node, "exclude")),
            beside=beside,
            may_lead=self._flag(node, "primary", default=True),
        )

    def _exclusion(self, node: Any, line: int, code: str) -> Exclusion:
        if isinstance(node, str):
            return Exclusion(node)
        if not isinstance(node, _Node):
            self._fail("`exclude` wants texts, or mappings with text and use", line, code)
        use = self._texts(node, "use", node.line, code)
        self.references += [(other, node.line, code) for other in use]
        return Exclusion(self._text(node, "text", node.line, code), use)

    def _identifiers(self, root: _Node) -> tuple[IdentifierType, ...]:
        result: dict[str, IdentifierType] = {}
        for node in self._list(root, "identifiers"):
            if not isinstance(node, _Node):
                self._fail("an identifier wants id, kind and definition", root.line)
            name = self._text(node, "id", node.line)
            if not _IDENTIFIER.fullmatch(name):
                self._fail("identifier types are upper-case letters, digits and _", node.line, name)
            if name in result:
                self._fail("stands twice", node.line, name)
            kind = self._text(node, "kind", node.line, name)
            if kind not in ("direct", "quasi"):
                self._fail("`kind` is direct or quasi", node.line, name)
            result[name] = IdentifierType(
                name, "direct" if kind == "direct" else "quasi", self._text(node, "definition", node.line, name)
            )
        if not result:
            self._fail("`identifiers` is missing: what must redaction hide?", root.line)
        return tuple(result.values())

    def _labels(self, node: _Node, key: str, line: int, code: str) -> Mapping[str, str]:
        value = node.get(key)
        for language in self.languages:
            if not isinstance(value, dict) or not isinstance(value.get(language), str) or not value[language].strip():
                self._fail(f"`{key}` wants a text in {language!r}", line, code)
        return dict(value or {})

    def _text(self, node: _Node, key: str, line: int, code: str | None = None) -> str:
        value = node.get(key)
        if not isinstance(value, str) or not value.strip():
            self._fail(f"`{key}` wants a text", line, code)
        return value

    def _texts(self, node: _Node, key: str, line: int, code: str | None) -> tuple[str, ...]:
        values = node.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self._fail(f"`{key}` wants a list of texts", line, code)
        return tuple(values)

    def _flag(self, node: _Node, key: str, *, default: bool) -> bool:
        value = node.get(key, default)
        if not isinstance(value, bool):
            self._fail(f"`{key}` is true or false", node.line)
        return value

    def _list(self, node: _Node, key: str) -> list[Any]:
        value = node.get(key, [])
        if not isinstance(value, list):
            self._fail(f"`{key}` wants a list", node.line)
        return value

    def _mapping(self, node: _Node, key: str, line: int) -> _Node:
        value = node.get(key)
        if not isinstance(value, _Node):
            self._fail(f"`{key}` wants a mapping", line)
        return value

    def _fail(self, reason: str, line: int, label: str | None = None) -> NoReturn:
        raise CodebookError(reason, source=self.name, line=line, label=label)


def codebook_json(codebook: Codebook, language: str | None = None) -> dict[str, Any]:
    """The codebook as plain values, labels in one language where it has it, else in all of them."""

    def said(texts: Mapping[str, str]) -> Any:
        return texts.get(language, dict(texts)) if language else dict(texts)

    def rows(axis: Axis) -> Iterator[dict[str, Any]]:
        for label in axis.labels:
            yield {
                "code": label.code,
                "label": said(label.label),
                "group": label.group,
                "definition": label.definition,
                "include": list(label.include),
                "exclude": [{"text": item.text, "use": list(item.use)} for item in label.exclude],
                "beside": list(label.beside),
            }

    return {
        "codebook": codebook.name,
        "version": codebook.version,
        "digest": codebook.digest,
        "languages": list(codebook.languages),
        "axes": [
            {
                "axis": axis.id,
                "label": said(axis.label),
                "nothing": said(axis.nothing) if axis.nothing else None,
                "primary": axis.has_primary,
                "codes": list(rows(axis)),
            }
            for axis in codebook.axes
        ],
        "identifiers": [
            {"type": item.id, "kind": item.kind, "definition": item.definition} for item in codebook.identifiers
        ],
    }
