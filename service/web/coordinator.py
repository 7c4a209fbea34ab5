"""The coordinator's pages: figures, cases to look at again, decisions, and one case with its text.

To everybody else they are not there. Lists and figures hold no text; a text is read through the audit log.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from ..access import find_principal
from ..deps import get_models
from ..statistics import figures
from ..store.access import Principal
from ..store.feedback import ReadsExceeded, count_feedback, list_feedback, read_feedback, review_queue
from ..store.store import Store
from .coordinator_filters import NAMES, ORIGINS, VERDICTS, Filters, known_values
from .coordinator_texts import COORDINATOR_TEXTS
from .coordinator_view import Speaker, acceptance_view, agreement_view, case_view, decision_view, time_view
from .pages import page_language, render
from .texts import TEXTS

router = APIRouter(include_in_schema=False)

_PAGE = 20  # decisions on a page
_QUEUE = 10  # decisions to look at again, at first
_WHOLE_QUEUE = 100


@router.get("/coordinator")
def overview(request: Request) -> Response:
    """Figures, cases to look at again and decisions, as the filters of the address have them."""
    principal = let_in(request)
    if principal is None:
        return render(request, "coordinator.html")  # to the login
    speaker = _speaker(request)
    filters = Filters.of(request.query_params)
    store: Store | None = request.app.state.store
    known: dict[str, Any] = {"t": speaker.texts, "filters": filters, "keeps": store is not None, "problem": None}
    if store is None:
        return render(request, "coordinator.html", status=HTTPStatus.SERVICE_UNAVAILABLE, **known)
    known |= {"choices": _choices(store, filters, speaker), "active": _active(filters, speaker)}
    if filters.wrong or filters.is_backwards:
        known["problem"] = _problem(filters, speaker)
        return render(request, "coordinator.html", status=HTTPStatus.UNPROCESSABLE_ENTITY, **known)
    whole = request.query_params.get("queue") == "all"
    return render(request, "coordinator.html", **known, **_shown(store, filters, speaker, whole=whole))


def _shown(store: Store, filters: Filters, speaker: Speaker, *, whole: bool) -> dict[str, Any]:
    """Decisions, and on the first page of them what all together say."""
    wanted = filters.wanted()
    total = count_feedback(store, wanted)
    items = list_feedback(store, wanted, limit=_PAGE + 1, before=filters.before)
    shown: dict[str, Any] = {
        "total": total,
        "total_said": speaker.count("co.total", total),
        "items": [decision_view(item, speaker) for item in items[:_PAGE]],
        "older": items[_PAGE - 1].number if len(items) > _PAGE else None,
        "export_what": speaker.count("export.what", count_feedback(store, wanted, with_text=True)),
    }
    if filters.before is not None or not total:
        return shown
    found = figures(store, wanted)
    limit = _WHOLE_QUEUE if whole else _QUEUE
    queue = review_queue(store, wanted, limit=limit + 1)
    return shown | {
        "superseded": speaker.count("co.superseded", found["superseded"]) if found["superseded"] else None,
        "agreement": agreement_view(found, speaker),
        "times": time_view(found, speaker),
        "acceptance": acceptance_view(found, speaker),
        "queue": [decision_view(item, speaker) for item in queue[:limit]],
        "queue_more": len(queue) > limit and not whole,
    }


@router.get("/coordinator/case/{feedback_id}")
def case(request: Request, feedback_id: str) -> Response:
    """One decision with its redacted text. Told to the audit log, and not more often a day than the settings say."""
    principal = let_in(request)
    if principal is None:
        return render(request, "coordinator_case.html")  # to the login
    speaker = _speaker(request)
    store: Store | None = request.app.state.store
    filters = Filters.of(request.query_params)
    filters = Filters() if filters.wrong else filters
    known: dict[str, Any] = {
        "t": speaker.texts,
        "filters": filters,
        "case": None,
        "problem": speaker.texts["case.gone"],
    }
    if store is None:
        return render(request, "coordinator_case.html", status=HTTPStatus.NOT_FOUND, **known)
    limit = request.app.state.settings.reads_per_day
    try:
        found = read_feedback(store, feedback_id, principal, limit=limit)
    except ReadsExceeded:
        known["problem"] = speaker.say("case.limit", limit=limit)
        return render(request, "coordinator_case.html", status=HTTPStatus.TOO_MANY_REQUESTS, **known)
    if found is None:
        return render(request, "coordinator_case.html", status=HTTPStatus.NOT_FOUND, **known)
    known |= {"case": case_view(found, speaker), "problem": None, "walk": None}
    if request.query_params.get("from") == "queue":
        known["walk"] = _walk(store, filters, found.id, speaker)
    return render(request, "coordinator_case.html", **known)


def _walk(store: Store, filters: Filters, feedback_id: str, speaker: Speaker) -> dict[str, Any] | None:
    """The cases beside this one among those to look at again; None where it is not among them."""
    ids = [item.id for item in review_queue(store, filters.wanted(), limit=_WHOLE_QUEUE)]
    if feedback_id not in ids:
        return None
    at = ids.index(feedback_id)
    return {
        "said": speaker.say("case.place", place=at + 1, n=len(ids)),
        "previous": ids[at - 1] if at else None,
        "next": ids[at + 1] if at + 1 < len(ids) else None,
    }


def let_in(request: Request) -> Principal | None:
    """Who asks; None for nobody who is known. Raises 404 for who is no coordinator."""
    principal = find_principal(request, None)
    if principal is not None and not principal.may("coordinator"):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return principal


def _speaker(request: Request) -> Speaker:
    language = page_language(request)
    texts = TEXTS[language] | COORDINATOR_TEXTS[language]
    return Speaker(language, texts, get_models(request).pipeline.codebook)


def _choices(store: Store, filters: Filters, speaker: Speaker) -> dict[str, list[tuple[str, list[tuple[str, str]]]]]:
    """What each field of the form offers: groups of value and label; a group without a name is no group.

    A value that is asked for and that nothing has, as of an erased case, is offered too, so that the form shows it.
    """
    known = known_values(store)
    said = {"language": speaker.narrative_language}
    plain = {name: [(value, said.get(name, str)(value)) for value in values] for name, values in known.items()}
    plain["verdict"] = [(value, speaker.texts[f"verdict.{value}"]) for value in VERDICTS]
    plain["origin"] = [(value, speaker.texts[f"origin.{value}"]) for value in reversed(ORIGINS)]
    found = {name: [("", options)] for name, options in plain.items()} | {"code": speaker.axes()}
    for name, groups in found.items():
        value = filters.values.get(name)
        if value is not None and value not in {offered for _, options in groups for offered, _ in options}:
            groups.append(("", [(value, value)]))
    return found


def _active(filters: Filters, speaker: Speaker) -> str:
    """The filters that are set, in words."""
    texts = speaker.texts
    said: dict[str, Callable[[str], str]] = {
        "code": speaker.code,
        "since": speaker.day,
        "until": speaker.day,
        "language": speaker.narrative_language,
        "verdict": lambda value: texts.get(f"verdict.{value}", value),
        "origin": lambda value: texts.get(f"origin.{value}", value),
    }
    return "; ".join(
        f"{texts[f'filter.{name}']}: {said.get(name, str)(filters.values[name])}"
        for name in NAMES
        if name in filters.values
    )


def _problem(filters: Filters, speaker: Speaker) -> str:
    if filters.is_backwards:
        return speaker.texts["filter.order"]
    names = ", ".join(speaker.texts[f"filter.{name}"] for name in filters.wrong)
    return speaker.say("filter.wrong", filters=names, button=speaker.texts["filter.apply"])
