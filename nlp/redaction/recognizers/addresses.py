"""Addresses: streets with house and flat, houses without a street, positions on the map."""

from __future__ import annotations

import re

from ..base import PatternRecognizer
from ..lexicon import UPPER, is_common, is_harmless
from ..regional import any_of

_NAME = rf"[{UPPER}][\w’'ʻ-]{{0,24}}\.?"
_WHOLE = rf"[{UPPER}][\w’'ʻ-]{{1,24}}"
_ORDINAL = (
    r"(?:first|second|third|fourth|fifth|ground|top|last|перв\w{2}|втор\w{2}|трет\w{2,3}|"
    r"четв[её]рт\w{2}|пят\w{2}|последн\w{2}|\d{1,2}(?:st|nd|rd|th|-?[йяе])?)"
)
_PART = (
    r"(?:house|bldg\.?|building|block|blok|bl\.?|apt\.?|apartment|flat|ap\.?|office|room|rm\.?|cab\.?|entrance|"
    r"floor|stan|kat|ulaz|lok\.?|sc(?:ara|\.)?|et(?:ajul?|\.)|hyrja|kati|banesa|"
    r"дом|д\.|корпус|корп\.?|строение|стр\.|кв(?:артира|\.)?|ап\.?|офис|оф\.|комн(?:ата|\.)|к\.|подъезд|под\.|"
    r"эт(?:аж|\.)?|блок|буд\.?|б\.)"
)
_TAIL = (
    rf"(?:\s?,?\s?(?:{_PART}\s?(?:No\.?\s?|№\s?)?(?:\d{{1,4}}(?:[-/]\d{{1,4}})?(?:[А-Яа-яA-Za-z](?!\w))?|"
    rf"[A-ZА-Я](?!\w))|{_ORDINAL}\s(?:entrance|floor|подъезд\w?|этаж\w?|двор\w?|flat)"
    r"|(?:No\.?|№|nr\.?|br\.?)\s?\d{1,4}(?:[-/]\d{1,4})?[А-Яа-яA-Za-z]?(?!\w)|\d{1,4}(?:\s?[-/]\s?(?:\d{1,4}|"
    r"[А-Яа-яA-Z](?!\w)))?(?:[ -]?[А-Яа-яA-Za-z](?!\w))?(?![\w:]|[.,]\d)|bb(?!\w))"
    r"(?:\s(?:from\sthe\s(?:yard|street)|со\sдвора|во\sдворе))?)"
)
_LANDMARK = (
    r"(?:behind|next\sto|opposite|before|beside|across\sfrom|above|near|after|за|рядом\sс|напротив|"
    r"возле|над|около|под)[ ](?:the[ ])?(?:[^\W\d_]{2,16}[ ]){0,2}[^\W\d_]{3,18}"
)
_BESIDE = rf"(?:,[ ]?{_LANDMARK})?"
_STREET_BEFORE = (
    r"ул(?:иц(?:ей|[аеыуію])|\.)|вул(?:иц\w{1,2}|\.)|просп(?:ект\w{0,2}|\.)|пр-т\w?|пр-кт|пр\.|"
    r"пер(?:еул\w{2,3}|\.)|пров(?:улок|улк\w|\.)|бульвар\w{0,2}|бул\.|б-р\w?|шоссе|ш\.|площад[ьи]ю?|пл\.|"
    r"микрорайон\w{0,2}|мкр-?н?\w?\.?|м-н\w?|кварта?л\w{0,2}|жилмассив\w{0,2}|ж/м|тупик\w{0,2}|проезд\w{0,2}|"
    r"набережн\w{2,3}|трасс\w|көчөсү|"
    r"str(?:ada|\.)|bd\.?|bulevardul?|bulevar|bul\.|ulic[aeiu]|ulitsa|ul\.|vul(?:ytsia|\.)|prov(?:ulok|\.)|"
    r"prosp(?:ekt|\.)|pr\.|per(?:eulok|\.)|rrug[aëe]s?|rr\.|bulevardi|mkr\.?|mikroraion|microdistrict|street|"
    r"avenue|boulevard|lane|šos\.|trg"
)

STREET = PatternRecognizer(
    name="street",
    entity_type="ADDRESS",
    pattern=(
        rf"(?<!\w)(?i:{_STREET_BEFORE})\s?[«\"“]?(?:(?:\d{{1,3}}[- ](?:й|я|го|ей|лет|"
        rf"ші)\s)?(?:[IVX]{{1,4}}\s)?{_NAME}(?:(?:[ -]|\s(?:e|i|de|din|cel|чел|бин|хан|хана|ата|батыра|"
        rf"и)\s){_NAME}){{0,3}}"
        r"(?:\s(?:хана|ата|баатыра|батыра|көчөсү))?|[^\W\d_]{{3,20}}(?:\s[^\W\d_]{{3,20}})?(?=\s\d)|"
        r"\d{1,3}(?:-?[абвгАБВГйя])?(?![\w.,]\d))[»\"”]?"
        rf"{_TAIL}{{0,4}}{_BESIDE}"
    ),
    source="a word for street before its name, with house and flat where told",
    score=0.8,
    accept=lambda match: re.search(r"\d", match[0]) is not None or not _is_sentence_word(match),
)


def _is_sentence_word(match: re.Match[str]) -> bool:
    """Whether what follows the word for street is the next sentence, or a sentence that starts with "The street"."""
    name = re.search(rf"[{UPPER}][^\W\d_]+", match[0][2:])
    return name is None or (re.match(r"[A-Za-z]+\s", match[0]) is not None and is_common(name[0]))


_STREET_AFTER = (
    r"(?:[Ss]treet|[Ss]tr\.|[Ss]t\.?|[Aa]venue|[Aa]ve\.?|[Ll]ane|[Rr]oad|[Bb]oulevard|[Bb]lvd\.?|[Ss]quare|"
    r"[Aa]lley|[Pp]rospe[kc]t|көшөсү|көчөсү|көшесі|küçəsi|ko['ʻ’]chasi|"
    r"ул(?:иц[аеыу]|\.)|просп(?:ект[еа]?|\.)|пр(?:оспект|\.|-т)|шоссе|переул(?:ок|ке)|бульвар[еа]?|"
    r"микрорайон[еа]?|мкр\.?|ქუჩა|փողոց)"
)

STREET_AFTER = PatternRecognizer(
    name="street-after",
    entity_type="ADDRESS",
    pattern=rf"(?<!\w)(?:\d{{1,4}}[A-Za-z]?,?\s)?(?:{_NAME}\s){{1,3}}{_STREET_AFTER}(?!\w){_TAIL}{{0,4}}",
    source="a word for street after its name, with the number on either side",
    score=0.75,
    accept=lambda match: _has_a_name(match[0]),
)


def _has_a_name(words: str) -> bool:
    """Whether a capitalized word other than a common one stands before the word for street ("The street", "Our
    street")."""
    names = re.findall(rf"[{UPPER}][^\W\d_]+", words)
    return any(not is_common(name) for name in names[:-1] or names) or (
        len(names) > 1 and any(c.isdigit() for c in words)
    )


LOWER_STREET = PatternRecognizer(
    name="lower-street",
    entity_type="ADDRESS",
    pattern=(
        rf"(?<!\w)(?!(?:near|at|on|in|from|by|the|this|their|our|his|her|на|по|"
        rf"у)\s)(?:[^\W\d_]{{3,24}}\s){{1,2}}(?:st|str|street|ave|avenue|prospekt)\.?\s\d{{1,4}}{_TAIL}{{0,3}}"
        rf"|(?<!\w)(?:ул|пр|пер|мкр|просп|улица|улице|вул|ul|str|"
        rf"vul)\.?\s(?:[^\W\d_]{{2,24}}\s){{1,2}}\d{{1,4}}(?:/\d{{1,4}})?[а-я]?(?!\w){_TAIL}{{0,3}}"
    ),
    needs=("st ", "st. ", "str", "street", "ave", "prospekt", "ул", "пр", "пер", "мкр", "вул", "ul", "vul"),
    source="a street with its house number, without capitals",
    score=0.7,
    folded=True,
)

HOUSE = PatternRecognizer(
    name="house",
    entity_type="ADDRESS",
    pattern=(
        rf"(?<!\w)(?i:дом|д\.|house|building|blok|bl\.|block|общежитие|"
        rf"корпус)\s?№?\s?\d{{1,4}}[А-Яа-яA-Za-z]?(?:\s?/\s?\d{{1,4}})?,?\s?(?i:кв(?:артира|\.)?|apartment|"
        rf"apt\.?|flat|ap\.|room|комн\w{{0,3}})\s?№?\s?\d{{1,4}}"
        rf"|(?<!\w)\d{{1,2}}(?:-?(?:th|st|nd|rd|й|ый|ом|м))?\s?(?i:microdistrict|mkr\.?|микрорайон\w?|"
        rf"мкр\.?)(?!\w){_TAIL}{{0,4}}"
    ),
    source="house and flat without the street, numbered districts",
    score=0.75,
)

_NOT_STREETS = frozenset(
    "article section window room ward cabinet bus tram trolleybus line paragraph field block group step point "
    "part chapter page статья окно палата кабинет "
    "маршрут автобус троллейбус трамвай глава часть пункт группа форма шаг день".split()
)


def _is_street(match: re.Match[str]) -> bool:
    first = match["name"].split()[0].rstrip(".")
    return not (first.lower() in _NOT_STREETS or is_harmless(first) or (is_common(first) and " " not in match["name"]))


BARE_STREET = PatternRecognizer(
    name="bare-street",
    entity_type="ADDRESS",
    pattern=(
        rf"(?<!\w)(?P<name>{_WHOLE}(?:\s(?:{_WHOLE}|[a-zа-я]{{4,14}}(?=\s\d)|od\s{_WHOLE}|e\s{_WHOLE})){{0,2}})[ ]"
        rf"(?:\d{{1,4}}(?:\s?/\s?\d{{1,4}}|-\d{{1,3}})?(?:[ ]?[а-дa-dА-ДA-D](?!\w))?(?![\w:%]|[.,]\d|"
        rf"\s?(?i:лет|год|час|сом|тенге|мин|day|year|hour|times|раз|месяц|people|мг|mg|{_NAME}\s\d))|"
        rf"bb(?!\w)){_TAIL}{{0,3}}{_BESIDE}"
    ),
    before=r"(?<!\w)(?:на|по|адрес\w{0,2}|живёт|живет|проживает|прож\.|дом|кварт\w{2,3}|"
    r"address(?:[^:\n]{0,20}:)?|at|on|in|to|near|near\sto|from|of|rents?|lives|living|u|në|sauna\son|"
    r"addr)[\s:]{1,2}(?:в\s)?"
    r"|,\s",
    source="a name with a house number after a preposition of place, without the word for street",
    score=0.7,
    accept=_is_street,
)

GPS = PatternRecognizer(
    name="gps",
    entity_type="ADDRESS",
    pattern=r"(?<![\w.])-?\d{1,2}[.,]\d{3,8}°?\s?[NSСЮ]?\s?[,;]?\s?-?\d{1,3}[.,]\d{3,8}°?\s?[EWВЗ]?(?![\w.]\w)(?!\w)",
    source="decimal degrees, latitude and longitude",
    score=0.85,
)

_LOOKS = (
    rf"(?:{_ORDINAL}|[^\W\d_]{{3,8}}-storey|last|blue|green|red|yellow|white|gr[ea]y|brown|pink|corner|old|new|"
    rf"former|small|big|"
    r"последн\w{2,3}|крайн\w{2,3}|углов\w{2,3}|син\w{2,3}|зел[её]н\w{2,3}|бел\w{2,3}|красн\w{2,3}|"
    r"ж[её]лт\w{2,3}|сер\w{2,3}|голуб\w{2,3}|"
    r"\w{3,12}этажн\w{2,3}|стар\w{2,3}|нов\w{2,3}|бывш\w{2,3}|маленьк\w{2,3})"
)
_BUILDING = (
    r"(?:house|building|block|hut|garage|basement|dormitory|flat|cottage|barn|kiosk|trailer|shack|"
    r"дом(?:а|е|у|ом)?|подвал(?:е|а)?|барак(?:е|а)?|гараж(?:е|а)?|общежити[еяи]|вагончик(?:е|а)?|квартир[аеыу]|"
    r"\w{3,12}этажк[аеиу])"
)

DESCRIBED_HOUSE = PatternRecognizer(
    name="described-house",
    entity_type="ADDRESS",
    pattern=rf"(?<!\w){_BUILDING}(?:\s{_BUILDING})?(?:,?\s(?:with|с)\s(?:the\s|"
    rf"a\s)?(?:[^\W\d_]{{2,14}}\s){{0,2}}[^\W\d_]{{2,14}})?,?\s{_LANDMARK}",
    before=rf"(?:(?<!\w)the\s)?(?:(?<!\w){_LOOKS}\s){{0,2}}",
    reach=40,
    joined=True,
    folded=True,
    needs=(
        "house",
        "building",
        "block",
        "hut",
        "garage",
        "basement",
        "dorm",
        "flat",
        "дом",
        "подвал",
        "этаж",
        "барак",
        "кварт",
        "общежит",
    ),
    source="a building told apart by what stands beside it",
    score=0.5,
)

_STREET_NAME = rf"(?:[{UPPER}][\w’'ʻʼ-]{{0,24}}\.?|[ა-ჰ]{{3,20}}|\d{{1,3}}-[^\W\d_]{{1,6}})"
_NUMBER = (
    rf"(?:[\s,]{{1,2}}(?:(?i:{any_of('house_part')})\s?)?(?:[№N]|[Nn]r\.?|[Bb]r\.?|бр\.)?\s?"
    r"\d{1,4}(?:[-/]\d{1,4})?(?:[ -]?[^\W\d_](?!\w))?(?![\w:]|[.,]\d)"
    r"(?:[- ]?(?:үй|пәтер|батир|ev|mənzil|uy|xonadon)(?!\w))?)"
)

REGIONAL_STREET = PatternRecognizer(
    name="regional-street",
    entity_type="ADDRESS",
    pattern=rf"(?<!\w)(?i:{any_of('street_before')})(?:\s|(?<=\.))[«\"“„]?{_STREET_NAME}(?:\s{_STREET_NAME}){{0,3}}[»\"”“]?"
    rf"{_NUMBER}{{1,4}}",
    source="a word for street before its name, with the number of the house, in the other languages served",
    score=0.75,
)

REGIONAL_STREET_AFTER = PatternRecognizer(
    name="regional-street-after",
    entity_type="ADDRESS",
    pattern=rf"(?<!\w)[«\"“„]?{_STREET_NAME}(?:\s{_STREET_NAME}){{0,3}}[»\"”“]?\s(?i:{any_of('street_after')})(?!\w)[,]?"
    rf"{_NUMBER}{{0,4}}",
    source="a word for street after its name, in the other languages served",
    score=0.75,
)

RECOGNIZERS = (
    REGIONAL_STREET,
    REGIONAL_STREET_AFTER,
    STREET,
    STREET_AFTER,
    LOWER_STREET,
    HOUSE,
    BARE_STREET,
    GPS,
    DESCRIBED_HOUSE,
)
