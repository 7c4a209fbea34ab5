"""Exact dates, dates of birth, exact ages."""

from __future__ import annotations

import re

from ...types import Entity, Span
from ...view import fold_case
from ..base import Announced, PatternRecognizer, compile_folded
from ..lexicon import UPPER
from ..regional import any_of

_MONTHS_LATIN = (
    r"january|february|march|april|may|june|july|august|september|october|november|december|jan|"
    r"feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
"""Months that a day may follow: "March 5"."""

_MONTHS = (
    r"январ[ьяею]|феврал[ьяею]|март[аеу]?|апрел[ьяею]|ма[йяею]|июн[ьяею]|июл[ьяею]|август[аеу]?|сентябр[ьяею]|"
    r"октябр[ьяею]|ноябр[ьяею]|декабр[ьяею]|"
    r"січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня|"
    r"January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|"
    r"Jun|Jul|Aug|Sept?|Oct|Nov|Dec|"
    r"янв|февр?|мар|апр|авг|сент?|окт|нояб?|дек|"
    r"ianuarie|februarie|martie|aprilie|mai|iunie|iulie|septembrie|octombrie|noiembrie|decembrie|"
    r"yanvar|fevral|mart|aprel|iyun|iyul|avqust|avgust|sentyabr|oktyabr|noyabr|dekabr|siječnja|januara|"
    r"februara|marta|aprila|maja|juna|jula|avgusta|septembra|oktobra|novembra|decembra|"
    r"јануари|февруари|март|април|мај|јуни|јули|август|септември|октомври|ноември|декември|қаңтар|ақпан|наурыз|"
    r"сәуір|мамыр|маусым|шілде|тамыз|қыркүйек|қазан|қараша|желтоқсан|"
    rf"janar|shkurt|mars|prill|qershor|korrik|gusht|shtator|tetor|nëntor|dhjetor|{any_of('months')}"
)
_ORDINALS = (
    r"перво(?:е|го)|второ(?:е|го)|треть(?:е|его)|четв[её]рто(?:е|го)|пято(?:е|го)|шесто(?:е|го)|седьмо(?:е|го)|"
    r"восьмо(?:е|го)|девято(?:е|го)|десято(?:е|го)|"
    r"(?:один|две|три|четыр|пят|шест|сем|восем|девят)надцато(?:е|го)|двадцато(?:е|го)|тридцато(?:е|го)|"
    r"двадцать\s\w{5,10}|тридцать\sперво(?:е|го)|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|"
    r"fifteenth|sixteenth|seventeenth|"
    r"eighteenth|nineteenth|twentieth|twenty[- ]\w{5,7}|thirtieth|thirty[- ]first"
)
_YEAR = r"(?:19|20)\d\d"
_YEAR_TAIL = (
    rf"(?:,?\s(?:of\s)?{_YEAR}(?:\s?(?:-?(?:ci|cü|cı|cu)?\s?il(?:in|də)?(?!\w)|жыл\w{{0,4}}|yil\w{{0,3}}|йил\w{{0,3}}|"
    rf"წლის|წელს|წ\.|թ\.|соли|года(?!\sрожд)|году|год(?!\sрожд)|г\.(?!\s?р)|г(?![\w.])|р\.(?!\s?н)|"
    rf"рок\w))?)?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_NUMERIC = (
    rf"(?:{_DAY}[./-]{_MONTH}[./-](?:{_YEAR}|\d\d)|{_YEAR}[./-]{_MONTH}[./-]{_DAY}|{_DAY}[ ]{_MONTH}[ ]{_YEAR}|"
    rf"{_DAY}\.[ ]{_MONTH}\.[ ]{_YEAR})"
    r"(?:\s?(?:г\.(?!\s?р)|г(?![\w.])|года(?!\sрожд)))?"
)
_SHORT = r"(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])"
_DAY_MARK = r"(?:-?(?:го|ого|е|ое|st|nd|rd|th|шы|ші|чи|inci|ci))?"
_DAYS = rf"{_DAY}{_DAY_MARK}(?:\s?(?:[-–/,]|to|and|or|и|на|по|до|или|і)\s?(?:the\s)?{_DAY}{_DAY_MARK}){{0,2}}"
_UNIT_AFTER = r"\s?(?:сом|тенге|тг|руб|лей|лари|mg|мг|ml|мл|балл|град|%|км|km|кг|kg|°|тыс|млн|h\b|час)"

_HOUR_OR_LAW = re.compile(
    r"(?<!\w)(?:в|к|at|около|about|around|by|ст|ст\.|стать\w{1,3}|art\.?|article|п|п\.|пункт\w{0,2}|ч\.|"
    r"section|version|v|версия|№|CD4|hb|t|температур\w{1,2}|"
    r"индекс\w?|вес\w?|price|цен\w{1,2})\s?\Z",
    re.IGNORECASE,
)

SHORT_DATE = PatternRecognizer(
    name="short-date",
    entity_type="DATE",
    pattern=rf"(?<![\w.,/:№#-]){_SHORT}(?!\w|[.,:/-]\d|{_UNIT_AFTER})",
    source="DD.MM, where neither an hour nor a paragraph of a law can be meant",
    score=0.55,
    folded=True,
    accept=lambda match: not _HOUR_OR_LAW.search(match.string, max(0, match.start() - 24), match.start()),
)
_BIRTH_WORDS = (
    r"(?:was\s)?born(?:\s(?:on|in))?|birth(?:\s?date|day)?|b-?day|date\sof\sbirth|d\.?o\.?b\.?|b\.|born|"
    r"дат\w\sрождения|д\.\s?р\.?|др|родил(?:ась|ся)(?:\sв)?|рожд[её]нн\w{2,3}|рожд\.|род\.|г\.?\s?р\.?|рождения|"
    r"дн[юя]\sрождения|день\sрождения|народил(?:ася|ся)|дата\sнародження|год\sрождения|year\sof\sbirth|"
    rf"p\.?\s?n\.?|născut\w?|rođen\w?|lindur|{any_of('birth')}"
)


class DateRecognizer:
    """Dates with a day, and dates or years of birth: found once, told apart by the word for birth beside them."""

    name = "date"
    entity_types = ("DATE", "BIRTH_DATE")
    source = "day and month in figures or words, with or without year; a year alone where somebody was born in it"

    _numeric = compile_folded(
        rf"(?<![\w./-])(?<!\d,)(?=\d)(?:{_NUMERIC}|"
        rf"{_DAYS}[\s-]?(?=[^\W\d_])(?:(?:day\s)?of\s)?(?:{_MONTHS})\.?(?!\w){_YEAR_TAIL}|{_YEAR}(?!\w)|"
        rf"{_DAY}\.[ ]?(?:xi?i?|ix|iv|vi{{0,3}}|i{{1,3}})(?!\w)(?:[. ]{{1,2}}{_YEAR})?|"
        rf"{_DAY}\.[ ]?{_MONTH}\.(?=\s|\)|\Z)|"
        rf"{_SHORT}(?!\w|:))(?!\w|[./-]\d)"
    )
    _worded = compile_folded(
        rf"(?<!\w)(?=[^\W\d_])(?:(?:the\s)?(?:{_ORDINALS})\s(?:(?:day\s)?of\s)?(?:{_MONTHS})\.?(?!\w){_YEAR_TAIL}"
        rf"|(?:{any_of('months')})[ ]{_DAY}(?:-[^\W\d_]{{1,5}}|(?<=[\u0531-\u0587][ ]\d)|(?<=[\u0531-\u0587][ ]\d\d))"
        rf"(?!\w)|(?:{_MONTHS_LATIN})\.?,?[ ](?:on[ ])?(?:the[ ])?{_DAY}(?:st|nd|rd|th)?(?!\w|[.:]\d|\s?%|"
        rf"\s\d){_YEAR_TAIL})(?!\w)"
    )
    _bare = re.compile(rf"{_YEAR}|{_SHORT}")
    _birth_before = compile_folded(
        rf"(?<!\w)(?:{_BIRTH_WORDS})[\s:,.\-–—(]{{1,3}}(?:(?:on|in|в|-|is|was|года)\s){{0,2}}(?:the\s)?\Z"
    )
    _birth_after = compile_folded(
        r"\s?,?\s?(?:г\.\s?р(?!\w)|г/р|р\.(?!\w)|года?\s?рожд|год\w?\s(?:рожд|народж)|рожд|р\.\s?н\.|г\.\sрожд|"
        rf"року\sнародж|born|(?:\w{{1,6}}\.?\s)?(?:{any_of('birth')}))"
    )

    def find(self, text: str, language: str = "") -> list[Entity]:
        """Dates in the order they stand, figures before words."""
        folded = fold_case(text)
        born = Announced(self._birth_before, folded, _BIRTH_REACH)
        found = []
        for pattern in (self._numeric, self._worded):
            for match in pattern.finditer(folded):
                start, end = match.span()
                if born.length(start) >= 0 or self._birth_after.match(folded, end):
                    found.append(Entity(Span(start, end), "BIRTH_DATE", 0.92, self.name))
                elif self._follows_name(text, match):
                    found.append(Entity(Span(start, end), "BIRTH_DATE", 0.7, self.name))
                elif not self._bare.fullmatch(match[0]):
                    found.append(Entity(Span(start, end), "DATE", 0.8, self.name))
        return found

    def _follows_name(self, text: str, match: re.Match[str]) -> bool:
        """Whether a full date of long ago stands right after a capitalized word: "Иванова А., 12.03.1981"."""
        year = self._year.search(match[0])
        return (
            year is not None and self._name_before.search(text, max(0, match.start() - 30), match.start()) is not None
        )

    _year = re.compile(r"\d[./-](?:19\d\d|200[0-8])\b")
    _name_before = re.compile(rf"[{UPPER}][^\W\d_]*\.?,\s\Z")


_BIRTH_REACH = 40  # characters before a date in which the word for birth stands
DATES = DateRecognizer()

_AGE = r"(?:1[0-9]|[2-9]\d|[1-9])"
_ONES_EN = r"one|two|three|four|five|six|seven|eight|nine"
_ONES_RU = (
    r"один|одного|одному|два|двух|две|три|тр[её]х|четыре|четыр[её]х|пять|пяти|шесть|шести|семь|семи|"
    r"восемь|восьми|девять|девяти"
)
_AGE_WORDS = (
    rf"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty)(?:[- ](?:{_ONES_EN}))?|ten|eleven|twelve|thirteen|"
    rf"fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|{_ONES_EN}|"
    rf"(?:двадцат\w{{1,2}}|тридцат\w{{1,2}}|сорока?|пятьдесят|пятидесяти|шестьдесят|шестидесяти|семьдесят|"
    rf"семидесяти)(?:\s(?:{_ONES_RU}))?|"
    rf"(?:один|две|три|четыр|пят|шест|сем|восем|девят)надцат\w{{1,2}}|десят[ьи]|полтора|{_ONES_RU}"
)
_YEARS_RU = r"(?:лет(?:н\w{2,3})?|года?|годик\w?|л\.|г\.(?!\s?р)|годов|рок\w{1,2})"
_YEARS_EN = (
    r"(?:years?[- ]olds?|years?\sof\sage|y\.?\s?/?o\.?(?!\w)|yrs?\.?\sold|years?(?!\w)|yrs?\.?(?!\w)|"
    r"y\.(?!\w))"
)

AGE = PatternRecognizer(
    name="age",
    entity_type="AGE",
    pattern=(
        r"(?:years?[- ]olds?|years?\sof\sage|y\.?\s?/?o\.?(?!\w)|yrs?\.?\sold|ти\s?летн\w{2,3}|летн\w{2,3}|"
        r"лет\sот\sроду|рокі?в|жаста|yaş\w{0,3}|yoshda|vjeç\w{0,3}|godina\sstar\w?)(?!\w)"
    ),
    before=rf"(?<![\w.,$€/-])(?:{_AGE}|{_AGE_WORDS})[- ]{{0,2}}",
    reach=28,
    joined=True,
    source="a number with the word for years of life",
    score=0.6,
    folded=True,
)

REGIONAL_AGE = PatternRecognizer(
    name="regional-age",
    entity_type="AGE",
    pattern=rf"(?:{any_of('years_old')})(?!\w)",
    before=rf"(?<![\w.,$€/-]){_AGE}[- ]{{0,2}}",
    reach=8,
    joined=True,
    source="a number with the word for years of life, in the other languages served",
    score=0.6,
    folded=True,
)

REGIONAL_AGE_APART = PatternRecognizer(
    name="regional-age-apart",
    entity_type="AGE",
    pattern=rf"(?<=[,(;]\s)(?:1[0-9]|[2-9]\d)[- ]?(?:{any_of('years')})(?!\w)(?=\s?[,.;)\n]|\Z)"
    rf"|(?<=\()(?:1[0-9]|[2-9]\d)[- ]?(?:{any_of('years')})(?!\w)(?=\s?[,.;)])",
    source="a number of years between commas or in brackets, in the other languages served",
    score=0.5,
    folded=True,
)

AGE_IN_ONE_WORD = PatternRecognizer(
    name="age-in-one-word",
    entity_type="AGE",
    pattern=(
        r"(?<!\w)(?:двадцати|тридцати|сорока|пятидесяти|шестидесяти|семидесяти)?(?:одно|двух|тр[её]х|"
        r"четыр[её]х|пяти|шести|семи|восьми|девяти|десяти|"
        r"(?:один|две|три|четыр|пят|шест|сем|восем|девят)надцати)?(?<=\w)лет(?:н(?:яя|ий|его|ему|юю|ей|им|ие|"
        r"их|ем)|к[аиуе])(?!\w)"
    ),
    needs=("летн", "летк"),
    source="двадцатидвухлетняя, восьмилетка",
    score=0.6,
    folded=True,
)

_PERSON = (
    r"woman|man|girl|boy|female|male|client|patient|applicant|student|mother|father|son|daughter|husband|wife|"
    r"brother|sister|f|m|pt|person|child|victim|"
    r"женщина|мужчина|девушка|парень|мать|отец|сын|сыну|дочь|дочка|дочери|муж|мужу|жена|жене|брат|сестра|"
    r"клиент\w{0,2}|пациент\w{0,2}|ребёнок|ребенок|реб\.|ж|м|"
    r"гражданин|гражданка|заявитель\w{0,4}|переселенка|беженка|беженец|студент\w{0,2}|осужд[её]нный"
)

_SMALL = re.compile(rf"(?:{_ONES_EN}|{_ONES_RU}|\d)", re.IGNORECASE)
_MONTH_OR_UNIT = re.compile(
    rf"\s?(?:{_MONTHS}|%|сом|тенге|lei|час|мин|раз|months|days|hours|times|месяц|nедель|кв\.|flat|apt)", re.IGNORECASE
)

AGE_APART = PatternRecognizer(
    name="age-apart",
    entity_type="AGE",
    pattern=rf"(?<!\w)(?:{_AGE}|{_AGE_WORDS})(?:\s?(?:{_YEARS_RU}|{_YEARS_EN}))?(?=\s?(?:[,.;)\]\n/(]|\Z|"
    rf"[-–—]\s|and\s|и\s|who\s|in\s[a-z]|trans|gay))(?![.,/:]\d)",
    before=rf"(?:[{UPPER}][\w'’-]{{1,24}}|[{UPPER}]\.|(?<!\w)(?i:{_PERSON})|"
    rf"[)»\ue000\"”])\s?[,(–—-]\s?(?:(?i:now|just|only|aged|age|about|ей|ему|мне|уже|всего|gay|trans|"
    rf"trans\swoman|a\swoman\sof)\s)?",
    cased_before=True,
    reach=40,
    source="a number between commas or in brackets after a name or a person",
    score=0.55,
    accept=lambda match: not (_MONTH_OR_UNIT.match(match.string, match.end()) or _SMALL.fullmatch(match[0])),
)
AGE_TOLD = PatternRecognizer(
    name="age-told",
    entity_type="AGE",
    pattern=rf"(?<!\w)(?:{_AGE}|{_AGE_WORDS})(?:\s?(?:{_YEARS_RU}|{_YEARS_EN}))?(?=\s?(?:[,.;:!?)\]\n–—]|\Z|"
    rf"и\s|and\s|а\s|но\s|but\s|living|он[аи]?\s|who\s|with\s))(?![.,/:]\d)",
    before=(
        r"(?<!\w)(?i:aged?|at\sthe\sage\sof|возраст\w{0,2}|в\sвозрасте|исполнилось|ему|ей|мне|тебе|нам|"
        r"клиент\w{0,2},?|им\sпо|she\sis|he\sis|i\sam|i'm|she's|he's|who\sis|"
        r"(?:mother|grandmother|grandfather|father|son|daughter|husband|wife|boy|girl|child|khanim|client|"
        r"patient)(?:,\s\w{2,12}(?:\s\w{2,12})?,)?\s(?:is|was)|"
        r"(?:woman|man|girl|boy|person)\sof|(?:she|he|who)\s(?:had|was|turned|turns)|he\ssaid,|she\ssaid,|"
        r"возраста?:|(?:сыну|дочери|мужу|ребёнку|ребенку|девочке|мальчику))[:\s]{1,2}(?:(?:now|only|just|уже|"
        r"всего|сейчас|было|тогда|по)\s)?"
    ),
    source="a number after the word for age or for a person",
    score=0.55,
    accept=lambda match: not _MONTH_OR_UNIT.match(match.string, match.end()),
)

AGE_DATIVE = PatternRecognizer(
    name="age-dative",
    entity_type="AGE",
    pattern=rf"(?<!\w)(?:{_AGE}|{_AGE_WORDS})\s(?:год(?:ик)?а?|лет)(?!\w)",
    before=rf"(?:[{UPPER}][а-яё]{{2,20}}|(?i:ему|ей|мне)|\A|\n\s?[-–—]?\s?(?:\w{{2,12}}\s)?|"
    rf"[-–—]\s(?i:реб[её]нок|мать|сын|дочь|клиентк?а?)\s?)\s?",
    cased_before=True,
    reach=40,
    source="a number of years after a name or at the start of a note",
    score=0.5,
)

AGE_BETWEEN_COMMAS = PatternRecognizer(
    name="age-between-commas",
    entity_type="AGE",
    pattern=rf"(?<=[^\W\d_][,—–]\s)(?:(?:1[4-9]|[2-8]\d)(?:\s(?:лет|года?|л\.|years?|yrs?))?(?=,\s|[.;)]|\s—)|"
    rf"(?:{_AGE_WORDS})\s(?:лет|года?|годик\w)(?=[,.;)]))(?![.,]\d)",
    source="a number between commas that can be an age, where nothing speaks against it",
    score=0.45,
    accept=lambda match: not _MONTH_OR_UNIT.match(match.string, match.end()),
)

RECOGNIZERS = (
    DATES,
    SHORT_DATE,
    AGE,
    REGIONAL_AGE,
    REGIONAL_AGE_APART,
    AGE_IN_ONE_WORD,
    AGE_APART,
    AGE_TOLD,
    AGE_DATIVE,
    AGE_BETWEEN_COMMAS,
)
