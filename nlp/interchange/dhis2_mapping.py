"""Which data elements of a DHIS2 program hold what: a YAML file that each deployment writes for its own program.

::

    program: Pr0gramUid1            # optional: events of other programs and stages are left alone
    stages: [St4geUid001]           # optional
    narrative:
      elements: [NarrUid0001, NarrUid0002]
      join: "\\n\\n"                  # between several; blank ones are left out. This is the default
    case_id: CaseUid0001            # optional; without it, or where it is empty, the id of the event
    language: {element: LangUid0001, values: {RUS: ru, KIR: ky}}   # or the id alone, where values are ISO 639-1
    country: CtryUid0001            # optional, in the same two forms
    suggested_by: BndlUid0001       # optional: gets the name of the bundle wherever suggestions are written
    axes:
      violation:                    # all codes in one multi-text value
        element: ViolUid0001
        separator: ","              # the default: how DHIS2 keeps values of type MULTI_TEXT
        options: {health.denial: HC_DENIED, ...}   # optional: option codes; null for a code the program does not have
        nothing: NONE               # optional: written where the case is coded and nothing applies
        primary: PrimUid0001        # optional: gets the option of the primary code
      perpetrator:                  # or one yes/no data element a code
        elements: {police: PoliUid0001, health: HlthUid0001, ...}  # null for a code the program does not have
        yes_value: "true"           # the default, as DHIS2 keeps BOOLEAN and TRUE_ONLY
        no_value: "false"           # optional: written for the codes that do not apply; TRUE_ONLY has no such value

Ids are whatever the ``dataElementIdScheme`` of the import is, by default UIDs. Of `MULTI_TEXT`: dhis2-core pull request
11100 ("values are stored as a ``,`` separated text value").
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml

from ..codebook import Axis, Codebook
from ..errors import InterchangeError
from ..types import Analysis
from .label_studio import NOTHING_FROM

_KEYS = {"program", "stages", "narrative", "case_id", "language", "country", "suggested_by", "axes"}
_AXIS_KEYS = {"element", "separator", "options", "nothing", "primary", "elements", "yes_value", "no_value"}
_ONE = {"element", "separator", "nothing"}  # keys of an axis in one data element
_MANY = {"elements", "yes_value", "no_value"}  # keys of an axis with a data element a code
_MOST_BYTES = 1_000_000  # of a mapping file; the codebook has 54 codes


@dataclass(frozen=True)
class Coded:
    """Codes of a case, decided by a person or suggested. ``codes`` maps an axis to its codes: None or missing is not
    coded, empty is coded and nothing applies. ``bundle`` names what suggested them, None where a person decided."""

    codes: Mapping[str, Sequence[str] | None]
    primary: Mapping[str, str | None] = field(default_factory=dict)
    bundle: str | None = None

    @classmethod
    def from_analysis(cls, analysis: Analysis) -> Coded:
        """What an analysis suggests. An axis without suggestions is not coded, unless it is likelier than not that
        nothing applies."""
        codes: dict[str, list[str] | None] = {}
        for item in analysis.suggestions:
            codes.setdefault(item.axis, [])
            if item.suggested:
                codes[item.axis] = [*(codes[item.axis] or []), item.code]
        for axis, said in codes.items():
            if not said and analysis.nothing.get(axis, 0.0) < NOTHING_FROM:
                codes[axis] = None
        return cls(codes, dict(analysis.primary), analysis.bundle)


@dataclass(frozen=True)
class Lookup:
    """A data element that tells a language or country; ``values`` maps its values to ours, None: they are ours."""

    element: str
    values: Mapping[str, str] | None = None

    def read(self, value: str | None) -> str | None:
        """Our value, or None where there is none."""
        said = (value or "").strip()
        return (self.values.get(said) if self.values is not None else said) or None


@dataclass(frozen=True)
class AxisMapping:
    """Where the codes of an axis go.

    Either ``element`` gets all of them, as ``options`` joined by ``separator``, or each code has its own of
    ``elements``. ``options`` and ``elements`` leave out codes that the program does not have.
    """

    axis: str
    options: Mapping[str, str]
    element: str | None = None
    separator: str = ","
    nothing: str | None = None
    primary: str | None = None
    elements: Mapping[str, str] = field(default_factory=dict)
    yes_value: str = "true"
    no_value: str | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Every data element that this axis may change."""
        own = [self.element] if self.element else [*self.elements.values()]
        return tuple(dict.fromkeys([*own, *([self.primary] if self.primary else [])]))

    def values(self, codes: Sequence[str], primary: str | None) -> dict[str, str | None]:
        """The value of each data element for an axis that is coded; None where it has none."""
        if self.element:
            said = self.separator.join(dict.fromkeys(self.options[code] for code in codes if code in self.options))
            found: dict[str, str | None] = {self.element: said or (None if codes else self.nothing)}
        else:
            yes = {self.elements[code] for code in codes if code in self.elements}
            found = {name: self.yes_value if name in yes else self.no_value for name in self.elements.values()}
        if self.primary:
            found[self.primary] = self.options.get(primary) if primary else None
        return found


@dataclass(frozen=True)
class EventMapping:
    """A whole mapping. ``program`` None and ``stages`` empty mean all of them."""

    narrative: tuple[str, ...]
    axes: Mapping[str, AxisMapping]
    codes: Mapping[str, frozenset[str]]  # of the codebook, by axis
    join: str = "\n\n"
    program: str | None = None
    stages: tuple[str, ...] = ()
    case_id: str | None = None
    language: Lookup | None = None
    country: Lookup | None = None
    suggested_by: str | None = None

    @cached_property
    def read(self) -> frozenset[str]:
        """Data elements whose values are read."""
        lookups = [lookup.element for lookup in (self.language, self.country) if lookup]
        return frozenset([*self.narrative, *lookups, *([self.case_id] if self.case_id else [])])

    @cached_property
    def written(self) -> frozenset[str]:
        """Data elements whose values may change."""
        targets = [element for axis in self.axes.values() for element in axis.targets]
        return frozenset([*targets, *([self.suggested_by] if self.suggested_by else [])])


def load_mapping(path: Path, codebook: Codebook) -> EventMapping:
    """Read a mapping file. Raises `InterchangeError` with the place at fault."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InterchangeError(f"cannot be read ({error.strerror or type(error).__name__})", place="mapping") from None
    return parse_mapping(content, codebook)


def parse_mapping(source: str | bytes, codebook: Codebook) -> EventMapping:
    """Parse and check the text of a mapping against the codebook whose codes it maps."""
    if len(source) > _MOST_BYTES:
        raise InterchangeError("is far larger than a mapping can be", place="mapping")
    try:
        # Safe: _Loader is a SafeLoader that builds nothing but mappings, lists and scalars.
        root = yaml.load(source, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InterchangeError("is no valid YAML, or has a key twice", place=f"mapping{line}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise InterchangeError("is no valid YAML", place="mapping") from None
    return _Parser(codebook).mapping(root)


class _Loader(yaml.SafeLoader):
    """Safe loader that refuses a key given twice, of which YAML would drop the first one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        found = super().construct_mapping(node, deep)
        if len(found) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return found


class _Parser:
    """Turns the YAML tree into an `EventMapping`, or says at which place it cannot."""

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook
        self.used: dict[str, str] = {}  # data element -> the place that uses it

    def mapping(self, root: Any) -> EventMapping:
        if not isinstance(root, dict):
            self._fail("wants the keys narrative and axes", "mapping")
        self._known(root, _KEYS, "mapping")
        narrative = self._dict(root.get("narrative"), "mapping.narrative")
        self._known(narrative, {"elements", "join"}, "mapping.narrative")
        elements = self._texts(narrative.get("elements"), "mapping.narrative.elements")
        if not elements:
            self._fail("wants the data elements that hold the narrative", "mapping.narrative.elements")
        join = narrative.get("join", EventMapping.join)
        if not isinstance(join, str):
            self._fail("wants a text in quotes", "mapping.narrative.join")
        for at, element in enumerate(elements):
            self._use(element, f"mapping.narrative.elements[{at}]")
        return EventMapping(
            narrative=elements,
            join=join,
            program=self._text(root, "program", "mapping"),
            stages=self._texts(root.get("stages", []), "mapping.stages"),
            case_id=self._element(root, "case_id", "mapping"),
            language=self._lookup(root.get("language"), "mapping.language"),
            country=self._lookup(root.get("country"), "mapping.country"),
            suggested_by=self._element(root, "suggested_by", "mapping"),
            axes=self._axes(root),
            codes={axis.id: frozenset(axis.codes) for axis in self.codebook.axes},
        )

    def _axes(self, root: Mapping[str, Any]) -> dict[str, AxisMapping]:
        axes = self._dict(root.get("axes"), "mapping.axes")
        known = {axis.id: axis for axis in self.codebook.axes}
        self._known(axes, set(known), "mapping.axes")
        if not axes:
            self._fail("is empty: where do codes go?", "mapping.axes")
        return {name: self._axis(known[name], node, f"mapping.axes.{name}") for name, node in axes.items()}

    def _axis(self, axis: Axis, node: Any, place: str) -> AxisMapping:
        node = self._dict(node, place)
        self._known(node, _AXIS_KEYS, place)
        is_one = "element" in node
        if is_one == ("elements" in node):
            self._fail("wants either `element` or `elements`", place)
        if stray := sorted(set(node) & (_MANY if is_one else _ONE)):
            self._fail(f"`{stray[0]}` does not go with `{'element' if is_one else 'elements'}`", place)
        separator = self._text(node, "separator", place) or AxisMapping.separator
        options = self._codes(node["options"], axis, f"{place}.options") if "options" in node else None
        written = options if options is not None else {code: code for code in axis.codes}
        nothing = self._text(node, "nothing", place)
        if is_one and any(separator in option for option in written.values()):
            self._fail("an option holds the separator", f"{place}.options")
        primary = self._element(node, "primary", place)
        if primary and not axis.has_primary:
            self._fail("this axis has no primary code", f"{place}.primary")
        if not is_one and options is not None and not primary:
            self._fail("`options` go with `element` or `primary`", f"{place}.options")
        elements = {} if is_one else self._codes(node["elements"], axis, f"{place}.elements")
        for code, element in elements.items():
            self._use(element, f"{place}.elements.{code}")
        return AxisMapping(
            axis=axis.id,
            options=written,
            element=self._element(node, "element", place),
            separator=separator,
            nothing=nothing,
            primary=primary,
            elements=elements,
            yes_value=self._text(node, "yes_value", place) or AxisMapping.yes_value,
            no_value=self._text(node, "no_value", place),
        )

    def _codes(self, node: Any, axis: Axis, place: str) -> dict[str, str]:
        """What each code of an axis maps to. All codes have to be named, so that none gets lost unseen."""
        node = self._dict(node, place)
        self._known(node, set(axis.codes), place)
        if missing := [code for code in axis.codes if code not in node]:
            self._fail(f"does not say where `{missing[0]}` goes: name it, or give null", place)
        found = {code: self._text(node, code, place) for code in axis.codes}
        return {code: value for code, value in found.items() if value is not None}

    def _lookup(self, node: Any, place: str) -> Lookup | None:
        if node is None:
            return None
        if isinstance(node, str):
            node = {"element": node}
        node = self._dict(node, place)
        self._known(node, {"element", "values"}, place)
        element = self._element(node, "element", place)
        if element is None:
            self._fail("wants a data element", f"{place}.element")
        if "values" not in node:
            return Lookup(element)
        values = self._dict(node["values"], f"{place}.values")
        if not all(isinstance(key, str) and isinstance(value, str) for key, value in values.items()):
            self._fail('wants texts on both sides: put words such as no, on, 01 in quotes ("no")', f"{place}.values")
        return Lookup(element, values)

    def _element(self, node: Mapping[str, Any], key: str, place: str) -> str | None:
        element = self._text(node, key, place)
        if element is not None:
            self._use(element, f"{place}.{key}")
        return element

    def _use(self, element: str, place: str) -> None:
        """Note a data element; one that stood elsewhere would be read and overwritten, or hold two things."""
        if element in self.used:
            self._fail(f"this data element stands at {self.used[element]} already", place)
        self.used[element] = place

    def _known(self, node: Mapping[Any, Any], keys: set[str], place: str) -> None:
        if unknown := [key for key in node if key not in keys]:
            self._fail(f"has the unknown key {unknown[0]!r}; known: {', '.join(sorted(keys))}", place)

    def _dict(self, node: Any, place: str) -> dict[str, Any]:
        if not isinstance(node, dict):
            self._fail("wants a mapping", place)
        return node

    def _text(self, node: Mapping[str, Any], key: str, place: str) -> str | None:
        value = node.get(key)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            self._fail('wants a text: put numbers, yes, no, true and false in quotes ("true")', f"{place}.{key}")
        return value

    def _texts(self, node: Any, place: str) -> tuple[str, ...]:
        if not isinstance(node, list) or not all(isinstance(value, str) and value.strip() for value in node):
            self._fail("wants a list of texts", place)
        return tuple(node)

    def _fail(self, reason: str, place: str) -> NoReturn:
        raise InterchangeError(reason, place=place)
