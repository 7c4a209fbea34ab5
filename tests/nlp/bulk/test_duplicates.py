from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.duplicates import (
    FILE,
    KEY_SIZE,
    Duplicate,
    DuplicateFinder,
    alike,
    copied,
    duplicate_key,
    reads_otherwise,
    unsettled,
)
from nlp.bulk.minhash import MIN_WORDS, fold_text, likeness, signature, words_of
from nlp.errors import OutputError
from nlp.types import Analysis, Evidence, Redaction, Span, Suggestion

ANY_TIME = settings(deadline=None)

KEY = b"k" * KEY_SIZE
STORY = (
    "12 марта 2021 года клиентка пришла в поликлинику за справкой, и врач отказала ей в приёме, узнав о её диагнозе. "
    "При других пациентах она громко назвала её статус и велела больше не приходить. Клиентка плакала, ушла домой и "
    "позвонила на горячую линию, телефон 0700 123 456. Уличный юрист написал жалобу главному врачу, и через неделю "
    "справку выдали, но извинений никто не принёс, а соседи уже обо всём знали и перестали здороваться с её детьми."
)
OTHERS = (
    "The landlord threw a family out of their flat after he heard that the father takes methadone, and kept the "
    "deposit for two months; the police told them to go to court, and a lawyer wrote a letter which nobody answered.",
    "Мактаб директори болани синфга киритмади, онаси касал деб эшитган экан; маҳалла қўмитаси ҳам ёрдам бермади ва "
    "болалар уйда ўтирибди, улар билан ҳеч ким гаплашмайди, қўшнилар эшикни ёпиб олишади ва салом беришмайди.",
    "პოლიციელმა ქუჩაში გააჩერა, ჩხრეკა დაიწყო ახსნის გარეშე, ფული წაართვა და დაემუქრა, რომ ნარკოტიკს ჩაუდებდა ჯიბეში, "
    "თუ ვინმეს ეტყოდა; განყოფილებაში განცხადება არ მიიღეს და უთხრეს, რომ თვითონ არის დამნაშავე ყველაფერში.",
)


@pytest.fixture
def finder(tmp_path: Path):
    with DuplicateFinder(tmp_path, key=KEY) as found:
        yield found


def _found(finder: DuplicateFinder, texts: list[str]) -> list[Duplicate | None]:
    return [finder.add(row, text) for row, text in enumerate(texts, start=1)]


def test_the_same_text_is_an_exact_duplicate_of_its_first_row(finder):
    assert _found(finder, [STORY, OTHERS[0], STORY, STORY]) == [
        None,
        None,
        Duplicate(1, "exact", identical=True),
        Duplicate(1, "exact", identical=True),
    ]


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: f"  {text.replace(' ', chr(160))}\r\n", lambda text: f"{text} "]
)
def test_case_and_spaces_do_not_matter_but_are_told(finder, change):
    assert _found(finder, [STORY, change(STORY)]) == [None, Duplicate(1, "exact", identical=False)]


def test_short_texts_are_duplicates_when_they_are_the_same(finder):
    texts = ["Побили дома.", "побили  дома.", "Побили на работе."]
    assert _found(finder, texts) == [None, Duplicate(1, "exact"), None]


@pytest.mark.parametrize("empty", ["", "  ", "-", "...", "\ufeff"])
def test_a_text_without_a_word_repeats_nothing(finder, empty):
    assert _found(finder, [empty, empty]) == [None, None]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("12 марта 2021 года", "28 апреля 2022 года"),
        ("12 марта 2021 года", "03.05.2022"),
        ("0700 123 456", "0555-98-76-54"),
        ("клиентка пришла", "клиентка Н. пришла"),
        ("неделю", "месяц"),
    ],
)
def test_a_copied_story_with_another_date_or_word_is_near(finder, old, new):
    assert _found(finder, [STORY, STORY.replace(old, new)]) == [None, Duplicate(1, "near")]


def test_stories_of_the_same_kind_are_not_near(finder):
    other = (
        "В апреле клиентка пришла в поликлинику на приём, и медсестра не пустила её к врачу, потому что увидела в "
        "карте диагноз. Она ушла ни с чем. Уличный юрист поговорил с главным врачом, и клиентку приняли в другой день "
        "без очереди, а медсестре объявили выговор, о чём клиентке написали письмом и попросили не жаловаться дальше."
    )
    assert _found(finder, [STORY, other, *OTHERS]) == [None] * 5


@pytest.mark.parametrize("text", OTHERS)
def test_near_copies_are_found_in_every_script(finder, text):
    words = [*text.split(), *reversed(text.split())]
    changed = [*words[:9], "2020", *words[10:]]
    assert _found(finder, [STORY, " ".join(words), " ".join(changed)])[2] == Duplicate(2, "near")


def test_texts_of_few_words_are_never_near(finder):
    words = "police took her phone and money away near market today again".split()
    assert len(words) < MIN_WORDS
    assert _found(finder, [" ".join(words), " ".join([*words, "again"][1:])]) == [None, None]


def test_a_cluster_has_one_first_row_and_does_not_drift(finder):
    words = STORY.split()
    steps = [
        " ".join(f"слово{chr(1072 + at)}" if at < 5 * step else word for at, word in enumerate(words))
        for step in range(8)
    ]
    found = _found(finder, steps)
    firsts = {row for row, item in enumerate(found, start=1) if item is None}
    assert len(firsts) > 1
    assert all(item is None or item.of in firsts for item in found)


def test_the_copy_of_a_near_duplicate_is_near_to_the_first_row(finder):
    near = STORY.replace("неделю", "месяц")
    assert _found(finder, [STORY, near, near])[2] == Duplicate(1, "near")


def test_what_is_found_does_not_hang_on_the_key(tmp_path):
    texts = [*OTHERS, STORY, STORY.replace("марта", "мая"), STORY.upper(), OTHERS[0].replace("months", "weeks")] * 2
    results = []
    for key in (KEY, duplicate_key(), duplicate_key(b"r" * 32)):
        with DuplicateFinder(tmp_path, key=key) as finder:
            results.append(_found(finder, texts))
    assert results[0] == results[1] == results[2]


def test_a_key_is_random_or_follows_from_the_key_of_the_run():
    assert duplicate_key(b"r" * 32) == duplicate_key(b"r" * 32) != b"r" * 32
    assert duplicate_key() != duplicate_key()
    assert len(duplicate_key()) == KEY_SIZE


def test_the_file_holds_hashes_under_the_key_and_nothing_else(tmp_path):
    stored = []
    for key in (KEY, b"x" * KEY_SIZE):
        with DuplicateFinder(tmp_path, key=key) as finder:
            _found(finder, [STORY, *OTHERS])
            finder._base.execute("COMMIT")
            content = (tmp_path / FILE).read_bytes()
            assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
            queries = ("SELECT hash FROM texts", "SELECT signature FROM firsts", "SELECT hash FROM bands")
            stored.append({value for query in queries for (value,) in finder._base.execute(query)})
        assert not any(word.encode() in content for text in (STORY, *OTHERS) for word in text.split() if len(word) > 3)
    assert len(stored[0]) == len(stored[1]) > len(OTHERS)
    assert not stored[0] & stored[1]


def test_the_file_goes_with_the_finder_and_one_left_over_is_replaced(tmp_path):
    (tmp_path / FILE).write_bytes(b"of a run that was stopped")
    with DuplicateFinder(tmp_path, key=KEY) as finder:
        assert _found(finder, [STORY, STORY])[1] is not None
    assert not (tmp_path / FILE).exists()


def _word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_a_disk_that_is_full_is_told_in_a_sentence(finder):
    finder._base.execute("PRAGMA max_page_count = 6")
    with pytest.raises(OutputError, match="is the disk of the work folder full") as caught:
        for row in range(1, 1_000):
            finder.add(row, " ".join(_word(100 * row + at) for at in range(MIN_WORDS)))
    assert not isinstance(caught.value, sqlite3.Error)


def test_a_row_is_added_once(finder):
    finder.add(1, STORY)
    with pytest.raises(ValueError, match="each row is added once"):
        finder.add(1, OTHERS[0])


def test_a_folder_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="list of duplicates"):
        DuplicateFinder(tmp_path / "gone", key=KEY)


@pytest.mark.parametrize(
    "text", ["слово " * 30_000, "x" * 300_000, "a" + "\u0316\u0301" * 100_000, "\ud800 " * 50, "@" * 100_000]
)
def test_odd_texts_are_looked_at_like_others(finder, text):
    assert _found(finder, [text, text])[1] in (None, Duplicate(1, "exact", identical=True))


@ANY_TIME
@given(
    st.lists(st.sampled_from([STORY, *OTHERS, STORY.replace("марта", "мая"), "x", "", OTHERS[1].upper()]), max_size=12)
)
def test_every_duplicate_is_of_an_earlier_row_that_is_none(tmp_path_factory, texts):
    with DuplicateFinder(tmp_path_factory.mktemp("work"), key=KEY) as finder:
        found = _found(finder, texts)
    for row, item in enumerate(found, start=1):
        if item is not None:
            assert item.of < row
            assert found[item.of - 1] is None


@ANY_TIME
@given(st.integers(0, 60), st.integers(0, 60), st.integers(20, 60))
def test_signatures_estimate_how_much_two_texts_share(first: int, second: int, shared: int) -> None:
    def words(start: int, count: int) -> list[str]:
        return [_word(start + at) for at in range(count)]

    common = words(1000, shared)
    one, two = [*common, *words(3000, first)], [*common, *words(5000, second)]
    sets = [{tuple(text[at : at + 3]) for at in range(len(text) - 2)} for text in (one, two)]
    true = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
    estimate = likeness(*(_signature(" ".join(text)) for text in (one, two)))
    assert abs(estimate - true) < 5 * 0.0625  # five standard errors at worst


def _signature(text: str) -> np.ndarray:
    found = signature(fold_text(text))
    assert found is not None
    return found


def test_numbers_and_addresses_are_one_word():
    assert words_of(fold_text("On 12.03.2021 at 10:30, call A-17 or x@y.org, https://t.me/z now")) == [
        *("on", "0", "at", "0", "call", "a", "0", "or", "0", "now")
    ]


def _analysis(
    decisions: dict[str, str], *, evidence: dict[str, str], text: str, case_id: str, nothing: float
) -> Analysis:
    order = {"auto": 0.97, "suggest": 0.7, "review": 0.3, "none": 0.01}
    items = [
        Suggestion(
            "violation",
            code,
            order[decision],
            decision,
            tuple(Evidence(Span(0, 4), words, 0.2) for words in [evidence.get(code)] if words),
        )
        for code, decision in decisions.items()
    ]
    items.sort(key=lambda item: (-item.probability, item.code))
    primary = {"violation": items[0].code if items[0].suggested else None}
    return Analysis(case_id, "ru", Redaction(text, ()), tuple(items), primary, {"violation": nothing}, "b-1", "react 1")


FIRST = _analysis(
    {"a": "auto", "b": "review", "c": "none"},
    evidence={"a": "of first", "b": "of first"},
    text="first",
    case_id="1",
    nothing=0.1,
)
OWN = _analysis(
    {"a": "suggest", "b": "none", "c": "suggest"},
    evidence={"a": "of own", "c": "of own"},
    text="own",
    case_id="2",
    nothing=0.4,
)


def test_a_duplicate_gets_the_codes_of_the_first_row_and_keeps_its_own_text():
    made = alike(FIRST, OWN)
    assert [(item.code, item.probability, item.decision) for item in made.suggestions] == [
        (item.code, item.probability, item.decision) for item in FIRST.suggestions
    ]
    assert (made.primary, made.nothing) == (FIRST.primary, FIRST.nothing)
    assert (made.case_id, made.language, made.redaction) == ("2", "ru", OWN.redaction)
    shown = {item.code: [evidence.redacted for evidence in item.evidence] for item in made.suggestions}
    assert shown == {"a": ["of own"], "b": [], "c": []}


def test_being_coded_alike_twice_changes_nothing():
    assert alike(FIRST, alike(FIRST, OWN)) == alike(FIRST, OWN)
    assert alike(OWN, OWN) == OWN


def test_an_identical_row_is_the_first_one_under_its_own_id():
    assert copied(FIRST, case_id="9") == replace(FIRST, case_id="9")


def test_codes_of_two_bundles_are_never_mixed():
    with pytest.raises(ValueError, match="different bundles"):
        alike(FIRST, replace(OWN, bundle="b-2"))


def test_a_near_duplicate_that_reads_otherwise_is_told():
    assert reads_otherwise(FIRST, OWN)
    assert not reads_otherwise(OWN, OWN)


def test_nothing_is_set_by_the_machine_in_a_near_duplicate_that_reads_otherwise():
    made = unsettled(FIRST, OWN)
    assert [(item.code, item.decision) for item in made.suggestions] == [
        (item.code, "suggest" if item.decision == "auto" else item.decision) for item in FIRST.suggestions
    ]
    sure = unsettled(replace(FIRST, nothing={"violation": 0.99}), replace(OWN, nothing={"violation": 0.2}))
    assert sure.nothing == {"violation": 0.2}
