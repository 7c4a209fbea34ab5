"""Institutions that can be found: with a name, with a number, named after their place."""

from __future__ import annotations

import re

from ..base import PatternRecognizer
from ..lexicon import UPPER, is_common, is_harmless
from ..regional import any_of

_NAME = rf"[{UPPER}][\w’'ʻ-]{{1,24}}"
_INSTITUTION_RU = (
    r"больниц[аеыуй]\w?|больнице[йю]|госпитал[ьяею]\w?|поликлиник[аеиуо]\w?|полик\.|стомат\.|больн\.|"
    r"род(?:ильн\w{2,3}\s)дом\w{0,2}|ЦПМСП|клиник[аеиуо]\w?|роддом\w{0,2}|дом\w?\sребёнка|диспансер\w{0,2}|"
    r"центр\w{0,2}|аптек[аеиуо]\w?|амбулатори[яией]\w?|ФАП\w?|"
    r"ГКБ|ЦСМ|ЦРБ|ЦРЛ|ТБ|ГСВ|ГБ|медсанчаст[ьи]ю?|медцентр\w?|МЦ|стоматологи[яией]\w?|школ[аеыуо]\w?|"
    r"гимнази[яией]\w?|лице[йяею]\w?|детск\w{2,3}\sсад\w{0,2}|детсад\w{0,2}|садик\w{0,2}|ясл[ией]\w?(?:-сад\w?)?|"
    r"колледж\w{0,2}|училищ[аеу]\w?|университет\w{0,2}|институт\w{0,2}|колони[яией]\w?|СИЗО|ИК|УП|ИВС|"
    r"тюрьм[аеыуо]\w?|(?:пенитенциарн\w{2,3}|исправительн\w{2,3})\sучреждени[еяюй]\w?|"
    r"пенитенциар[еийаю]\w{0,2}|учреждени[еяюй]\w?|учр\.|"
    r"РОВД|ГОВД|ОВД|УВД|РУВД|ГУВД|РУП|ОП|отдел(?:ени)?[аеуию]?\w?|участ(?:ок|ке|ка)|военкомат\w{0,2}|"
    r"(?:\w{3,12}\s)?(?:рай)?суд(?:е|а|у|ом)?|завод\w{0,2}|фабрик[аеиуо]\w?|кафе|бар[ае]?|клуб\w{0,2}|"
    r"ресторан\w{0,2}|"
    r"гостиниц[аеыу]\w?|отел[ьея]\w?|мотел[ьея]|хостел\w{0,2}|общежити[еяи]\w?|сауна|сауны|сауне|сауну|баня|"
    r"бане|магазин\w{0,2}|супермаркет\w?|рынок|рынк[аеу]|базар\w?|ТЦ|ТРЦ|салон\w{0,2}|санатори[йяие]\w?|"
    r"фонд\w{0,2}|организаци[яией]\w?|объединени[еяюй]\w?|ассоциаци[яией]\w?|НПО|ОО|ОФ|БФ|БО|ГО|ТОО|ООО|ОсОО|"
    r"МЧЖ|SRL|АО|ЧП|компани[яией]\w?|фирм[аеыуо]\w?|банк\w{0,2}|приют\w{0,2}|интернат\w{0,2}|"
    r"(?:воинск\w{2,3}\s|войсков\w{2,3}\s)?част[ьи]ю?|в/ч|портал\w?|газет[аеыу]\w?|канал\w?|мечет[ьи]\w?|"
    r"пекарн[яеию]\w?|цех\w?|бригад[аеы]|лабораторин?[яией]|лаборатори[яией]\w?|лаб[ае]|библиотек[аеиу]\w?|"
    r"театр[ае]?|ДЮСШ"
)
_INSTITUTION_EN = (
    r"hospital|polyclinic|clinic|dispensary|maternity(?:\s(?:hospital|home|house|ward))?|centre|center|"
    r"pharmacy|ambulatory|FMC|school|gymnasium|lyceum|kindergarten|nursery|college|university|institute|"
    r"colony|prison|penitentiary(?:\sinstitution)?|(?:penal|correctional)\s(?:facility|institution|colony)|"
    r"facility|institution|inst\.|SIZO|detention\s(?:centre|center|facility)|police\s(?:station|department)|"
    r"ROVD|precinct|court|factory|plant|"
    r"cafe|café|restaurant|bar|club|hotel|motel|hostel|dormitory|sauna|bathhouse|shop|store|salon|sanatorium|"
    r"foundation|fund|association|organi[sz]ation|NGO|LLC|SRL|DOOEL|DOO|company|firm|bank|shelter|camp|"
    r"(?:military\s)?unit|cabinet|stomatology|dentistry|bakery|mosque|church|office|newspaper|portal|"
    r"laboratory|lab|library|theatre|theater|palace|house|initiative|mall|supermarket|spitalul|policlinica|"
    r"bolnica|dom\szdravlja|spitali|shkolla|poliklinika|škola|zatvor|kafana|fabrika"
)
_INSTITUTION = rf"(?:{_INSTITUTION_RU}|{_INSTITUTION_EN})"
_UNIT_AFTER = (
    r"(?i:\s?(?:лет|год|час|сом|тенге|мин|day|year|hour|times|раз|месяц|people|man|men|women|ч(?!\w)|"
    r"am(?!\w)|pm(?!\w)|дн|человек|о'clock))"
)
_ADJECTIVE = (
    r"(?:[^\W\d_]{3,20}(?:ая|ой|ую|ый|ий|ого|ому|ом|ое|ым|им|ном)|city|district|regional|family|"
    r"children's|secondary|women's|state|general|dental|clinical|primary|care|medical|youth|central|municipal|"
    r"private|health|mental)"
)

NUMBERED = PatternRecognizer(
    name="numbered-organisation",
    entity_type="ORGANISATION",
    pattern=rf"(?<![\w.,/:-])(?:(?:[Nn]umber|[Nn]o\.?|[Nn]r\.?|номер)\s?|[№N#]\s?)?\d{{1,5}}(?![\w:/-]|[.,]\d|"
    rf"{_UNIT_AFTER})(?:\s[«\"“][^»\"”\n\ue000]{{2,30}}[»\"”])?",
    before=rf"(?<!\w)(?:{_ADJECTIVE}\s){{0,4}}(?:{_INSTITUTION})\s(?:(?:ментального|охраны|"
    rf"психического)\s\w{{4,12}}\s?)?",
    joined=True,
    source="an institution with its number",
    score=0.7,
)

CODED = PatternRecognizer(
    name="coded-institution",
    entity_type="ORGANISATION",
    pattern=r"(?<![\w/-])(?:(?!BP|АД|Ku|RR|HR|AD|РМ)[A-ZА-Я][A-Za-zА-Я]{1,2}[- ]?\d{1,3}/\d{1,3}|"
    r"[АA]-?\d{4})(?![\w/-])",
    source="prisons (ЕЦ-166/25, AK-159/6) and military units (А7716) by their code",
    score=0.6,
)

_AFTER_NAME = rf"(?:[ ](?:and|of|for|va|yev|и|de|{_NAME}|\d{{1,3}})){{0,3}}"

NAMED = PatternRecognizer(
    name="named-organisation",
    entity_type="ORGANISATION",
    pattern=(
        rf"им(?:ени|\.)\s?{_NAME}(?:\s{_NAME}){{0,2}}"
        r"|[«\"“„](?!\ue000)[^»\"”“\n\ue000.!?]{2,48}[»\"”“](?:\s?(?:№|No\.?)\s?\d{1,4})?"
    ),
    before=rf"(?<!\w)(?:{_ADJECTIVE}\s){{0,2}}(?:{_INSTITUTION})\s?(?:(?:number|no\.?|№|nr\.?)\s?\d{{1,4}}\s)?",
    joined=True,
    source="an institution with its name in quotation marks or after 'named after'",
    score=0.7,
    accept=lambda match: match[0].startswith("им") or _is_quoted_name(match[0]),
)
_QUOTED = re.compile(r"[«\"“„]([^»\"”“\n\ue000]{2,48})[»\"”“]")


def _is_quoted_name(words: str) -> bool:
    quoted = _QUOTED.search(words)
    return quoted is not None and quoted[1][-1] not in ",;:"


def _is_name_in_quotes(match: re.Match[str]) -> bool:
    """Whether quotation marks hold a name and not speech: few words, no stop, capitals, and not common words alone."""
    words = match["quoted"].split()
    if not words or len(words) > 4 or not (words[0][0].isupper() or words[0][0].isdigit()):
        return False
    if re.search(r"[.,!?:;…–—]", match["quoted"]):
        return False
    letters = [word for word in words if word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in letters)
    if len(letters) > 1 and capitals < len(letters) - 1:
        return False
    return any(word[0].isupper() and not is_common(word.strip("-")) and not is_harmless(word) for word in letters)


IN_QUOTES = PatternRecognizer(
    name="name-in-quotes",
    entity_type="ORGANISATION",
    pattern=r"[«\"“„](?P<quoted>[^»\"”“«„\n\ue000]{3,40})[»\"”“](?:\s?(?:№|No\.?)\s?\d{1,4})?(?:\s(?:DOOEL|DOO|"
    r"LLC|SRL|Ltd))?",
    source="a short name with capitals in quotation marks",
    score=0.5,
    accept=_is_name_in_quotes,
)

_ENGLISH_LAST = (
    r"(?:Hospital|Clinic|Polyclinic|Dispensary|School|Kindergarten|College|University|Institute|Prison|Colony|"
    r"Court|Hotel|Hostel|Foundation|Fund|Association|Bank|LLC|Ltd|Shelter|Sanatorium|"
    r"Pharmacy|Cafe|Café|Sauna|Restaurant|Initiative|Center|Centre|ROVD|OVD|Garden|Palace|House\sof\sJustice|"
    r"DOOEL|DOO)"
)

CAPITALIZED = PatternRecognizer(
    name="capitalized-organisation",
    entity_type="ORGANISATION",
    pattern=rf"(?<!\w)(?P<first>{_NAME})\s(?:(?:of|and|for|{_NAME})\s){{0,4}}{_ENGLISH_LAST}(?!\w)(?:\s(?:of|"
    rf"for)\s{_NAME})?",
    source="capitalized words that end in a word for an institution",
    score=0.72,
    accept=lambda match: any(
        not (is_common(word) or is_harmless(word)) for word in re.findall(rf"[{UPPER}][^\W\d_]+", match[0])
    ),
)

PLACED = PatternRecognizer(
    name="placed-organisation",
    entity_type="ORGANISATION",
    pattern=(
        rf"(?<!\w)(?P<first>{_NAME})\s(?:{_ADJECTIVE}\s|TB\s|trauma\s|interdistrict\s|territorial\s|"
        rf"межрайонн\w{{2,3}}\s){{0,3}}(?i:РОВД|ГОВД|ОВД|РУВД|РУП|УВД|ГУВД|ЦРБ|ЦСМ|ТБ|ГСВ|ЦРЛ|ЦОН\w?|(?:рай|"
        rf"гор|обл)?суд(?:а|е|у|ом)?|"
        r"(?:рай|гор)?больниц[аеыу]\w?|роддом\w?|диспансер\w?|военкомат\w?|(?:рай|гор)?отдел\w{0,2}\sполиции|"
        r"тюрьм[аеы]|колони[яеию]|полицейск\w{2,3}\sучаст\w{2,3}|управлени\w{1,2}\s\w{6,14}|центр\w?\s\w{5,16}|"
        r"ROVD|GOVD|OVD|police\s(?:station|department)|hospital|dispensary|prison|colony|court|mosque|church|"
        r"polyclinic|clinic|(?:\w{3,8}\s){0,1}unit|(?:\S{2,9}\s){0,2}school)(?!\w)"
    ),
    source="an institution told apart by its place: Ленинский РОВД, Kovel district hospital",
    score=0.72,
    accept=lambda match: not (is_common(match["first"]) or is_harmless(match["first"])) or _is_place_adjective(match),
)


def _is_place_adjective(match: re.Match[str]) -> bool:
    """A capitalized adjective in the middle of a sentence is part of a name; at its start it may be any word."""
    first = match["first"]
    before = match.string[max(0, match.start() - 2) : match.start()]
    return (
        re.search(r"(?:ск|цк|н)(?:ий|ая|ой|ого|ому|ом|ую|им|ое)$", first) is not None
        and not is_harmless(first)
        and before[-1:] in (" ", "(")
        and before[:1] not in ".!?\n"
    )


NAME_AFTER = PatternRecognizer(
    name="organisation-name-after",
    entity_type="ORGANISATION",
    pattern=rf"(?<!\w)(?:{_NAME})(?:[ ](?:va|yev|and|{_NAME})){{0,2}}(?:\s\d{{1,3}})?(?!\w)",
    reach=20,
    before=r"(?<!\w)(?:association|centre|center|restaurant|hotel|cafe|bar|shelter|foundation|organi[sz]ation|"
    r"NGO|shop|company|clinic|camp|отель|кафе|бар|центр|фонд|ОО|ОФ|клуб|ресторан|магазин)\s",
    source="a capitalized name right after the word for an institution",
    score=0.66,
    accept=lambda match: not (is_common(match[0].split()[0]) or is_harmless(match[0].split()[0])),
)

_WORD = r"[^\W\d_][\w’'ʻʼ-]{2,24}"
_NUMBERED = "(?:сонли|сон|sonli|son|saylı|sayli|nömrəli|ші|шы|чи|чы|inchi|нчи|րդ)"  # endings of a number before a noun

REGIONAL_NUMBERED = PatternRecognizer(
    name="regional-organisation",
    entity_type="ORGANISATION",
    pattern=rf"(?<!\w)(?:{_NAME}\s)?(?:{_WORD}\s){{0,2}}(?i:{any_of('institution')})\s?"
    r"(?:№|N|[Nn]r\.?|[Bb]r\.?|бр\.?|թիվ)\s?\d{1,4}(?!\w|[.,]\d)"
    rf"|(?<![\w.,/-])(?:[№N]|թիվ)?\s?\d{{1,3}}(?:[- ]?{_NUMBERED})?[\s-]"
    rf"(?:{_WORD}\s){{0,2}}(?i:{any_of('institution')})(?!\w)",
    source="an institution with its number, in the other languages served",
    score=0.65,
)

RECOGNIZERS = (REGIONAL_NUMBERED, NUMBERED, CODED, NAMED, IN_QUOTES, CAPITALIZED, PLACED, NAME_AFTER)
