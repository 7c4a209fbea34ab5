"""Other places, streets and institutions: the proper name is swapped, inflected as the old one; the words around it
stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from random import Random

from nlp.pseudonyms.declension import Reading, analyses, form, forms, titled
from nlp.pseudonyms.lexicon import latin_key, plain
from nlp.pseudonyms.pools import COUNTRIES, cultures_of, listed, place_names
from nlp.pseudonyms.prepositions import cases_after
from nlp.pseudonyms.russian import readings
from nlp.pseudonyms.spelling import respell, spelling_of
from nlp.pseudonyms.wording import like

from .numbers import reshape

_WORD = re.compile(r"[^\W\d_]+(?:['’ʻʼ‘-][^\W\d_]+)*")
_LOWER_RUN = 3  # letters that a word in small letters must have to be taken for a place
_GENERIC = frozenset(
    "bazaar market village town city district river street lake station шаары шаҳри ноҳияи шаҳраки деҳаи бозори "
    "айылы айылында "
    "районунда районында rayonunda rayonu ауылы ауылында қаласы ауданы село селе села посёлок посёлке поселок "
    "город городе "
    "городе город район районе рынок рынке базар базаре махалле мкр микрорайон микрорайоне мікрорайон селі місто місті "
    "lagjja fshati qyteti selo selu grad naselje satul orașul сектор sectorul sectorul qishlogʻi tumani shahri "
    "mahallasi ул юм "
    "микрорайоны көшесі көчөсү мавзеи".split()
)
_SLAVIC = frozenset("ru uk sr bs sr-cyrl".split())


class Places:
    """The new places of one text: one place keeps one new name."""

    def __init__(self, language: str, country: str, rng: Random) -> None:
        self._language = language
        self._country = country
        self._rng = rng
        self._new: dict[str, tuple[str, int]] = {}

    def location(self, text: str, start: int, end: int) -> str:
        """What stands for a marked place."""
        old = text[start:end]
        proper = _proper_run(old)
        if proper is None:
            return reshape(old, self._rng)
        spelling = spelling_of(self._language, proper[0])
        before = text[max(0, start - 30) : start] + old[: proper.start()]
        new = self._inflected(proper[0], spelling, before)
        return old[: proper.start()] + like(proper[0], new, self._language) + old[proper.end() :]

    def _inflected(self, words: str, spelling: str, before: str) -> str:
        title = _titles(words, spelling)
        lemma, country, cases = self._read(title, spelling, before)
        key = latin_key(lemma, spelling)
        at = self._index(key, lemma, country, spelling, cases)
        names = place_names(self._new[key][0], spelling)
        name = names[at % len(names)]  # the other spelling of a list may be shorter by a place or two
        for case in sorted(cases, key=_ORDER.index) if cases <= _KNOWN_CASES else sorted(cases):
            made = form(spelling, name, case, kind="place")
            if made is not None:
                return made
        return name

    def _index(self, key: str, lemma: str, country: str, spelling: str, cases: frozenset[str]) -> int:
        if key not in self._new:
            names = place_names(country, spelling)
            order = self._rng.sample(range(len(names)), len(names))
            fitting = [at for at in order if plain(names[at]) != plain(lemma)]
            self._new[key] = (country, max(fitting[:40], key=lambda at: _fit(names[at], spelling, cases)))
        return self._new[key][1]

    def _read(self, title: str, spelling: str, before: str) -> tuple[str, str, frozenset[str]]:
        """Lemma, country and possible cases of a place."""
        allowed = cases_after(before, spelling)
        for country in (self._country, *COUNTRIES):
            found = _known_forms(country, spelling).get(plain(title))
            if found:
                cases = frozenset(case for _, case in found)
                return found[0][0], country, cases & allowed or cases
        if spelling == "ru":
            read = [(lemma, case) for lemma, case, tags in readings(title) if "Geox" in tags] or [
                (lemma, case) for lemma, case, _ in readings(title)
            ]
            fitting = [item for item in read if item[1] in allowed] or read
            if fitting:
                lemma = fitting[0][0]
                return titled(lemma, spelling), self._country, frozenset(c for n, c in fitting if n == lemma)
            return title, self._country, frozenset({"nom"})
        readings_ = analyses(spelling, title, "place")
        best = [r for r in readings_ if r.case in allowed and r.case != "nom"] or [
            r
            for r in readings_
            if r.case not in ("nom", "ins") and spelling not in _SLAVIC and _is_long(r, title, spelling)
        ]
        best = best or list(readings_)
        lemma = best[0].lemma if best else title
        return lemma, self._country, frozenset(r.case for r in best if r.lemma == lemma) or frozenset({"nom"})

    def address(self, old: str) -> str:
        """Other numbers, and the name of the street; a place that is only described keeps its words."""
        new = re.sub(r"\d+", lambda match: self._number(match[0]), old)
        run = _street_name(new)
        if run is None:
            return new
        name = self._street(run[0], spelling_of(self._language, run[0]))
        return new[: run.start()] + like(run[0], name, self._language) + new[run.end() :]

    def _street(self, old: str, spelling: str) -> str:
        names = listed("streets", spelling) if spelling != "en" else _english_streets(self._country)
        endings = {"ru": r"(?:ая|ой|ую|ий|ый|ого|ому)$", "uk": r"(?:а|ої|ій|у|ою)$"}.get(spelling)
        adjective = re.search(endings, old) if endings else None
        stems = [name for name in names if name.endswith("-")]
        if adjective and stems and re.search(rf"(?:н|ск|ов|ев|ськ){adjective[0]}$", old):
            return self._rng.choice(stems)[:-1] + adjective[0]
        return self._rng.choice([name for name in names if not name.endswith("-") and plain(name) != plain(old)])

    def _number(self, old: str) -> str:
        top = {1: 9, 2: 99, 3: 299}.get(len(old))
        if top is None:
            return reshape(old, self._rng)
        return str(self._rng.choice([number for number in range(1, top + 1) if str(number) != old]))

    def organisation(self, old: str) -> str:
        """Another number, or another name; the words for the kind of institution stay."""
        quoted = re.search(r"(?<=[«“„\"]).+?(?=[»”“\"])", old)
        if quoted is not None:
            name = self._organisation_name(quoted[0])
            return self._renumbered(old[: quoted.start()]) + name + self._renumbered(old[quoted.end() :])
        renumbered = self._renumbered(old)
        if renumbered != old:
            return renumbered
        return self._renamed(old)

    def _renumbered(self, text: str) -> str:
        return re.sub(r"\d+(?=(?P<after>[-‐]?[^\W\d_])?)", self._like_number, text)

    def _like_number(self, match: re.Match[str]) -> str:
        """Another number; where a suffix follows, with the same last digit, which it agrees with."""
        old = match[0]
        for _ in range(20):
            new = self._number(old) if len(old) < 4 else reshape(old, self._rng)
            if match["after"]:
                new = new[:-1] + old[-1]
            if new != old and new.lstrip("0"):
                return new
        return f"1{old}" if match["after"] else new

    def _organisation_name(self, old: str) -> str:
        spelling = spelling_of(self._language, old)
        names = [name for name in listed("organisations", spelling) if plain(name) != plain(old)]
        return like(old, self._rng.choice(names), self._language)

    def _renamed(self, old: str) -> str:
        for match in _WORD.finditer(old):
            spelling = spelling_of(self._language, match[0])
            word = _titles(match[0], spelling)
            if any(plain(word) in _known_forms(country, spelling) for country in (self._country, *COUNTRIES)):
                new = self._inflected(match[0], spelling, "")
                return old[: match.start()] + like(match[0], new, self._language) + old[match.end() :]
        adjective = re.search(
            r"(?P<stem>\w{3,})(?P<ending>(?:ск|цк|ськ|цьк)(?:ий|ая|ого|ому|им|ом|ой|ую|ое|а|ої|ій|у|е|ою))\b", old
        )
        if adjective and adjective["stem"][0].isupper():
            stem = self._rng.choice(_ADJECTIVES["uk" if "ьк" in adjective["ending"] else "ru"])
            return old[: adjective.start()] + stem + adjective["ending"].replace("цк", "ск") + old[adjective.end() :]
        runs = _runs(old, _is_kind)
        if not runs:
            return old
        run = runs[-1] if len(runs) > 1 and self._language not in ("en", "az", "uz", "kk", "ky") else runs[0]
        return old[: run.start()] + self._organisation_name(run[0]) + old[run.end() :]


@cache
def _english_streets(country: str) -> tuple[str, ...]:
    """The streets of a country as English texts spell them."""
    culture = {"bs": "sr"}.get(cultures_of(country)[0], cultures_of(country)[0])
    names = [name for name in listed("streets", culture) if not name.endswith("-")]
    return tuple(" ".join(respell(word, culture, "en") for word in name.split()) for name in names)


_ORDER = ("nom", "gen", "dat", "acc", "loc", "ins", "voc")
_KNOWN_CASES = frozenset(_ORDER)
_ADJECTIVES = {
    "ru": "Октябрь Первомай Киров Покров Калинин Сергеев Андреев Павлов Федоров Петров Иванов Никитин".split(),
    "uk": "Первомай Покров Калинів Андріїв Павлів Петрів Іванів Микитин Сергіїв".split(),
}


def _shared(first: str, second: str) -> int:
    """How many letters two words share at their start."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))


def _is_long(reading: Reading, surface: str, spelling: str) -> bool:
    """Whether what was added to the lemma is too long to be the end of a name; Armenian towns hardly end in -i."""
    added = len(surface) - _shared(surface, reading.lemma)
    return added >= (1 if spelling == "hy" else 2)


def _titles(words: str, spelling: str) -> str:
    return " ".join(titled(word, spelling) for word in words.split())


@cache
def _known_forms(country: str, spelling: str) -> dict[str, list[tuple[str, str]]]:
    """All forms of the places of a country, in small letters without marks: lemma and case."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in place_names(country, spelling):
        found.setdefault(plain(name), []).append((name, "nom"))
        for case, inflected in (forms(spelling, name, "m", "place") or {}).items():
            if case != "nom":
                found.setdefault(plain(inflected), []).append((name, case))
    return found


def _fit(name: str, spelling: str, cases: frozenset[str]) -> int:
    """2 for a place that is spelt alike in all cases in question, 1 for one that can be inflected."""
    made = {form(spelling, name, case, kind="place") for case in cases}
    return 0 if None in made else 2 if len(made) == 1 else 1


def _runs(text: str, is_stop: Callable[[str], bool] = lambda word: False) -> list[re.Match[str]]:
    """Runs of capitalized words, ended by words that ``is_stop`` names; a Georgian word is a run of its own."""
    found: list[re.Match[str]] = []
    spans: list[list[int]] = []
    for word in _WORD.finditer(text):
        is_georgian = "ა" <= word[0][0] <= "ჿ"
        if is_stop(word[0]) or not (word[0][0].isupper() or is_georgian):
            continue
        if spans and not is_georgian and text[spans[-1][1] : word.start()].isspace():
            spans[-1][1] = word.end()
        else:
            spans.append([word.start(), word.end()])
    for start, end in spans:
        match = re.compile(r".+", re.DOTALL).match(text, start, end)
        if match is not None:
            found.append(match)
    return found


def _proper_run(old: str) -> re.Match[str] | None:
    """The proper name in a marked place: its capitalized words, or all of it where it is written small."""
    runs = [run for run in _runs(old) if run[0].lower() not in _GENERIC]
    if runs:
        return max(runs, key=lambda run: len(run[0]))
    words = [word for word in _WORD.finditer(old) if word[0].lower() not in _GENERIC and len(word[0]) >= _LOWER_RUN]
    if not words:
        return None
    return re.compile(re.escape(old[words[0].start() : words[-1].end()])).search(old)


_STREET_WORDS = re.compile(
    r"(?:ул|улиц\w|пр|просп|проспект\w?|пер|переул\w+|бульвар\w?|вул|вулиц\w|мкр|дом|кв|квартира|подъезд|д|str|strada|street|st|"
    r"ave|avenue|road|prospekt|ulitsa|vul|ul|ulica|bulevar|rruga|rrugën|rrugës|pall|pallati|hyrja|ap|apt|flat|room|block|building|"
    r"entrance|көшесі|даңғылы|көчөсү|кӯчаи|кўчаси|koʻchasi|ko'chasi|küçəsi|küç|pr|mənzil|ქ|ქუჩა|ქუჩის|გამზირი|փողոց|փ|ул|"
    r"шоссе|трасса|қиылысындағы|calea|bd|bulevardul|trg|улица|prov|kv|sc|stan|улаз|бр|nr|br)\.?",
    re.IGNORECASE,
)


_STREET_BEFORE = r"(?:ул|улиц\w|вул|вулиц\w|просп|проспект\w?|str|strada|rruga|ulica|ulici)\.?"


def _is_street_word(words: str) -> bool:
    return _STREET_WORDS.fullmatch(words) is not None


def _street_name(text: str) -> re.Match[str] | None:
    """The name of a street in an address: capitalized words beside a word for street or a number; in small letters the
    word after the one for street."""
    has_street = any(_is_street_word(word[0]) for word in _WORD.finditer(text))
    runs = [run for run in _runs(text, _is_street_word) if len(run[0]) > 1]
    georgian = [run for run in runs if "ა" <= run[0][0] <= "ჿ"]
    if georgian:
        return georgian[0] if has_street and len(georgian) < _MANY_WORDS else None
    if runs and (has_street or re.search(r"\d", text) or len(runs[0][0]) == len(text)):
        return runs[0]
    small = re.search(rf"(?<!\w){_STREET_BEFORE}\s+(?=[^\W\d_]{{4}})", text, re.IGNORECASE)
    return _WORD.search(text, small.end()) if small and not runs else None


_MANY_WORDS = 4  # a Georgian address of more words is a description


_KINDS = re.compile(
    r"(?:hospital|clinic|centre|center|school|college|penitentiary|prison|colony|police|station|department|city|regional|general|"
    r"district|municipal|no|unit|court|university|institute|legal|aid|maternity|house|correctional|institution|camp|inst|"
    r"spitalul|penitenciarul|inspectoratul|centrul|spitalin|spitali|komisariatin|komisariati|ievp|opšta|opštoj|bolnica|bolnici|"
    r"дома|дом|kpz|kpd|ip|пс|кпд|кпз|јзу|ош|здружение|институт|роддом|школа|лицей|колледж|центр|больница|поликлиника|"
    r"(?-i:[А-ЯA-ZЈЊЉЂЋЏՀԿԱ]{2,5})|polyclinic|hotel|saloon|bar|cafe|restaurant|студио|затвор|shkolla|qendra|коллеҷи|беморхонаи|маркази|тҷ|зво|здо|вк|polytechnic|penitentiarul|third|first|second|palace|secondary|medical)",
    re.IGNORECASE,
)


def _is_kind(word: str) -> bool:
    return _KINDS.fullmatch(word) is not None
