"""The report as one page of HTML, for a browser, a phone or a printer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ...errors import OutputError
from ..replacing import replacing
from . import charts
from .counts import FEW, Shown, known
from .html import Cell, Heat, Part, Section, beside, bullets, facts, heading, keyed, page, paragraph, remarked, table
from .judging import agreement_section, corrected_section, drift_section
from .run_report import CodeCount, RunReport
from .speaking import Words
from .wording import TEXTS

STATUSES = ("auto", "suggest", "review", "none", "failed")


def render_html(report: RunReport, language: str = "en") -> str:
    """The page in English or Russian. Raises `SettingsError` for another language."""
    words = Words(language, report.codebook)
    sections = [
        rows_section(report, words),
        codes_section(report, words),
        corrected_section(report, words),
        drift_section(report, words),
        *group_sections(report, words),
        *together_sections(report, words),
        *agreement_section(report, words),
        Section("check", words("check"), (paragraph(words("check_how")),)),
    ]
    if report.notes:
        sections.append(Section("notes", words("notes"), (bullets(report.notes),)))
    lead = [paragraph(words("lead")), paragraph(words("small"), "note"), *_alarms(report, words)]
    return page(words("title"), lead, sections, language=language, contents=words("contents"))


def write_report(report: RunReport, path: Path, *, language: str = "en") -> Path | None:
    """Write the report where the ending of the name says how: ``.html`` or ``.json``. A file that stood there is kept
    beside it; returns where it is now. Raises `OutputError`."""
    ending = path.suffix.lower()
    if ending in (".html", ".htm"):
        content = render_html(report, language)
    elif ending == ".json":
        content = json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n"
    else:
        raise OutputError(f"{path} was not written: the ending of a report is .html or .json")
    with replacing(path, keep_earlier=True) as place:
        place.file.write(content.encode())
    return place.kept


def _alarms(report: RunReport, words: Words) -> Iterator[str]:
    """What a reader has to know before any number."""
    if report.drift and report.drift.level in ("different", "very_different"):
        yield paragraph(words("drift_very" if report.drift.level == "very_different" else "drift_different"), "warning")


def rows_section(report: RunReport, words: Words) -> Section:
    """What became of the rows, and with what it was done."""
    rows = report.rows
    total = rows.total or 1
    counts = [(status, rows.statuses[status]) for status in STATUSES]
    said = words.listed(f"{words(status)}: {words.number(count)}" for status, count in counts)
    lines: list[list[Cell]] = [
        [
            keyed(words(status), status),
            words.number(count),
            words.percent(count / total, 1),
        ]
        for status, count in counts
    ]
    lines.append([words("total"), words.number(rows.total), ""])
    parts = [
        charts.stacked([(status, float(count)) for status, count in counts], words("rows_said", parts=said)),
        table([words("status"), words("count"), words("share")], lines, caption=words("rows_caption")),
        paragraph(words("precision", precision=words.percent(report.facts.precision))),
        *_more_rows(report, words),
        facts(_run(report, words)),
    ]
    return Section("rows", words("rows"), tuple(parts))


def _more_rows(report: RunReport, words: Words) -> Iterator[str]:
    rows = report.rows
    if rows.errors:
        lines = [[_reason(kind, words), words.number(count)] for kind, count in rows.errors.items()]
        yield table([words("error"), words("count")], lines, caption=words("errors"))
    if rows.duplicates:
        found = {kind: words.number(rows.duplicates.get(kind, 0)) for kind in ("exact", "near")}
        yield paragraph(words("duplicates", **found))
    if rows.by_person:
        said = [f"{words.axis(axis)} {words.number(count)}" for axis, count in rows.by_person.items()]
        yield paragraph(words("by_person", parts=words.listed(said)))


def _reason(kind: str, words: Words) -> Cell:
    """A kind of error as it stands in the rows, with what it means."""
    key = f"error_{kind}"
    return remarked(words(key), kind) if key in TEXTS else kind


def _run(report: RunReport, words: Words) -> Iterator[tuple[str, str]]:
    run = report.facts
    yield words("bundle"), f"{run.bundle} ({run.bundle_digest[:16]}…)"
    yield words("codebook"), f"{run.codebook} ({run.codebook_digest[:16]}…)"
    yield words("input"), run.input_sha256
    if run.started:
        yield words("started"), _moment(run.started)
    yield words("resumed" if run.resumed else "took"), words.duration(run.seconds)
    if run.seconds and not run.resumed:
        yield words("speed"), words("per_second", rate=words.decimal(report.rows.total / run.seconds, 1))
    workers = run.workers and words("workers", engine=run.engine, workers=words.number(run.workers))
    yield words("engine"), workers or run.engine
    yield words("version"), run.casecoder


def _moment(started: str) -> str:
    """A moment in ISO 8601, as people read it."""
    moment = datetime.fromisoformat(started)
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".strip()


def codes_section(report: RunReport, words: Words) -> Section:
    """How often each code is suggested, axis by axis."""
    parts = [paragraph(words("codes_note"), "note")]
    for axis in report.codebook.axes:
        counts = [item for item in report.codes if item.axis == axis.id and (item.suggested or item.review)]
        counts.sort(key=lambda item: (-_size(item.suggested), -_size(item.review), item.code))
        parts.append(heading(words.axis(axis.id)))
        lines = list(_code_lines(counts, words))
        if axis.id in report.nothing:
            lines.append([words.nothing(axis.id), words.count(report.nothing[axis.id]), "", "", ""])
        head = [words(key) for key in ("code", "all_suggested", "automatic", "to_confirm", "to_review")]
        caption = words("codes_caption", axis=words.axis(axis.id))
        parts.append(table(head, lines, caption=caption) if lines else paragraph(words("no_codes")))
    return Section("codes", words("codes"), tuple(parts))


def _code_lines(counts: list[CodeCount], words: Words) -> Iterator[list[Cell]]:
    most = float(max((known(item.suggested) for item in counts), default=0))
    for item in counts:
        bar = _code_bar(item, most)
        yield [
            beside(words.code(item.code), bar),
            *(words.count(cell) for cell in (item.suggested, item.auto, item.suggest, item.review)),
        ]


def _code_bar(item: CodeCount, most: float) -> str:
    """Both parts of a count, or all of it in one color where a part is hidden."""
    if isinstance(item.auto, int) and isinstance(item.suggest, int):
        return charts.bar([("auto", float(item.auto)), ("suggest", float(item.suggest))], most)
    return charts.bar([("none", float(known(item.suggested)))], most)


def _size(cell: Shown) -> int:
    """A count to sort by: a small one lies between nothing and five."""
    return 1 if cell == FEW else known(cell)


def group_sections(report: RunReport, words: Words) -> Iterator[Section]:
    """Codes by month, country and language, where rows say them."""
    for item in report.groupings:
        names = [words.group(item.kind, group) for group in item.groups]
        most = float(max(map(known, item.rows), default=0))
        lines: list[list[Cell]] = [
            [beside(name, charts.bar([("suggest", float(known(count)))], most)), words.count(count)]
            for name, count in zip(names, item.rows, strict=True)
        ]
        said = {"stated": item.stated, "total": report.rows.total, "unclear": item.not_understood}
        note = words("stated", **{key: words.number(value) for key, value in said.items()})
        when = f" {words(f'periods_{item.periods}')}" if item.periods else ""
        body: list[list[Cell] | Part] = []
        for axis in report.codebook.axes:
            rows = [(code, item.codes[code]) for code in axis.codes if code in item.codes]
            strongest = max((known(cell) for _, cells in rows for cell in cells), default=0) or 1
            body += [Part(words.axis(axis.id))] if rows else []
            body += [[words.code(code), *(_heat(cell, strongest, words) for cell in cells)] for code, cells in rows]
        head, by = [words("code"), *names], words(f"by_{item.kind}")
        yield Section(
            f"by-{item.kind}",
            by,
            (
                paragraph(note + when, "note"),
                table([words("group"), words("count")], lines, caption=words("groups_rows", by=by)),
                table(head, body, caption=words("groups_caption", by=by), kind="grid") if body else "",
            ),
        )


def together_sections(report: RunReport, words: Words) -> Iterator[Section]:
    """Which codes of the first two axes come together."""
    pairs = report.pairs
    if pairs is None:
        return
    strongest = max((known(cell) for cells in pairs.cells for cell in cells), default=0) or 1
    lines: list[list[Cell]] = [
        [words.code(code), *(_heat(cell, strongest, words) for cell in cells)]
        for code, cells in zip(pairs.first, pairs.cells, strict=True)
    ]
    names = {"first": words.axis(pairs.axes[0]), "second": words.axis(pairs.axes[1])}
    head = [words("code"), *map(words.code, pairs.second)]
    yield Section(
        "together",
        words("together", **names),
        (
            paragraph(words("together_note"), "note"),
            table(head, lines, caption=words("together_caption", **names), kind="grid"),
        ),
    )


def _heat(cell: Shown, strongest: int, words: Words) -> Heat:
    """A count on its shade; nothing at all is a dot, so that the eye finds what is there."""
    return Heat("·" if cell == 0 else words.count(cell), known(cell) / strongest)
