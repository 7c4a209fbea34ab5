"""E-mail addresses, links, handles, addresses of machines and devices."""

from __future__ import annotations

import ipaddress
import re

from ..base import PatternRecognizer
from ..regional import any_of

_DOMAIN = r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[^\W\d_]{2,24}"

EMAIL = PatternRecognizer(
    name="email",
    entity_type="EMAIL",
    pattern=(
        rf"(?<![\w.+-])[\w.+-]{{1,64}}(?:@|\s?[(\[]at[)\]]\s?|\s(?:собака|@)\s)(?:{_DOMAIN}|"
        rf"[\w-]{{1,63}}\s?[(\[]?\s?(?:dot|точка)\s?[)\]]?\s?[^\W\d_]{{2,24}})"
        r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{2,63}(?!\w)"
    ),
    source="RFC 5322 addr-spec in its usual form; '(at)' and 'собака' as people write them",
    needs=("@", "at)", "at]", "собака", "AT)", "AT]"),
    score=0.95,
    folded=True,
)

URL = PatternRecognizer(
    name="url",
    entity_type="URL",
    pattern=r"(?<!\w)(?:(?:https?|hxxps?|ftp)://|"
    r"www\.)[^\s<>\"'«»()\[\]{}\ue000]{2,400}[^\s<>\"'«»()\[\]{}\ue000.,;:!?]",
    source="RFC 3986, with a scheme or www",
    needs=("://", "www.", "WWW.", "Www."),
    score=0.9,
    folded=True,
)

_TOP = (
    "com|org|net|info|biz|io|me|tv|app|online|site|news|media|press|shop|xyz|ua|md|ge|am|az|kz|kg|tj|uz|al|ba|"
    "mk|rs|ru|ro|tr|pl|eu|de|su|рф|укр|"
    "example|test|invalid|link|club|blog|live|cc|co|ly|gov|edu"
)

BARE_URL = PatternRecognizer(
    name="bare-url",
    entity_type="URL",
    pattern=rf"(?<![\w@.-])(?:[A-Za-z0-9][\w-]{{0,62}}\.){{1,4}}(?:{_TOP})(?![\w-])(?:/[\w./?=&%#~+-]{{0,200}}"
    rf"[\w/=])?",
    source="a host under a top-level domain that narratives name, with or without a path",
    needs=(".",),
    score=0.75,
)

_NETWORKS = (
    r"t\.me|telegram\.me|instagram\.com|facebook\.com|fb\.com|vk\.com|vk\.ru|ok\.ru|tiktok\.com|wa\.me|"
    r"twitter\.com|x\.com|youtube\.com"
)

PROFILE = PatternRecognizer(
    name="profile-link",
    entity_type="HANDLE",
    pattern=rf"(?<![\w.])(?:https?://)?(?:www\.|m\.)?(?:{_NETWORKS})/[@+\w./?=&%-]{{0,200}}[\w/]",
    source="profile links of the networks that narratives name",
    needs=("/",),
    score=0.92,
    folded=True,
)

HANDLE = PatternRecognizer(
    name="handle",
    entity_type="HANDLE",
    pattern=r"(?<![\w@./])@[^\W\d](?:[\w.-]{0,40}\w)?",
    source="handles of Telegram, Instagram and the like: letters, digits, _ and dots",
    needs=("@",),
    score=0.9,
)

_MESSENGER = (
    r"телегр?а?м?\w{0,3}|тг|инстаграм\w{0,2}|инст[аеуы]|тик-?ток\w{0,2}|фейсбук\w{0,2}|вконтакте|вк|ник(?:ом|а|"
    r"нейм\w{0,2})?|логин\w{0,2}|аккаунт\w{0,2}|профил\w{1,2}|канал\w{0,2}|страниц\w{1,2}|"
    r"telegram|tg|instagram|insta|ig|tik-?tok|facebook|fb|nick(?:name)?|handle|username|login|snapchat|discord|"
    r"grindr|hornet|signal|skype|account|profile|page|channel|from"
)

NAMED_HANDLE = PatternRecognizer(
    name="named-handle",
    entity_type="HANDLE",
    pattern=r"(?<![\w@./-])(?=[A-Za-z0-9.]{0,40}[._\d])[A-Za-z][A-Za-z0-9._]{2,40}[A-Za-z0-9_](?![\w@])",
    before=rf"(?<!\w)(?:{_MESSENGER}|{any_of('network')})\.?(?:\s(?:account|profile|page|channel|аккаунт|профиль|страниц\w|канал|под|"
    rf"ником?|name|is|as|by|there|on|-|–|—)){{0,2}}[\s:]{{1,2}}[«\"“'(]?",
    source="a name with a digit, dot or _ after the word for a network",
    score=0.7,
    accept=lambda match: (
        re.search(r"[._\d]", match[0]) is not None
        and not re.fullmatch(r"[A-Za-z]\w{0,2}\d{0,2}|[A-Za-z]+\.[A-Z]\w*", match[0])
    ),
)

_FIELDS = frozenset({"client_code", "case_id", "client_id", "full_name", "birth_date", "date_of_birth"})

LOOSE_HANDLE = PatternRecognizer(
    name="loose-handle",
    entity_type="HANDLE",
    pattern=r"(?<![\w@./=-])[A-Za-z][A-Za-z0-9]{1,24}(?:_[A-Za-z0-9]{1,24}){1,4}(?![\w@./])",
    source="words joined by _ are no prose",
    needs=("_",),
    score=0.55,
    accept=lambda match: not match[0].isupper() and match[0] not in _FIELDS,
)


def _is_ip(match: re.Match[str]) -> bool:
    try:
        ipaddress.ip_address(match[0])
    except ValueError:
        return False
    return True


IP = PatternRecognizer(
    name="ip",
    entity_type="IP",
    pattern=r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)|"
    r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f:]{1,9}(?![\w:])",
    source="RFC 791 and RFC 4291, checked with the standard library",
    score=0.9,
    accept=_is_ip,
)

MAC = PatternRecognizer(
    name="mac",
    entity_type="IP",
    pattern=r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])",
    source="IEEE 802: EUI-48",
    score=0.9,
)

IMEI = PatternRecognizer(
    name="imei",
    entity_type="IP",
    pattern=r"(?<!\w)imei\W{0,3}(?:\w{1,8}\W{1,2}){0,2}(?P<entity>\d[\d /-]{12,20}\d)(?!\w)",
    source="3GPP TS 23.003: 15 digits",
    score=0.95,
    folded=True,
)

RECOGNIZERS = (EMAIL, PROFILE, URL, BARE_URL, HANDLE, NAMED_HANDLE, LOOSE_HANDLE, IP, MAC, IMEI)
