"""How a name of one language is spelt in another: tables of letters, and the routes between them.

Between two languages of the region names travel by way of Russian; into English by each language's own romanization.
The tables follow passports and newspapers where these agree, not a scientific transliteration.
"""

from __future__ import annotations

import re
from functools import cache

Table = tuple[tuple[str, str], ...]


def _table(pairs: str) -> Table:
    """Pairs of letters, the longer first; ``-`` stands for nothing."""
    words = pairs.split()
    found = [(old, "" if new == "-" else new) for old, new in zip(words[::2], words[1::2], strict=True)]
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))


_KAZAKH = "ә а ғ г қ к ң н ө о ұ у ү у һ х і и"
_YUGOSLAV = (
    "a а b б v в g г d д đ ђ e е ž ж z з i и j ј k к l л lj љ m м n н nj њ o о p п r р s с t т ć ћ u у f ф h х c ц č ч "
    "dž џ š ш"
)
_TABLES = {
    ("kk", "ru"): _table(f"{_KAZAKH} гүл гуль күл куль"),
    ("ky", "ru"): _table("ң н ө о ү у гүл гуль күл куль"),
    ("tg", "ru"): _table("ғ г ӣ и қ к ӯ у ҳ х ҷ дж"),
    ("mk", "ru"): _table("ја я ју ю је е ј й ѓ г ќ к љ ль њ нь џ дж ѕ дз"),
    ("uk", "ru"): _table("і и ї и є е ґ г ' ь ій ий ськ ск цьк цк"),
    ("uz", "ru"): _table(
        "a а b б ch ч d д e е f ф g г gʻ г h х i и j ж k к l л m м n н o о oʻ у p п q к r р s с sh ш t т u у v в x "
        "х y й "
        "ya я yo ё yoʻ йу yu ю ye е z з ʼ -"
    ),
    ("az", "ru"): _table(
        "a а b б c дж ç ч d д e е ə а f ф g г ğ г h г x х ı ы i и j ж k к q г l л m м n н o о ö о p п r р s с ş ш t т "
        "u у ü у gü гю kü кю v в y й ya я yu ю ye е yə я yo йо z з"
    ),
    ("ro", "ru"): _table(
        "a а ă э â ы b б c к ce че ci чи ch к d д e е ea я f ф g г ge дже gi джи gh г h х i и ia ия ie ие ii ий iu "
        "иу î ы "
        "j ж k к l л m м n н o о oa оа p п r р s с ș ш t т ț ц u у v в x кс y и z з w в q к"
    ),
    ("ka", "ru"): _table(
        "ა а ბ б გ г დ д ე е ვ в ზ з თ т ი и კ к ლ л მ м ნ н ო о პ п ჟ ж რ р ს с ტ т უ у ფ п ქ к ღ г ყ к შ ш ჩ ч ც ц "
        "ძ дз წ ц ჭ ч ხ х ჯ дж ჰ х"
    ),
    ("hy", "ru"): _table(
        "ա а բ б գ г դ д ե е զ з է э ը ы թ т ժ ж ի и լ л խ х ծ ц կ к հ а հա а հո о հու у հե е հր р հով ов հակ ак ձ дз "
        "ղ г ճ ч մ м յ й յա я յու ю ն н շ ш ո о չ ч պ п ջ дж ռ р ս с վ в տ т ր р ց ц ու у ւ в փ п ք к և ев օ о ֆ ф"
    ),
    ("sr", "ru"): _table(
        "lju лю lja ля nju ню nja ня a а b б v в g г d д đ дж e е ž ж z з i и j й ja я ju ю je е k к l л lj ль m м "
        "n н nj нь o о p п r р s с t т "
        "ć ч u у f ф h х c ц č ч dž дж š ш q к x кс w в y и"
    ),
    ("sq", "ru"): _table(
        "a а b б c ц ç ч d д dh д e е ë е f ф g г gj г h х i и j й ja я ju ю je е k к l л ll л m м n н nj нь o о p "
        "п q ч "
        "r р rr р s с sh ш t т th т u у v в x дз xh дж y ю z з zh ж"
    ),
    ("en", "ru"): _table(
        "a а b б c к ch ч ck к d д e е ee и f ф g г gh г h х i и j дж k к kh х l л m м n н o о oo у ou у p п q к r р "
        "s с sh ш t т th т u у v в w в x кс y и ya я z з zh ж ğ г"
    ),
    ("sr", "sr-cyrl"): _table(_YUGOSLAV),
    ("sr-cyrl", "sr"): _table(" ".join(reversed(_YUGOSLAV.split()))),
    ("uz", "uz-cyrl"): _table(
        "a а b б ch ч d д e е f ф g г gʻ ғ h ҳ i и j ж k к l л m м n н o о oʻ ў p п q қ r р s с sh ш t т u у v в x "
        "х y й "
        "ya я yo ё yoʻ йў yu ю ye е z з ʼ ъ"
    ),
    ("ru", "en"): _table(
        "а a б b в v г g д d е e ё yo ж zh з z и i й y ий iy к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts "
        "ч ch "
        "дж j ш sh щ shch ъ - ы y ь - э e ю yu я ya ье ye"
    ),
    ("uk", "en"): _table(
        "а a б b в v г h ґ g д d е e є ie ж zh з z и y і i ї i й i ий yi к k л l м m н n о o п p р r с s т t у u ф "
        "f х kh "
        "ц ts ч ch ш sh щ shch ь - ю iu я ia ' -"
    ),
    ("tg", "en"): _table(
        "а a б b в v г g ғ gh д d е e ё yo ж zh з z и i ӣ i й y к k қ q л l м m н n о o п p р r с s т t у u ӯ u ф "
        "f х kh "
        "ҳ h ч ch ҷ j ш sh ъ - э e ю yu я ya"
    ),
    ("mk", "en"): _table(
        "а a б b в v г g ѓ gj д d е e ж zh з z ѕ dz и i ј j к k ќ kj л l љ lj м m н n њ nj о o п p р r с s т t у u ф f "
        "х h ц c ч ch џ dj ш sh"
    ),
    ("ka", "en"): _table(
        "ა a ბ b გ g დ d ე e ვ v ზ z თ t ი i კ k ლ l მ m ნ n ო o პ p ჟ zh რ r ს s ტ t უ u ფ p ქ k ღ gh ყ q შ sh ჩ "
        "ch ც ts "
        "ძ dz წ ts ჭ ch ხ kh ჯ j ჰ h"
    ),
    ("hy", "en"): _table(
        "ա a բ b գ g դ d ե e զ z է e ը y թ t ժ zh ի i լ l խ kh ծ ts կ k հ h ձ dz ղ gh ճ ch մ m յ y ն n շ sh ո o չ "
        "ch պ p "
        "ջ j ռ r ս s վ v տ t ր r ց ts ու u ւ v փ p ք k և ev օ o ֆ f"
    ),
    ("az", "en"): _table("c j ç ch ə a ğ gh x kh ı i q g ö o ş sh ü u j zh"),
    ("uz", "en"): _table("oʻ o gʻ g ʼ - x kh"),
    ("ru", "uk"): _table("и і ы и э е ё ьо ъ ' ий ий ск ськ йо йо ие іє ия ія ии ії"),
    ("ru", "mk"): _table("ль љ лю љу ля ља нь њ ы и э е ё јо ю ју я ја й ј ий иј ия ија ь - ъ - щ шч дж џ"),
    ("ru", "sr"): _table(
        "а a б b в v г g д d е e ё jo ж ž з z и i й j ий ij ия ija к k л l ль lj м m н n нь nj о o п p р r с s т t у u "
        "ф f х h ц c ч č ш š щ šč ъ - ы i ь - э e ю ju я ja дж dž лья lja"
    ),
    ("ru", "sq"): _table(
        "а a б b в v г g д d е e ё jo ж zh з z и i й j ий ij к k л l м m н n о o п p р r с s т t у u ф f х h ц c ч ç "
        "ш sh щ shç ъ - ы i ь - э e ю ju я ja ия ia дж xh"
    ),
    ("ru", "ro"): _table(
        "а a б b в v г g ге ghe ги ghi д d е e ё io ж j з z и i й i ий i ия ia к c ке che ки chi л l м m н n о o п "
        "p р r "
        "с s т t у u ф f х h ц ț ч ci ш ș щ șci ъ - ы î ь - э e ю iu я ea дж gi"
    ),
    ("ru", "az"): _table(
        "а a б b в v г q д d е e ё yo ж j з z и i й y ий i ия iya к k л l м m н n о o п p р r с s т t у u ф f х x "
        "ц s ч ç "
        "ш ş щ şç ъ - ы ı ь - э e ю yu я ya дж c"
    ),
    ("ru", "uz"): _table(
        "а a б b в v г g д d е e ё yo ж j з z и i й y ий iy ия iya к k л l м m н n о o п p р r с s т t у u ф f х x ц s "
        "ч ch ш sh щ sh ъ - ы i ь - э e ю yu я ya дж j"
    ),
    ("ru", "ka"): _table(
        "а ა б ბ в ვ г გ д დ е ე ё ო ж ჟ з ზ и ი й ი ий ი ия ია к კ л ლ м მ н ნ о ო п პ р რ с ს т ტ у უ ф ფ х ხ ц "
        "ც ч ჩ "
        "ш შ щ შჩ ъ - ы ი ь - э ე ю იუ я ია дж ჯ"
    ),
    ("ru", "hy"): _table(
        "а ա б բ в վ г գ д դ е ե ё յո ж ժ з զ и ի й յ ий ի ия իա к կ л լ м մ н ն о ո п պ р ր с ս т տ у ու ф ֆ х խ "
        "ц ց ч չ "
        "ш շ щ շչ ъ - ы ի ь - э է ю յու я յա дж ջ"
    ),
}
_SAME_LETTERS = frozenset({("ro", "en"), ("sq", "en"), ("sr", "en"), ("ru", "kk"), ("ru", "ky"), ("ru", "tg")})
_WITHIN = {"bs": "sr", "roma": "sr", "ko": "ru", "abroad": "en", "bs-cyrl": "sr-cyrl", "mk-latn": "sr"}
_ROUTES = {
    ("kk", "en"): ("ru",),
    ("ky", "en"): ("ru",),
    ("mk", "sr"): ("en",),
    ("sq", "mk"): ("ru",),
}
_SOFT_L = re.compile(r"([еэю])л(?=[бвгджзкмнпрстфхцчшщ]|$)")
_START = str.maketrans("е", "э")  # Russian spells a foreign name's first e with э: Elvin, Эльвин


@cache
def respell(word: str, source: str, target: str) -> str:
    """A name of the language ``source`` as ``target`` spells it; capitals of the parts are kept.

    Besides ISO 639-1 codes there are ``bs``, ``roma``, ``ko``, ``abroad`` (files of names), and ``uz-cyrl``,
    ``sr-cyrl``, ``mk-latn`` for a language's other script.
    """
    source, target = _WITHIN.get(source, source), _WITHIN.get(target, target)
    for step in _route(source, target):
        word = _respell_parts(word, source, step)
        source = step
    return word


def _route(source: str, target: str) -> tuple[str, ...]:
    if source == target:
        return ()
    if (source, target) in _TABLES or (source, target) in _SAME_LETTERS:
        return (target,)
    if (source, target) in _ROUTES:
        return (*_ROUTES[source, target], target)
    if target == "sr-cyrl":
        return (*_route(source, "sr"), target)
    if target in ("ru", "uz-cyrl") or ("ru", target) in _TABLES or ("ru", target) in _SAME_LETTERS:
        return tuple(dict.fromkeys(("ru", target)))
    return ()  # a language without a table: the word stays as it is spelt


def _respell_parts(word: str, source: str, target: str) -> str:
    table = _TABLES.get((source, target))
    if table is None:
        return word
    parts = []
    for part in word.split("-"):
        lowered = part.replace("İ", "i").replace("I", "ı").lower() if source == "az" else part.lower()
        new = _replace(lowered, table)
        if target in ("ru", "uz-cyrl") and source in ("uz", "az", "sq", "ro", "en", "ka"):
            new = new[:1].translate(_START) + new[1:]
        if (source, target) == ("az", "ru"):
            new = _SOFT_L.sub(r"\1ль", new)
        parts.append(capitalize(new) if part[:1] != part[:1].lower() or source == "ka" else new)
    return "-".join(parts)


@cache
def _compiled(table: Table) -> tuple[re.Pattern[str], dict[str, str]]:
    return re.compile("|".join(re.escape(old) for old, _ in table)), dict(table)


def _replace(word: str, table: Table) -> str:
    pattern, new = _compiled(table)
    return pattern.sub(lambda match: new[match[0]], word)


def capitalize(word: str) -> str:
    """First letter large; Georgian has no capitals in use."""
    first = word[:1]
    return word if "ა" <= first <= "ჿ" else first.upper() + word[1:]


def script_of(word: str) -> str:
    """``cyrl``, ``latn``, ``geor`` or ``armn`` by the first letter; ``latn`` for a word without letters."""
    for letter in word:
        if letter.isalpha():
            if "Ѐ" <= letter <= "ԯ":
                return "cyrl"
            if "Ա" <= letter <= "և":
                return "armn"
            if "Ⴀ" <= letter <= "ჿ":
                return "geor"
            return "latn"
    return "latn"


_SCRIPTS = (
    {"ka": "geor", "hy": "armn"}
    | dict.fromkeys(("ru", "uk", "kk", "ky", "tg", "mk"), "cyrl")
    | dict.fromkeys(("en", "ro", "sq", "sr", "bs", "uz", "az"), "latn")
)
_OTHER = {("uz", "cyrl"): "uz-cyrl", ("sr", "cyrl"): "sr-cyrl", ("bs", "cyrl"): "sr-cyrl", ("mk", "latn"): "mk-latn"}
_COMMON = {"cyrl": "ru", "latn": "en", "geor": "ka", "armn": "hy"}


def spelling_of(language: str, word: str) -> str:
    """By which spelling a word stands in a text: the text's language, its other script, or that of a foreign
    script; for a language without lists, the common one of the script (Russian, English)."""
    script = script_of(word)
    if _SCRIPTS.get(language) == script:
        return language
    return _OTHER.get((language, script), _COMMON[script])
