from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from nlp.bundle import open_bundle
from nlp.types import Entity, Span
from training.corpus import Case
from training.evaluation import analyze, compare_paired, evaluate, from_analyses
from training.evaluation.report import render

CANARY = "qazanarbekovaxx"
RIVAL = r"<rival> & co $1$ \1"
CURVE = [
    {"share": share, "cases": cases, "mean_average_precision": {"all": {"violation": value, "population": None}}}
    for share, cases, value in ((0.5, 100, 0.4), (1.0, 200, 0.6))
]
VOID = {"meta", "br", "path", "use"}


def case(number, violations, *, language="en", tags=()):
    text = f"The doctor refused to see {CANARY}. She went home. {CANARY} told nobody about it for a long time."
    return Case(
        f"{CANARY}-{number}", language, text,
        {"violation": frozenset(violations), "perpetrator": frozenset({"health"}), "population": None},
        primary={"violation": min(violations, default=None), "population": None},
        evidence={"violation": dict.fromkeys(violations, (f"refused to see {CANARY}",))},
        entities=(Entity(Span(26, 26 + len(CANARY)), "PERSON", 1, "gold"),),
        country=CANARY, writer=CANARY, theme=CANARY, tags=(CANARY, *tags),
    )  # fmt: skip


@pytest.fixture(scope="module")
def pipeline(tiny_bundle):
    return open_bundle(tiny_bundle).pipeline()


@pytest.fixture(scope="module")
def cases():
    return [
        case(1, {"health.denial"}),
        case(2, {"health.coercion"}, tags=("slur",)),
        case(3, set(), language="ru", tags=("negation", "past")),
        case(4, {"violence.psychological", "social.work"}),
    ]


@pytest.fixture(scope="module")
def figures(pipeline, cases):
    return evaluate(pipeline, cases, seed=0, unheard_writers={"somebody"})


@pytest.fixture(scope="module")
def compared(pipeline, cases, figures):
    """The figures with a comparison to a baseline of a name that must be escaped."""
    made = from_analyses(RIVAL, pipeline.codebook, cases, analyze(pipeline, cases))
    return {**figures, "compared": [compare_paired(made, made, seed=0)]}


@pytest.fixture(scope="module")
def page(compared, figures):
    """The page with all its sections."""
    return render(compared, baselines=[{**figures, "bundle": RIVAL}], curve=CURVE)


class Page(HTMLParser):
    """Collects the attributes of every element, and sees that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_page_needs_nothing_from_elsewhere(page):
    assert not re.search(r"https?:|//|<script|<link|<img|<iframe|@import|url\((?!#)", page)
    parsed = Page()
    parsed.feed(page)
    links = [attributes[key] for _, attributes in parsed.found for key in ("href", "xlink:href") if key in attributes]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not parsed.open


def test_links_lead_to_one_place_each(page):
    parsed = Page()
    parsed.feed(page)
    names = [attributes["id"] for _, attributes in parsed.found if "id" in attributes]
    assert len(names) == len(set(names))
    wanted = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    assert set(wanted) <= set(names)


def test_every_plot_is_told_in_words(page):
    parsed = Page()
    parsed.feed(page)
    drawn = [attributes for tag, attributes in parsed.found if tag == "svg"]
    assert len(drawn) == 3 + 1 + 3 + 5 + 1 + 1  # reliability, coverage, codes, parts, differences, curve
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawn)
    assert all(attributes["viewbox"] and "width" not in attributes for attributes in drawn)


def test_every_section_says_how_to_read_it(page):
    sections = page.split("<section ")[1:]
    assert len(sections) == 11
    assert all("How to read it:" in section for section in sections)


def test_page_and_figures_hold_nothing_of_a_narrative(page, figures):
    assert CANARY not in page
    assert CANARY not in json.dumps(figures)
    assert "text" not in json.dumps(figures)  # as of the figures in a manifest


def test_names_are_escaped(page):
    assert "<rival>" not in page
    assert r"&lt;rival&gt; &amp; co $1$ \1" in page


def test_same_figures_give_the_same_page(compared, page, figures):
    stored, rival = json.loads(json.dumps([compared, {**figures, "bundle": RIVAL}]))
    assert render(stored, baselines=[rival], curve=CURVE) == page


def test_undefined_figures_are_dashes(constant_pipeline):
    uncoded = Case(
        "c1", "en", "The doctor refused to see her.", dict.fromkeys(("violation", "perpetrator", "population"))
    )
    figures = evaluate(constant_pipeline, [uncoded], seed=0, sample=0)
    assert figures["axes"]["violation"]["top3_recall"] is None
    assert figures["evidence"]["deletion"] is None
    page = render(figures)
    assert "nan" not in page.lower().replace("nans", "")
    assert "<td>–</td>" in page
