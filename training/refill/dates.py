"""Other dates and ages in the wording of the old: formats, month forms and the agreement of numbers are kept."""

from __future__ import annotations

import re
from functools import cache
from random import Random

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
_ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
    "ru": "первого второго третьего четвёртого пятого шестого седьмого восьмого девятого десятого одиннадцатого "
    "двенадцатого тринадцатого четырнадцатого пятнадцатого шестнадцатого семнадцатого восемнадцатого двадцатого",
    "uk": "першого другого третього четвертого п'ятого шостого сьомого восьмого дев'ятого десятого одинадцятого "
    "дванадцятого тринадцятого чотирнадцятого п'ятнадцятого двадцятого",
}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMERIC = re.compile(
    r"(?<!\d)(?:(?P<y1>\d{4})(?P<s1>[-./]\s?)(?P<m1>\d\d?)(?P=s1)(?P<d1>\d\d?)"
    r"|(?P<d2>\d\d?)(?P<s2>[-./]\s?)(?P<m2>\d\d?)(?:(?P=s2)(?P<y2>\d{4}|\d\d))?)(?!\d)"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DAY = re.compile(r"(?<!\d)(\d{1,2})(?!\d)(?P<after>st|nd|rd|th)?")
_NOW = 2026


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


def _swap_month(word: str, spelling: str, rng: Random) -> str | None:
    base = _ALIASES.get(spelling, spelling)
    respelt = respell(word.lower(), spelling, base) if spelling in ("sr-cyrl", "mk-latn") else word.lower()
    if spelling == "mk-latn":
        respelt = respell(word.lower(), "sr", "mk")
    found = _month_forms(base).get(respelt)
    if found is None:
        return None
    at, row = found
    new = row[rng.choice([month for month in range(12) if month != at])]
    if spelling == "sr-cyrl":
        new = respell(new, "sr", "sr-cyrl")
    elif spelling == "mk-latn":
        new = respell(new, "mk", "sr")
    return like(word, new[:1].upper() + new[1:] if word[:1].isupper() else new, base)


def new_date(old: str, rng: Random, spelling: str, *, of_birth: bool = False) -> str:
    """Another day in the same wording; a year of birth stays within a dozen years, another within two."""
    numeric = _NUMERIC.search(old)
    if numeric is not None:
        return old[: numeric.start()] + _numeric(numeric, rng, of_birth=of_birth) + old[numeric.end() :]
    new = _WORD.sub(lambda match: _swap_month(match[0], spelling, rng) or _ordinal(match[0], spelling, rng), old)
    new = _YEAR.sub(lambda match: _year(match[0], rng, of_birth=of_birth), new)
    new = _DAY.sub(lambda match: _day(match, rng), new)
    return _az_ordinals(new) if spelling == "az" else new


def _numeric(match: re.Match[str], rng: Random, *, of_birth: bool) -> str:
    is_first = match["y1"] is not None
    day, month, year = (match[name + ("1" if is_first else "2")] for name in ("d", "m", "y"))
    separator = match["s1"] or match["s2"]
    new_day, new_month = _padded(rng.randrange(1, 29), day), _padded(rng.randrange(1, 13), month)
    if int(month) > 12:  # month first
        new_day, new_month = _padded(rng.randrange(1, 13), day), _padded(rng.randrange(13, 29), month)
    if is_first:
        return separator.join((_year(year, rng, of_birth=of_birth), new_month, new_day))
    parts = [new_day, new_month, *([_year(year, rng, of_birth=of_birth)] if year else [])]
    return separator.join(parts)


def _padded(number: int, old: str) -> str:
    return f"{number:02}" if len(old) == 2 else str(number)


def _year(old: str, rng: Random, *, of_birth: bool) -> str:
    if len(old) == 2:
        return f"{(int(old) + rng.choice((-2, -1, 0))) % 100:02}"
    year = int(old)
    reach = 12 if of_birth else 2
    last = _NOW - 1 if year > _NOW - 18 or not of_birth else _NOW - 19  # children stay children, adults adults
    first = _NOW - 17 if of_birth and year > _NOW - 18 else 1935
    years = [new for new in range(max(first, year - reach), min(last, year + reach) + 1) if new != year or not of_birth]
    return str(rng.choice(years or [year]))


def _day(match: re.Match[str], rng: Random) -> str:
    day = rng.choice([day for day in range(1, 29) if day != int(match[1])])
    if not match["after"]:
        return _padded(day, match[1]) if match[1].startswith("0") else str(day)
    return f"{day}{'th' if 10 < day < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def _ordinal(word: str, spelling: str, rng: Random) -> str:
    words = _ORDINALS.get(spelling, "").split()
    if word.lower().replace("ё", "е") not in {ordinal.replace("ё", "е") for ordinal in words}:
        return word
    new = rng.choice([ordinal for ordinal in words if ordinal != word.lower()])
    return like(word, new[:1].upper() + new[1:] if word[:1].isupper() else new, spelling)


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


def _az_ordinals(text: str) -> str:
    """The ordinal suffix follows the last numeral's vowel: 2023-cü, 2024-cü, 2025-ci."""
    return re.sub(
        r"(\d*)(\d)(\d)-c[iıuü]",
        lambda match: f"{match[1]}{match[2]}{match[3]}-{_AZ_TENS[match[2]] if match[3] == '0' else _AZ_ONES[match[3]]}",
        text,
    )


_MONTHS_OF_AGE = re.compile(
    r"(?<![^\W\d_])"  # no word that only ends like one: today
    r"(?:мес(?:[яе][цч]|\b)|міс(?:я[цч]|\b)|month|luni|mese|muaj|ай|ay\b|oy|моҳ|თვ|ամս|тыжд|недел|week|hafta|апта|дн|день|day)",
    re.IGNORECASE,
)


def new_age(old: str, rng: Random, spelling: str) -> str:
    """Another age of the same agreement class (1 год, 2 года, 5 лет); adults stay adults, children under 11
    under 11. Ages in words stay."""
    return re.sub(r"\d{1,3}", lambda match: _age(match, old, rng, spelling), old, count=1)


def _age(match: re.Match[str], old: str, rng: Random, spelling: str) -> str:
    age = int(match[0])
    if _MONTHS_OF_AGE.search(old):
        low, high = 1, 11
    else:
        low, high = (18, 70) if age >= 18 else (11, 17) if age >= 11 else (1, 10)
    same_end = re.match(r"[-‐]?[^\W\d_]", old[match.end() :]) is not None and spelling != "en"
    choices = [
        new
        for new in range(low, high + 1)
        if new != age
        and _agreement(new) == _agreement(age)
        and (not same_end or _last_numeral(new) == _last_numeral(age))
    ]
    return str(rng.choice(choices)) if choices else match[0]


def _agreement(number: int) -> str:
    if 11 <= number % 100 <= 14:
        return "many"
    return {1: "one", 2: "few", 3: "few", 4: "few"}.get(number % 10, "many")


def _last_numeral(number: int) -> str:
    """What is said last, which suffixes after the digits agree with: the ones, or the tens where there are none."""
    return str(number)[-1] if number % 10 else str(number)
