"""Which language a narrative is written in: by script, by letters that few languages have, by their commonest words.

A small closed set of languages has to be told apart, Kyrgyz, Tajik and Uzbek among them, which the well-kept language
identifiers do not cover together. The word lists hold function words only; languages that casecoder never serves are listed
so that a text in them is named and refused instead of being taken for a neighbor.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from functools import cache

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼʻ`][^\W\d_]+)*")
_MAX_WORDS = 200  # enough to decide; longer texts are sampled from their start
_SHORT = 12  # words; below it a text without any function word gets the commonest language of its script
_BENEFIT = 1.5  # by how much another language must be ahead of a preferred one
_SHORT_BENEFIT = 3.0  # the same in a short text
_MIN_SHARE = 0.03  # function words among the words of a long text; served languages measured above 0.15

_SCRIPT_OF_BLOCK = {"CYRILLIC": "Cyrl", "LATIN": "Latn", "GEORGIAN": "Geor", "ARMENIAN": "Armn"}
_BY_SCRIPT = {"Geor": "ka", "Armn": "hy"}
_COMMONEST = {"Cyrl": "ru", "Latn": "en"}

_LETTERS = {  # letters that speak for a language within its script
    "uk": "іїєґ", "be": "ўі", "kk": "әғқңөұүһі", "ky": "ңөү", "tg": "ғӣқӯҳҷ", "uz": "ўқғҳ",
    "sr": "ђћџљњјčćžšđ", "mk": "ѓќѕџљњј", "bg": "ъ",
    "ro": "ăâîșțşţ", "az": "əğışçöü", "sq": "ëç", "tr": "ğışçöü",
    "de": "äöüß", "fr": "éèêàç", "es": "ñáéíóú", "pt": "ãõáéç", "pl": "ąęłśżźć", "cs": "ěřůčžš", "hu": "őűáé",
}  # fmt: skip

_NEVER = {  # letters that a language of the script does not have
    "bg": "ыэё", "uk": "ыэъё", "be": "иъщ", "sr": "ыэщяюйьъ", "mk": "ыэщяюйьъ", "tg": "ыщц", "ru": "іїєґўәғқңөұүһҳҷӣӯђѓќћџљњјѕ",
    "en": "ăâîșțəğışçöüëčćžšđłąęńßñãõőű",
}  # fmt: skip

_WORDS = {
    "Cyrl": {
        "ru": "и в не на что он она с как это по но из у за от его её ее для меня мне я мы они был была были уже только когда "
        "если или чтобы потом после ему ей сказал сказала сказали без до же бы к о об так",
        "uk": "і в не на що він вона з як це по але із у за від його її для мене мені я ми вони був була були вже тільки коли "
        "якщо або щоб потім після йому їй сказав сказала сказали без до та є й про",
        "be": "і ў не на што ён яна з як гэта па але яго яе для мяне мы яны быў была ужо калі потым пасля",
        "bg": "и в не на че той тя с как това по но от за до са беше съм ще му ѝ след без които се",
        "kk": "және бұл мен ол үшін деп бар жоқ емес оның болды да де бір қалай сол кейін осы туралы еді екен керек өз",
        "ky": "жана бул мен ал үчүн деп бар жок эмес анын болду да бир кантип ошол кийин эле экен керек өз менен болгон",
        "tg": "ва дар ба аз ки ин он барои бо ман вай мо онҳо аст буд шуд кард ҳам не то пас як худ гуфт гуфтанд карданд",
        "uz": "ва бу мен у учун деб бор йўқ эмас унинг бўлди ҳам бир қандай кейин билан эди экан керак ўз лекин менга",
        "sr": "и у је да се на не су за са од што као али он она му јој сам био била због код или који које рекао рекла није",
        "mk": "и во е да се на не се за со од што како но тој таа му ја беше бил била кај или кој која рече не сум го",
    },
    "Latn": {
        "en": "the and to of in a was that he she it his her for with on is not at by from they had but were him who as this "
        "said be have when because after my me i we or an are been no has out their did told so there which",
        "ro": "și si a de la că ca în in nu cu pe un o din care am este au fost pentru mai dar după lui ei ea el s-a mi-a le să sa",
        "az": "və bu ki mən o üçün deyə var yox deyil onun da də bir ilə sonra amma idi mənə ona dedi olan çox etdi",
        "uz": "va bu men u uchun deb bor yoʻq yo'q emas uning boʻldi bo'ldi ham bir bilan keyin edi ekan kerak lekin menga",
        "sq": "dhe të në një e i që nuk me për nga u është ka ishte por si ai ajo më kishte tha pas ku të cilën se",
        "sr": "i u je da se na ne su za sa od što šta kao ali on ona mu joj sam bio bila zbog kod ili koji koje rekao rekla nije",
        "tr": "ve bu bir için ben o da de ile değil var yok ama sonra gibi daha çok olarak oldu dedi kadar",
        "de": "der die das und ist nicht ich sie er mit auf den ein eine zu von war hat dem für sich wurde",
        "fr": "le la les et est pas je il elle un une des que qui dans pour avec sur au du ne a été ce",
        "es": "el la los las y es no que de en un una por con para se su del al lo como más pero fue",
        "it": "il la le gli e è non che di in un una per con si del della al lo come più ma sono",
        "pt": "o a os as e é não que de em um uma por com para se seu do da ao como mais mas foi",
        "pl": "i w nie na że się z to jest do o jak ale po był była przez dla od jego jej",
        "cs": "a v ne na že se s to je do o jak ale po byl byla pro od jeho její",
        "nl": "de het een en is niet ik zij hij met op van te dat in voor was aan er maar",
        "hu": "a az és nem hogy egy volt van de meg csak mint ez ki el is",
    },
}


def detect_language(text: str, *, prefer: Collection[str] = ()) -> str | None:
    """ISO 639-1 code of the language, or None where nothing can be said; never raises.

    One of the languages that are preferred is taken unless another is clearly ahead. Serbian stands for Bosnian, Croatian and
    Montenegrin too.
    """
    words = [match[0].lower() for match, _ in zip(_WORD.finditer(text), range(_MAX_WORDS), strict=False)]
    scripts = Counter(_script(word[0]) for word in words)
    if not scripts:
        return None
    script = max(sorted(scripts), key=scripts.__getitem__)
    if script in _BY_SCRIPT:
        return _BY_SCRIPT[script]
    if script not in _WORDS:
        return None
    scores = {language: _score(language, known, words) for language, known in _lists(script).items()}
    is_short = len(words) < _SHORT
    benefit = _SHORT_BENEFIT if is_short else _BENEFIT
    best = max(sorted(scores), key=lambda language: scores[language] * (benefit if language in prefer else 1))
    if scores[best] >= _MIN_SHARE * len(words) and scores[best] > 0:
        return best
    # Telegraphic notes have no function words; letters that Russian does not have speak against it, Latin ones say little.
    plain = script == "Cyrl" and not _with_any(_NEVER[_COMMONEST[script]], words)
    return _COMMONEST[script] if is_short or plain else None


def _score(language: str, known: dict[str, float], words: list[str]) -> float:
    """Function words, each worth the less the more languages share it, and words with letters that speak for or against."""
    hits = sum(known.get(word, 0.0) for word in words)
    marked = _with_any(_LETTERS.get(language, ""), words)
    foreign = _with_any(_NEVER.get(language, ""), words)
    return hits + 0.8 * marked - foreign


def _with_any(letters: str, words: list[str]) -> int:
    """How many words have at least one of some letters."""
    wanted = frozenset(letters)
    return sum(not wanted.isdisjoint(word) for word in words) if letters else 0


@cache
def _lists(script: str) -> dict[str, dict[str, float]]:
    """Function words of each language and what each is worth: 1 divided by the number of languages that have it."""
    lists = {language: set(words.split()) for language, words in _WORDS[script].items()}
    shared = Counter(word for words in lists.values() for word in words)
    return {language: {word: 1 / shared[word] for word in sorted(words)} for language, words in lists.items()}


@cache
def _script(letter: str) -> str:
    block = unicodedata.name(letter, "OTHER").split(" ")[0]
    return _SCRIPT_OF_BLOCK.get(block, block)
