"""The collector and what it makes: the report as JSON and as a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from nlp.bulk.report.collector import Collector
from nlp.bulk.report.counts import FEW, WITHHELD
from nlp.bulk.report.profile import Profile
from nlp.bulk.report.render import render_html, write_report
from nlp.bulk.report.speaking import Words
from nlp.bulk.report.wording import TEXTS
from nlp.bulk.shard_run import CRASHED, SLOW
from nlp.bundle import open_bundle
from nlp.errors import NarrativeError, OutputError, SettingsError

CANARY = "Zarina Tolova"
VOID = {"meta", "br", "rect", "line", "circle"}


@pytest.fixture
def filled(small, analysis, policy, held_out):
    """A collector with 100 rows, half of them of Kyrgyzstan."""
    reference = Profile.of(small, {"night"})
    for _ in range(60):
        reference.add_analysis(analysis(suggest=["blow"]))
    collector = Collector(small, policy=policy, held_out=held_out, reference=reference, known={"night"})
    for number in range(1, 101):
        if number <= 40:
            made, status = analysis(auto=["blow"], suggest=["police"], text=CANARY), "auto"
        elif number <= 60:
            made, status = analysis(suggest=["blow", "threat"]), "suggest"
        elif number <= 63:
            made, status = analysis(suggest=["family"], review=["threat"]), "suggest"
        elif number <= 90:
            made, status = analysis(nothing=0.9), "none"
        else:
            made, status = None, "failed"
        error = None if made else f"narrative.empty: {CANARY}"
        country = "KG" if number % 2 else None if number % 4 else CANARY
        collector.add(
            number,
            status,
            made,
            error,
            country=country,
            month="2024-03" if number > 20 else None,
            duplicate="near" if number in (5, 6) else None,
            person_codes={"act": True} if number < 9 else None,
        )
    return collector


@pytest.fixture
def report(filled, run_facts):
    agreement = {
        "act": {
            "rows": 70, "incomplete": 2, "failed": 1, "exact": {"rows": 50, "share": 0.71, "interval": [0.6, 0.8]},
            "mean_overlap": 0.8,
            "codes": {
                "blow": {"both": 40, "only_person": 9, "only_machine": 7, "neither": 14, "kappa": 0.5, "interval": None}
            },
        }
    }  # fmt: skip
    return filled.finish(run_facts, agreement=agreement, unmapped=3, unmapped_rows=9, notes=["a note"])


def test_rows_are_counted_by_what_becomes_of_them(report):
    rows = report.to_json()["rows"]
    assert rows["total"] == 100
    assert rows["coded"] == 90
    assert rows["statuses"] == {"auto": 40, "suggest": 23, "review": 0, "none": 27, "failed": 10}
    assert rows["errors"] == {"narrative.empty": 10}
    assert rows["duplicates"] == {"near": 2}
    assert rows["by_person"] == {"act": 8}


def test_codes_are_counted_by_decision_and_small_numbers_hidden(report):
    codes = {item.code: item for item in report.codes}
    assert (codes["blow"].suggested, codes["blow"].auto, codes["blow"].suggest) == (60, 40, 20)
    assert codes["family"].suggested == FEW
    assert codes["threat"].review == FEW
    assert report.nothing == {"act": 27}


def test_groups_say_what_was_not_understood(report):
    country = report.grouping("country")
    assert country.groups == ("KG", "not_stated")
    assert country.not_understood == 25
    assert report.grouping("month").groups == ("2024-03", "not_stated")
    assert report.grouping("language").rows == (90, 10)


def test_no_text_name_or_strange_value_gets_into_the_report(report):
    everything = json.dumps(report.to_json()) + render_html(report) + render_html(report, "ru") + repr(report)
    assert CANARY not in everything
    assert "Zarina" not in everything


def test_without_held_out_figures_the_report_says_that_nothing_can_be_corrected(small, analysis, run_facts):
    collector = Collector(small)
    collector.add(1, "suggest", analysis(suggest=["blow"]))
    report = collector.finish(run_facts)
    assert report.to_json()["corrected"] is None
    assert report.to_json()["drift"] is None
    page = render_html(report)
    assert "raw counts cannot be corrected" in page
    assert "so they cannot be compared" in page


def test_an_unknown_status_is_refused(small):
    with pytest.raises(ValueError, match="row 3"):
        Collector(small).add(3, "done", None)
    with pytest.raises(ValueError, match="row 3"):
        Collector(small).add(3, "failed", None, duplicate="twice")


def test_an_error_in_other_words_is_counted_and_not_told(small, run_facts):
    collector = Collector(small)
    collector.add(1, "failed", None, f"{CANARY} has no text")
    assert collector.finish(run_facts).rows.errors == {"row.failed": 1}


def test_an_earlier_file_of_that_name_is_kept(report, tmp_path):
    (tmp_path / "report.json").write_text("[1]", encoding="utf-8")
    kept = write_report(report, tmp_path / "report.json")
    assert kept.read_text(encoding="utf-8") == "[1]"
    assert write_report(report, tmp_path / "report.html") is None


def test_the_collector_of_a_bundle_without_figures_works(tiny_bundle, run_facts):
    collector = Collector.of(open_bundle(tiny_bundle))
    report = collector.finish(run_facts)
    assert report.corrected is None
    assert "0 " not in report.to_json()["codes"]
    assert render_html(report)


def test_the_json_is_strict_and_says_what_its_words_mean(report, tmp_path):
    write_report(report, tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(told["small_counts"]) == {FEW, WITHHELD}
    assert told["run"]["rows_per_second"] == 1.11
    assert told == json.loads(json.dumps(told, allow_nan=False))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_stands_by_itself(report, language):
    page = render_html(report, language)
    assert not re.search(r"<(script|link|img|iframe|object|form)\b|\bon\w+=|@import|url\(", page)
    assert re.findall(r'(?:href|src)="([^#][^"]*)"', page) == []
    assert "default-src 'none'" in page
    assert f'<html lang="{language}">' in page


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_is_sound_and_readable_without_eyes(report, language):
    page = Page(render_html(report, language))
    assert page.open == []
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1
    assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in page.pictures)
    assert page.tables == page.captions > 5
    assert page.scopes <= {"col", "row", "rowgroup"}
    assert set(page.links) <= page.ids
    assert len(page.links) > 8


def test_labels_of_a_codebook_are_escaped(report):
    page = render_html(report)
    assert "Blow &lt;b&gt;" in page
    assert "Blow <b>" not in page


def test_the_page_speaks_russian(report):
    page = render_html(report, "ru")
    for words in ("Что стало со строками", "Удар", "Кыргызстан", "не указано", "Проверьте вручную"):
        assert words in page
    assert "What happened" not in page


def test_another_language_is_refused(report):
    with pytest.raises(SettingsError, match="en, ru"):
        render_html(report, "de")


def test_a_report_of_another_kind_is_refused_and_nothing_written(report, tmp_path):
    with pytest.raises(OutputError, match=r"\.html or \.json"):
        write_report(report, tmp_path / "report.docx")
    assert not list(tmp_path.iterdir())


def test_reasons_and_commands_are_written_for_people(report):
    page = render_html(report)
    assert 'no text<span class="note remark">narrative.empty</span>' in page
    assert "<code>casecoder check-result SHEET</code>" in page
    assert "нет текста" in render_html(report, "ru")


def test_every_kind_of_error_of_a_row_has_words():
    kinds = {kind.code for kind in NarrativeError.__subclasses__()}
    kinds |= {"row.failed", "row.unreadable", CRASHED, SLOW}
    assert sorted(kind for kind in kinds if f"error_{kind}" not in TEXTS) == []


def test_no_word_mixes_alphabets():
    for text in (text.replace("\u00ad", "") for texts in TEXTS.values() for text in texts):
        words = re.findall(r"[^\W\d_]+", text)
        assert [word for word in words if re.search("[a-z]", word, re.I) and re.search("[а-яё]", word, re.I)] == []


def test_sentences_in_both_languages_have_the_same_places():
    for key, (english, russian) in TEXTS.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", russian)), key


def test_numbers_are_written_as_in_the_language(small):
    english, russian = Words("en", small), Words("ru", small)
    assert (english.number(1234567), russian.number(1234567)) == ("1,234,567", "1\u202f234\u202f567")
    assert (english.decimal(0.5), russian.decimal(-0.5)) == ("0.50", "−0,50")
    assert (english.percent(0.42), russian.percent(0.423, 1)) == ("42%", "42,3\u202f%")
    assert (english.percent(0.0001), english.percent(0.9999)) == ("<1%", ">99%")
    assert (english.percent(0.0), english.percent(1.0)) == ("0%", "100%")
    assert (english.duration(61.5), english.duration(600), english.duration(9000)) == ("61.5 s", "10 min", "2 h 30 min")


class Page(HTMLParser):
    """What a reader without eyes, or a strict browser, would see of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.scopes: set[str] = set()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.tables = self.captions = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        if tag == "svg":
            self.pictures.append(found)
        if tag == "th":
            self.scopes.add(found.get("scope"))
        if tag == "a":
            self.links.append(found["href"].removeprefix("#"))
        if "id" in found:
            assert found["id"] not in self.ids
            self.ids.add(found["id"])
        self.tables += tag == "table"
        self.captions += tag == "caption"

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag
