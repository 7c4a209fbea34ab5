"""Cases out of DHIS2 Tracker payloads, and codes back into them.

Format: "Tracker" of the DHIS2 developer documentation (dhis2/dhis2-docs, src/developer/web-api/tracker.md, sections
*Events*, *Data Values*, *Payload*, *Update data values*). A payload of ``POST /api/tracker`` is flat or nested: events
stand in ``events``, in ``enrollments[].events`` and in ``trackedEntities[].enrollments[].events``. Of those sections:

- ``programStage`` is required, except that an event program may name its ``program`` alone; ``event`` is generated
  where it is missing; ``value`` of a data value is text.
- An update (``importStrategy=UPDATE``) names all fields of an event, but only those data values that change; a
  ``value`` of null removes one.
- Deleted events cannot be updated: they are left alone.

Everything is checked before anything is written, and a fault is named by its place, never by a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ..errors import InterchangeError
from ..types import Analysis, Narrative
from .dhis2_mapping import Coded, EventMapping
from .json_text import json_text

Payload = dict[str, Any]

MAX_DEPTH = 100  # levels; a tracker payload has about ten
_NO_ID = "has no `event` id, so that no update can name it"
_LISTS = ("trackedEntities", "enrollments", "events")
_NOT_IN_UPDATES = {"dataValues", "notes", "relationships", "createdBy", "updatedBy"}  # collections, and names of users


@dataclass(frozen=True)
class EventCase:
    """An event with a narrative; ``place`` tells where it stands in its payload and is its name there."""

    place: str
    narrative: Narrative = field(repr=False)


class _Slot(NamedTuple):
    """Where an event stands: in which list, and in which enrollment, if in any."""

    place: str
    events: list[Any]
    at: int
    enrollment: Mapping[str, Any] | None

    @property
    def event(self) -> Any:
        return self.events[self.at]


def load_payload(path: Path) -> Payload:
    """Read a payload from a file. Raises `InterchangeError` for one that is no JSON or would not come back as it was:
    keys given twice, numbers that JSON does not have, values that lie too deep."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InterchangeError(f"cannot be read ({error.strerror or type(error).__name__})", place="payload") from None
    return parse_payload(content)


def parse_payload(content: str | bytes) -> Payload:
    """Parse a payload; see `load_payload`."""
    try:
        payload = json.loads(content, object_pairs_hook=_unrepeated, parse_float=_finite, parse_constant=_finite)
    except InterchangeError:
        raise
    except json.JSONDecodeError as error:
        raise InterchangeError("is no JSON", place=f"payload, line {error.lineno}") from None
    except (ValueError, RecursionError):
        raise InterchangeError("is no JSON that can be read", place="payload") from None
    if not isinstance(payload, dict):
        _fail("wants an object with `events` or `trackedEntities`", "payload")
    if _is_deep(payload):
        _fail(f"its values lie more than {MAX_DEPTH} levels deep", "payload")
    return payload


def dump_payload(payload: Payload) -> bytes:
    """A payload as UTF-8, each value as it was."""
    return json_text(payload, indent=1).encode() + b"\n"


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _fail("a key stands twice in one object", "payload")
    return found


def _finite(number: str) -> float:
    value = float(number)
    if value - value != 0:  # infinite, or no number
        _fail("holds a number that JSON does not have", "payload")
    return value


def _is_deep(payload: Any) -> bool:
    level = [payload]
    for _ in range(MAX_DEPTH):
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def read_events(payload: Payload, mapping: EventMapping, *, with_ids: bool = False) -> list[EventCase]:
    """The cases of a payload in its order: events of the mapped program and stages that hold a narrative.

    Several narrative elements are joined in the order of the mapping, blank ones left out. The case id is that of the
    mapped element, else the id of the event, else None. Raises `InterchangeError` at the first place that is no tracker
    payload, and with ``with_ids`` at the first case whose event has no id of its own.
    """
    cases = []
    for slot in _mapped(payload, mapping):
        values = _values(slot, mapping)
        parts = [text for element in mapping.narrative if (text := values.get(element)) and text.strip()]
        if not parts:
            continue
        if with_ids and not slot.event.get("event"):
            _fail(_NO_ID, slot.place)
        stated = values.get(mapping.case_id) if mapping.case_id else None
        narrative = Narrative(
            mapping.join.join(parts),
            case_id=stated if stated and stated.strip() else slot.event.get("event") or None,
            language=mapping.language.read(values.get(mapping.language.element)) if mapping.language else None,
            country=mapping.country.read(values.get(mapping.country.element)) if mapping.country else None,
        )
        cases.append(EventCase(slot.place, narrative))
    return cases


def write_events(
    payload: Payload,
    mapping: EventMapping,
    coded: Mapping[str, Analysis | Coded],
    *,
    overwrite: bool = False,
) -> Payload:
    """A new payload with codes in the mapped data elements; ``coded`` maps places, as `read_events` names them.

    Nothing but values of mapped code elements changes; the payload that was given stays as it is. An axis of which any
    data element holds a value is left as it is as a whole, since a person may have set it, unless ``overwrite``. An
    axis that is not coded is never touched.

    Raises
    ------
    InterchangeError
        The payload is no tracker payload; a place is not in it; a code is not in the codebook.
    """
    list(_slots(payload))  # checks every list on the way
    result = _copied(payload)
    slots = {slot.place: (slot, _values(slot, mapping)) for slot in _mapped(result, mapping)}
    for place, codes in coded.items():
        if place not in slots:
            _fail("is no event of this payload that the mapping covers", place)
        slot, values = slots[place]
        decided = Coded.from_analysis(codes) if isinstance(codes, Analysis) else codes
        _check_codes(place, mapping, decided)
        if changes := _changes(values, mapping, decided, overwrite=overwrite):
            slot.events[slot.at] = _with_values(slot.event, changes)
    return result


def event_updates(before: Payload, after: Payload) -> Payload:
    """What `write_events` changed, as a payload for ``importStrategy=UPDATE``: the events that changed, with the data
    values that changed. No narrative is in it.

    Raises `InterchangeError` for a changed event without an id: no update can name it.
    """
    updates = []
    for old, new in zip(_slots(before), _slots(after), strict=True):
        if old.event == new.event:
            continue
        if not new.event.get("event"):
            _fail(_NO_ID, new.place)
        update = {key: value for key, value in new.event.items() if key not in _NOT_IN_UPDATES}
        if new.enrollment is not None:
            for key in ("enrollment", "program"):
                if key in new.enrollment:
                    update.setdefault(key, new.enrollment[key])
        pairs = zip_longest(old.event.get("dataValues") or [], new.event["dataValues"])  # new ones stand at the end
        update["dataValues"] = [
            {"dataElement": item["dataElement"], "value": item["value"]} for was, item in pairs if was != item
        ]
        updates.append(update)
    return {"events": updates}


def _check_codes(place: str, mapping: EventMapping, coded: Coded) -> None:
    for name in [*coded.codes, *coded.primary]:
        if name not in mapping.codes:
            _fail("was given codes of an axis that the codebook does not have", place)
        leading = coded.primary.get(name)
        if unknown := {*(coded.codes.get(name) or ()), *([leading] if leading else ())} - mapping.codes[name]:
            _fail(f"was given {len(unknown)} code(s) that axis `{name}` does not have", place)


def _changes(
    values: Mapping[str, Any], mapping: EventMapping, coded: Coded, *, overwrite: bool
) -> dict[str, str | None]:
    """The data elements of an event whose value changes, with their new values."""
    changes: dict[str, str | None] = {}
    for name, axis in mapping.axes.items():
        codes = coded.codes.get(name)
        is_open = not any(_is_filled(values.get(element)) for element in axis.targets)
        if codes is not None and (overwrite or is_open):
            changes |= axis.values(codes, coded.primary.get(name))
    changes = {element: value for element, value in changes.items() if _differs(values.get(element), value)}
    if mapping.suggested_by and coded.bundle and changes:
        changes[mapping.suggested_by] = coded.bundle
    elif mapping.suggested_by and overwrite and not coded.bundle and _is_decided(mapping, coded):
        changes[mapping.suggested_by] = None
    return {element: value for element, value in changes.items() if _differs(values.get(element), value)}


def _is_decided(mapping: EventMapping, coded: Coded) -> bool:
    return all(coded.codes.get(name) is not None for name in mapping.axes)


def _differs(old: Any, new: str | None) -> bool:
    return _is_filled(old) if new is None else old != new


def _is_filled(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _with_values(event: Mapping[str, Any], changes: Mapping[str, str | None]) -> dict[str, Any]:
    """The event with other values; those that it did not have stand at the end."""
    left = dict(changes)
    data_values = []
    for item in event.get("dataValues") or []:
        element = item["dataElement"]
        data_values.append({**item, "value": left.pop(element)} if element in left else item)
    data_values += [{"dataElement": element, "value": value} for element, value in left.items()]
    return {**event, "dataValues": data_values}


def _values(slot: _Slot, mapping: EventMapping) -> dict[str, Any]:
    """Values of an event by data element; those that are read are checked to be texts."""
    items = slot.event.get("dataValues")
    if items is not None and not isinstance(items, list):
        _fail("wants a list", f"{slot.place}.dataValues")
    values: dict[str, Any] = {}
    for at, item in enumerate(items or []):
        place = f"{slot.place}.dataValues[{at}]"
        if not isinstance(item, dict):
            _fail("wants an object", place)
        element = item.get("dataElement")
        if not isinstance(element, str):
            _fail("wants a text", f"{place}.dataElement")
        value = item.get("value")
        if element in mapping.read and value is not None and not isinstance(value, str):
            _fail("wants a text", f"{place}.value")
        if element in values and (element in mapping.read or element in mapping.written):
            _fail("this data element stands twice in its event", place)
        values[element] = value
    return values


def _mapped(payload: Payload, mapping: EventMapping) -> Iterator[_Slot]:
    """Events of the mapped program and stages, without deleted ones."""
    for slot in _slots(payload):
        event = slot.event
        program = _text(event, "program", slot.place)
        stage = _text(event, "programStage", slot.place)
        _text(event, "event", slot.place)
        if program is None and slot.enrollment is not None:
            program = _text(slot.enrollment, "program", slot.place.rpartition(".")[0])
        if program is None and stage is None:
            _fail("names neither `programStage` nor `program`", slot.place)
        is_other = mapping.program is not None and program is not None and program != mapping.program
        is_other |= bool(mapping.stages) and stage is not None and stage not in mapping.stages
        if not is_other and event.get("deleted") is not True:
            yield slot


def _slots(payload: Payload) -> Iterator[_Slot]:
    """Every event of a payload, in its order."""
    if not isinstance(payload, dict) or not any(name in payload for name in _LISTS):
        is_old = isinstance(payload, dict) and "instances" in payload
        hint = ": older exports call that list `instances`, rename it" if is_old else ""
        _fail(f"wants an object with `events`, `enrollments` or `trackedEntities`{hint}", "payload")
    for place, entity in _objects(payload, "trackedEntities", ""):
        yield from _enrolled(entity, f"{place}.")
    yield from _enrolled(payload, "")
    yield from _listed(payload, "", None)


def _enrolled(holder: Mapping[str, Any], prefix: str) -> Iterator[_Slot]:
    for place, enrollment in _objects(holder, "enrollments", prefix):
        yield from _listed(enrollment, f"{place}.", enrollment)


def _listed(holder: Mapping[str, Any], prefix: str, enrollment: Mapping[str, Any] | None) -> Iterator[_Slot]:
    for at, (place, _) in enumerate(_objects(holder, "events", prefix)):
        yield _Slot(place, holder["events"], at, enrollment)


def _objects(holder: Mapping[str, Any], key: str, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a list, with their places; none where the list is missing or null."""
    items = holder.get(key)
    if items is None:
        return
    if not isinstance(items, list):
        _fail("wants a list", f"{prefix}{key}")
    for at, item in enumerate(items):
        if not isinstance(item, dict):
            _fail("wants an object", f"{prefix}{key}[{at}]")
        yield f"{prefix}{key}[{at}]", item


def _copied(payload: Payload) -> Payload:
    """A copy down to the lists of events, whose events can be replaced without a change of the original."""
    result = _with_copied_enrollments({**payload, **_copied_list(payload, "events")})
    if result.get("trackedEntities") is not None:
        result["trackedEntities"] = [_with_copied_enrollments(entity) for entity in payload["trackedEntities"]]
    return result


def _with_copied_enrollments(holder: Payload) -> Payload:
    if holder.get("enrollments") is None:
        return holder
    return {**holder, "enrollments": [{**item, **_copied_list(item, "events")} for item in holder["enrollments"]]}


def _copied_list(holder: Payload, key: str) -> Payload:
    return {key: list(holder[key])} if holder.get(key) is not None else {}


def _text(holder: Mapping[str, Any], key: str, place: str) -> str | None:
    value = holder.get(key)
    if value is not None and not isinstance(value, str):
        _fail("wants a text", f"{place}.{key}")
    return value


def _fail(reason: str, place: str) -> NoReturn:
    raise InterchangeError(reason, place=place)
