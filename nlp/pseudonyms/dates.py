"""Dates as they are written in the languages served: which month a word is, and the same date some days later."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache

from .declension import forms
from .spelling import respell
from .wording import like

# Months as they stand after a day, and other forms of them that texts have; forms of languages with case suffixes
# are made.
_MONTHS = {
    "en": (
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    ),
    "ru": (
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
        "январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
    ),
    "uk": (
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "січень лютий березень квітень травень червень липень серпень вересень жовтень листопад грудень",
        "січні лютому березні квітні травні червні липні серпні вересні жовтні листопаді грудні",
    ),
    "ro": (
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
        "ian feb mar apr mai iun iul aug sep oct noi dec",
    ),
    "sr": (
        "januara februara marta aprila maja juna jula avgusta septembra oktobra novembra decembra",
        "januar februar mart april maj jun jul avgust septembar oktobar novembar decembar",
        "januaru februaru martu aprilu maju junu julu avgustu septembru oktobru novembru decembru",
        "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenog prosinca",
    ),
    "mk": ("јануари февруари март април мај јуни јули август септември октомври ноември декември",),
    "sq": (
        "janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor",
        "janarit shkurtit marsit prillit majit qershorit korrikut gushtit shtatorit tetorit nëntorit dhjetorit",
        "janari shkurti marsi prilli maji qershori korriku gushti shtatori tetori nëntori dhjetori",
    ),
    "kk": ("қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан",),
    "ky": (
        "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
        "үчтүн бирдин жалган чын бугу кулжа теке баш аяк тогуз жетинин бештин",
    ),
    "uz": ("yanvar fevral mart aprel may iyun iyul avgust sentabr oktabr noyabr dekabr",),
    "uz-cyrl": ("январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",),
    "az": ("yanvar fevral mart aprel may iyun iyul avqust sentyabr oktyabr noyabr dekabr",),
    "tg": ("январ феврал март апрел май июн июл август сентябр октябр ноябр декабр",),
    "ka": ("იანვარი თებერვალი მარტი აპრილი მაისი ივნისი ივლისი აგვისტო სექტემბერი ოქტომბერი ნოემბერი დეკემბერი",),
    "hy": ("հունվար փետրվար մարտ ապրիլ մայիս հունիս հուլիս օգոստոս սեպտեմբեր հոկտեմբեր նոյեմբեր դեկտեմբեր",),
}
_ALIASES = {"bs": "sr", "sr-cyrl": "sr", "mk-latn": "mk"}
_SYNCOPATED = {"იანვარი": "იანვრ", "თებერვალი": "თებერვლ", "სექტემბერი": "სექტემბრ", "ოქტომბერი": "ოქტომბრ",
               "ნოემბერი": "ნოემბრ", "დეკემბერი": "დეკემბრ"}  # fmt: skip
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
NUMERIC = re.compile(
    r"(?<!\d)(?:(?P<y1>\d{4})(?P<s1>[-./]\s?)(?P<m1>\d\d?)(?P=s1)(?P<d1>\d\d?)"
    r"|(?P<d2>\d\d?)(?P<s2>[-./]\s?)(?P<m2>\d\d?)(?:(?P=s2)(?P<y2>\d{4}|\d\d))?)(?!\d)"
)
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
DAY = re.compile(r"(?<!\d)(\d{1,2})(?!\d)(?P<after>st|nd|rd|th)?")


@cache
def _month_forms(language: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Each form of a month in small letters: which month, and the twelve months in that form."""
    rows = [tuple(row.split()) for row in _MONTHS.get(language, ())]
    if language in ("kk", "ky", "uz", "uz-cyrl", "az", "tg", "ka", "hy"):
        lemmas = rows[0]
        paradigms = [_forms_of(language, lemma) for lemma in lemmas]
        cases = sorted(set.intersection(*(set(paradigm) for paradigm in paradigms)))
        rows += [tuple(paradigm[case].lower() for paradigm in paradigms) for case in cases]
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    for row in rows:
        for at, form in enumerate(row):
            found.setdefault(form.lower(), (at, row))
    return found


def _forms_of(language: str, lemma: str) -> dict[str, str]:
    found = forms(language, lemma, "m", "given") or {}
    if language == "ka" and lemma in _SYNCOPATED:
        short = forms(language, _SYNCOPATED[lemma], "m", "given") or {}
        return {case: short[case] if case in ("gen", "ins", "abl", "for") else form for case, form in found.items()}
    return found


def month_of(word: str, spelling: str) -> int | None:
    """Which month, from 0, a word is a form of; None for one of no month."""
    found = _month_forms(_ALIASES.get(spelling, spelling)).get(_in_own_letters(word.lower(), spelling))
    return None if found is None else found[0]


def in_month(word: str, month: int, spelling: str) -> str:
    """Another month in the form that ``word``, a form of a month, stands in."""
    base = _ALIASES.get(spelling, spelling)
    _, row = _month_forms(base)[_in_own_letters(word.lower(), spelling)]
    new = row[month]
    if spelling == "sr-cyrl":
        new = respell(new, "sr", "sr-cyrl")
    elif spelling == "mk-latn":
        new = respell(new, "mk", "sr")
    return like(word, new[:1].upper() + new[1:] if word[:1].isupper() else new, base)


def _in_own_letters(word: str, spelling: str) -> str:
    if spelling == "mk-latn":
        return respell(word, "sr", "mk")
    return respell(word, spelling, "sr") if spelling == "sr-cyrl" else word


def shifted(old: str, by: timedelta, spelling: str) -> str | None:
    """A date some days later in the same wording; None for words that do not tell one day.

    A date without its year is taken for one of a year that is no leap year.
    """
    numeric = NUMERIC.search(old)
    if numeric is not None:
        rest = old[: numeric.start()] + old[numeric.end() :]
        more = re.search(r"\d", rest) or any(month_of(word, spelling) is not None for word in WORD.findall(rest))
        words = None if more else _numeric_shifted(numeric, by)
        return None if words is None else old[: numeric.start()] + words + old[numeric.end() :]
    months = [(match, at) for match in WORD.finditer(old) if (at := month_of(match[0], spelling)) is not None]
    years = list(YEAR.finditer(old))
    days = [
        match for match in DAY.finditer(old) if not any(year.start() <= match.start() < year.end() for year in years)
    ]
    if len(months) != 1 or len(days) != 1 or len(years) > 1:
        return None
    new = _later(int(years[0][0]) if years else _NO_LEAP_YEAR, months[0][1] + 1, int(days[0][1]), by)
    if new is None:
        return None
    day = (
        english_ordinal(new.day)
        if days[0]["after"]
        else padded(new.day, days[0][1])
        if days[0][1][0] == "0"
        else str(new.day)
    )
    edits = [(days[0], day), (months[0][0], in_month(months[0][0][0], new.month - 1, spelling))]
    edits += [(year, str(new.year)) for year in years]
    for match, words in sorted(edits, key=lambda edit: -edit[0].start()):
        old = old[: match.start()] + words + old[match.end() :]
    return az_ordinals(old) if spelling == "az" else old


_NO_LEAP_YEAR = 2025


def _later(year: int, month: int, day: int, by: timedelta) -> date | None:
    try:
        return date(year, month, day) + by
    except (ValueError, OverflowError):
        return None


def _numeric_shifted(match: re.Match[str], by: timedelta) -> str | None:
    is_first = match["y1"] is not None
    day, month, year = (match[name + ("1" if is_first else "2")] for name in ("d", "m", "y"))
    separator = match["s1"] or match["s2"]
    month_first = int(month) > 12
    whole = int(year) + (0 if len(year) == 4 else 2000) if year else _NO_LEAP_YEAR
    new = _later(whole, *((int(day), int(month)) if month_first else (int(month), int(day))), by)
    if new is None:
        return None
    first, second = (new.month, new.day) if month_first else (new.day, new.month)
    parts = [padded(first, day), padded(second, month)]
    if is_first:
        return separator.join([f"{new.year:04}", parts[1], parts[0]])
    return separator.join([*parts, *([str(new.year)[-len(year) :]] if year else [])])


def padded(number: int, old: str) -> str:
    """A number with a zero before it where the old one could have had one."""
    return f"{number:02}" if len(old) == 2 else str(number)


def english_ordinal(day: int) -> str:
    """A day as 1st, 2nd, 3rd, 4th ..."""
    return f"{day}{'th' if 10 < day < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


_AZ_ONES = {"1": "ci", "2": "ci", "3": "cü", "4": "cü", "5": "ci", "6": "cı", "7": "ci", "8": "ci", "9": "cu"}
_AZ_TENS = {
    "0": "ci",
    "1": "cu",
    "2": "ci",
    "3": "cu",
    "4": "cı",
    "5": "ci",
    "6": "cı",
    "7": "ci",
    "8": "ci",
    "9": "cı",
}


def az_ordinals(text: str) -> str:
    """The ordinal suffix follows the last numeral's vowel: 2023-cü, 2024-cü, 2025-ci."""
    return re.sub(
        r"(\d*)(\d)(\d)-c[iıuü]",
        lambda match: f"{match[1]}{match[2]}{match[3]}-{_AZ_TENS[match[2]] if match[3] == '0' else _AZ_ONES[match[3]]}",
        text,
    )
