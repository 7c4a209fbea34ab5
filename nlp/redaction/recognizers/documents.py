"""Numbers of documents, cards, registers and cases, and the net below them all: no long run of digits stays visible."""

from __future__ import annotations

import re

from ..base import PatternRecognizer
from ..lexicon import UPPER
from ..regional import any_of

AMOUNT_AFTER = re.compile(
    r"[ \u00a0-]?(?:[₽₸₴₾₼$€%]|(?:сом(?:ов|а|у)?|тенге|тг|тыс\w{0,4}|руб\w{0,4}|р\.|грн|грив\w{2,4}|лей|леев|лея|lei|"
    r"leu|лари|lari|gel|драм\w{0,3}|drams?|amd|манат\w{0,3}|manats?|azn|сум(?:а|ы|ов)?|сўм\w{0,3}|so['ʻ’]m|сомони|somoni|usd|eur|"
    r"доллар\w{0,3}|евро|euros?|dollars?|денар\w{0,3}|denar\w{0,2}|lekë?|лек(?:а|и)?|dinar\w{0,2}|динар\w{0,3}|tenge|kzt|uzs|"
    r"soms?|soums?|sums?|hryvni\w{1,2}|uah|mdl|kgs|tjs|rsd|bam|km|mkd|мар(?:ок|ки)|marks|млн|million\w{0,3}|копи[йяеию]\w{0,2}|"
    r"коп(?=/)|copies|cop|клет\w{2,4}|cells|мл|ml|мг|mg|mcg|МЕ|ед|шт\w{0,3}|км|человек\w{0,2}|people|persons|раза?|times|"
    r"процент\w{0,3}|percent|гр|грамм\w{0,3}|grams?|кг|kg|час(?:а|ов)?|мин|минут\w{0,2}|minut\w{0,3}|hours?|days?|дн(?:я|ей)|"
    r"день|years?(?!\sof)|лет|год(?:а|у|ов)?)(?!\w))",
    re.IGNORECASE,
)
"""Units that make a number before them a sum, a dose, a count or a time."""

_AMOUNT_BEFORE = re.compile(
    r"(?:\$|€|₽|₸|₴|CD4|СД4|VL|ВН|вн|PCR|нагрузк\w{1,2}|load|sum\sof|сумм\w{1,2})[\s:=–—-]{0,3}(?:of\s|was\s|"
    r"is\s|-\s)?\Z"
)
_LONG, _RUN = 9, 7  # digits of a number that is no sum: in one piece, or after a zero
_PERIOD = re.compile(
    r"(?:19|20)\d\d\s?[-–/]\s?(?:19|20)\d\d|(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:\d\d){1,2}|"
    r"(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}|(?:19|20)\d\d|\d{1,2}[:.]\d\d[-–]\d{1,2}[:.]\d\d"
)
_LAW_BEFORE = re.compile(
    r"(?<!\w)(?:articles?|art\.?|ст\.?|стать\w{1,3}|п\.?|пункт\w{0,3}|част\w{1,2}|ч\.|section|paragraphs?|law|"
    r"закон\w{0,2}|ЗРК|ЗРУ|кодекс\w{0,2}|resolution|"
    r"order\sof\sthe\sm\w{1,12}|постановлени\w{1,2}|приказ\w{0,2}\s(?:минздрав\w?|мз|министра|"
    r"министерства)[^\d]{0,24}|decree|regulation|стандарт\w?)\s?(?:№|No\.?|N)?\s?\Z",
    re.IGNORECASE,
)


def _digits(words: str) -> int:
    return sum(character.isdigit() for character in words)


def is_amount(match: re.Match[str]) -> bool:
    """Whether digits are a sum, a dose, a count or a time by the words around them; nine digits or more without a
    group, or that begin with 0, are none unless they are round thousands."""
    text, words = match.string, match[0].strip()
    digits = re.sub(r"\D", "", words)
    is_long = len(digits) >= _LONG if words == digits else digits.startswith("0") and len(digits) >= _RUN
    if is_long and not digits.endswith("000"):
        return False
    if AMOUNT_AFTER.match(text, match.end()):
        return True
    return _AMOUNT_BEFORE.search(text, max(0, match.start() - 24), match.start()) is not None


def _is_law(match: re.Match[str]) -> bool:
    return _LAW_BEFORE.search(match.string, max(0, match.start() - 48), match.start()) is not None


_DOCUMENT_WORDS = (
    r"паспорт\w{0,3}|загран\w{0,9}|удостоверени\w{1,2}(?:\sличности)?|уд\.?\s?личн\w{0,4}|посвідчення|ID[- "
    r"]карт\w{0,2}|id|(?:мед\w{0,10}\.?\s?)?карт\w{1,3}(?:\s(?:пациент\w{0,2}|больного))?|"
    r"карточк\w{1,2}(?:\sпрограмм\w{1,2})?|истори\w{1,2}\sболезни|и/б|рег\w{0,14}\.?\s(?:номер\w{0,2}|№)|"
    r"код\w{0,2}(?:\s(?:клиент\w{0,2}|пациент\w{0,2}|участник\w{0,2}))?|"
    r"свидетельств\w{1,2}(?:\sо\s\w{2,12})?|справк\w{1,2}(?:\s[А-Я]{2,5})?|договор\w{0,2}|контракт\w{0,2}|"
    r"дел[аоуе]м?|производств\w{1,2}|материал\w{0,3}|протокол\w{0,3}|КУСП|КУИ|ЕРДР|ЖУИ|ЄРДР|талон\w{0,2}|"
    r"лист\w{0,2}|полис\w{0,2}|прав[аи]|вид\w?\sна\sжительство|ВНЖ|патент\w{0,2}|жалоб\w{1,2}|заявлени\w{1,2}|"
    r"обращени\w{1,2}|решени\w{1,2}|приказ\w{0,2}|распоряжени\w{1,2}|квитанци\w{1,2}|вх\.?|исх\.?|входящ\w{2,3}|"
    r"исходящ\w{2,3}|выписк\w{1,2}|рецепт\w{0,2}|направлени\w{1,2}|вызов\w{0,2}|форм\w{1,2}|акт\w{0,2}|"
    r"документ\w{0,2}|бумаг\w{1,2}|пациент\w{0,2}|осужд[её]нн\w{2,3}|номер\w{0,2}|отсрочк\w{1,2}|защит\w{1,2}|"
    r"серии?\w?|эпикриз\w?|"
    r"passport|identity\scard|id[- ]card|driv\w{2,4}\slicen[cs]e|residence\spermit|permit|certificate|"
    r"medical\s(?:card|file|record)|patient|client|(?:client|patient)[_ ](?:code|card|number|no\.?|id)|"
    r"card|file|register(?:ed)?|registration|registry|record|rec\.?|criminal\scase|court\scase|case|contract|"
    r"agreement|protocol|prisoner|inmate|complaint|application|policy|insurance|ticket|(?:unique\s)?code|"
    r"reg\.?|decision|"
    r"prescription|receipt|statement|number|entered|sheet|paper|under|history(?:\sof\sillness)?|referral|order|"
    r"number\sonly|series|incoming|outgoing|dossier|dosar\w{0,2}|pașaport\w{0,2}|buletin\w{0,2}|"
    rf"{any_of('document')}"
)
_CAPITAL = f"{UPPER}ა-ჰ"  # Georgian letters have no case

_LINK = (
    r"(?:сери\w{1,2}|series|заявител\w|of|idp|номер\w{0,2}|number|no\.?|nr\.?|n|№|#|за|от|под|is|was|code|"
    r"card|as|under|with|him|her|в|по|личное|she|he|received|the|его|её)"
)
_CODE = (
    rf"(?:[{_CAPITAL}]{{1,5}}(?:[./-][{_CAPITAL}]{{1,4}}){{0,2}}[ /-]?(?:№\s?)?){{0,2}}\d[\d{_CAPITAL}r]{{0,14}}"
    r"(?:\(\d{1,5}\))?(?:[./-][\dA-Za-zА-Яа-яЀ-ӿԱ-և]{1,10}|[ ][/-][ ]?\d{1,10}|[ ]\d{2,10}|[ ][A-Z](?=[ ]\d)){0,5}"
    r"(?:[ ][A-Z]{1,2}(?!\w))?"
)

_REGISTER = re.compile(
    r"\d{2,7}/(?:1\d|2\d|20[12]\d)\Z|\d{1,7}(?:[-/][A-ZА-Я\d]{1,8}){2,4}\Z|\d{4,7}[-/]\d{2,8}\Z|"
    r"\d{1,7}[-/]\d{4,8}\Z|\d{3,7}[-/][A-ZА-Я]{1,3}\Z"
)


def _is_document(match: re.Match[str], *, least: int) -> bool:
    words = match[0].lstrip("№#NnoOrR. ")
    signed = words != match[0]
    coded = re.search(r"[A-ZА-Я]?[/-]", words) is not None
    return _digits(words) >= least - coded and not (
        (not signed and _PERIOD.fullmatch(words)) or is_amount(match) or _is_law(match)
    )


def _is_code(match: re.Match[str]) -> bool:
    words = match[0]
    if _PERIOD.fullmatch(words) or is_amount(match) or _is_law(match):
        return False
    if words[0].isalpha():
        return _digits(words) >= 4 or ("/" in words and _digits(words) >= 3)
    return _REGISTER.match(words) is not None


DOCUMENT = PatternRecognizer(
    name="document",
    entity_type="DOCUMENT",
    pattern=rf"(?<![\w/.+-])(?:(?:[№N#]|No\.?|Nr\.?|nr\.?|no\.?)\s?)?{_CODE}(?!\w)",
    before=rf"(?<!\w)(?:{_DOCUMENT_WORDS})[\s:,(«\"–—-]{{1,3}}(?:{_LINK}[\s:.–—-]{{1,3}}){{0,3}}",
    source="numbers after the word for a document, card, register or case",
    score=0.72,
    accept=lambda match: _is_document(match, least=3),
)

NUMBERED = PatternRecognizer(
    name="numbered-document",
    entity_type="DOCUMENT",
    pattern=rf"(?<!\w)(?:[№#]|[Nn][or]\.?|N)\s?(?:[a-zA-Z]{{1,3}}-)?{_CODE}(?!\w)",
    source="numbers of four digits or more, or with a stroke, after the sign for number",
    score=0.55,
    accept=lambda match: _is_document(match, least=3),
)

CODED = PatternRecognizer(
    name="coded-document",
    entity_type="DOCUMENT",
    pattern=r"(?<![\w/.+-])(?:[A-ZА-ЯІ]{1,4}[-/ ]?\d{0,3}[-/ ]?)?\d{1,7}(?:[-/][A-ZА-Я\d]{1,8}){1,4}(?![\w/]|[.,]\d)"
    rf"|(?<![\w/.+-])[{_CAPITAL}]{{1,5}}-(?:[{_CAPITAL}]{{1,4}}-)?\d{{3,9}}(?![\w/-])",
    source="codes of letters, digits and strokes as registers give them: 1184/24, KT-2281, R-2/24-0917",
    score=0.5,
    accept=_is_code,
)
PASSPORT = PatternRecognizer(
    name="passport",
    entity_type="DOCUMENT",
    pattern=rf"(?<!\w)(?:[{_CAPITAL}]{{1,3}}(?:-[{_CAPITAL}]{{1,3}})?[ №-]{{0,3}}\d{{6,9}}|\d{{2}}[A-Z]{{2}}\d{{5}}|"
    r"[A-Z]{2}(?:[ ]?\d{3}){3}[ ]?[A-Z]{2})(?!\w)",
    source="series of one to three letters and six to nine digits: passports and identity cards of the region; "
    "Georgian identity cards (two digits, two letters, five digits); postal tracking",
    score=0.6,
)

_GROUPED = re.compile(r"\d{1,3}(?: \d{3}){2,3}")


def _is_grouped(match: re.Match[str]) -> bool:
    """Whether digits in groups of three with round thousands are a sum without its currency."""
    return _GROUPED.fullmatch(match[0]) is not None and match[0].endswith("000")


def explains(match: re.Match[str]) -> bool:
    """Whether digits are a sum, a dose, a count, a law, a date or a period."""
    return bool(_PERIOD.fullmatch(match[0]) or is_amount(match) or _is_law(match) or _is_grouped(match))


DIGIT_RUN = PatternRecognizer(
    name="digit-run",
    entity_type="DOCUMENT",
    pattern=r"(?<![\w+.,/-])\d(?:[ -]?\d){6,23}(?:[/-]\d{1,8}){0,3}(?!\d)",
    source="seven digits or more that are no amount, date or period: hidden whatever they are",
    score=0.4,
    accept=lambda match: (
        _digits(match[0]) >= 7 and not (_PERIOD.fullmatch(match[0]) or is_amount(match) or _is_grouped(match))
    ),
)
LONG_DIGITS = PatternRecognizer(
    name="long-digits",
    entity_type="DOCUMENT",
    pattern=r"\d{7,64}",
    source="the net below all others, also inside a word",
    score=0.3,
    accept=lambda match: not is_amount(match),
)

RECOGNIZERS = (DOCUMENT, NUMBERED, CODED, PASSPORT, DIGIT_RUN, LONG_DIGITS)
