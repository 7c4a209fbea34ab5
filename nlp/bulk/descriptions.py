"""What each column says that casecoder adds to a table, in English and Russian: for people who open the file.

A column is found here by the name that the layout wants for it, before a prefix that a taken name may bring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..codebook import Axis, Codebook, Label


@dataclass(frozen=True)
class Text:
    """The same in both languages."""

    en: str
    ru: str


@dataclass(frozen=True)
class Description:
    """What a column means, in one sentence, and which values it can have."""

    means: Text
    values: Text


ROW_NUMBER = "row_number"
DUPLICATE_OF = "duplicate_of"

_CODES = Text(
    "codes divided by ; the most probable first; empty where there is none",
    "коды через ; сначала самый вероятный; пусто, если нет ни одного",
)
_IN_ORDER = Text(
    "codes divided by ; in the order of the codebook; empty where there is none",
    "коды через ; в порядке кодификатора; пусто, если нет ни одного",
)
_NUMBER = Text("a whole number from 0", "целое число от 0")
_SHARE = Text("from 0 to 1", "от 0 до 1")
_YES_NO = Text(
    "1: suggested; 0: not suggested; empty: the row has an error",
    "1: предложен; 0: не предложен; пусто: в строке ошибка",
)

STATUS: Mapping[str, Text] = {
    "auto": Text(
        "set by the machine, with the precision that is promised, or sure that nothing applies: check samples",
        "поставлено программой с обещанной точностью, или она уверена, что ничего не подходит: проверяйте выборочно",
    ),
    "suggest": Text("codes are suggested: a person decides", "коды предложены: решает человек"),
    "review": Text(
        "a person should read the case: only weaker guesses, or people coded it otherwise, or it nearly repeats a row "
        "that reads otherwise",
        "случай нужно прочитать: есть лишь слабые догадки, или люди закодировали его иначе, или он почти повторяет "
        "строку, смысл которой другой",
    ),
    "none": Text(
        "no code is likely, but it is not sure that nothing applies",
        "ни один код не вероятен, но нет уверенности, что ничего не подходит",
    ),
    "error": Text(
        "the row could not be coded: see the column error", "строку не удалось закодировать: см. столбец error"
    ),
}
"""What the words of the column ``decision`` mean, strongest first."""

_PLAIN: Mapping[str, Description] = {
    ROW_NUMBER: Description(
        Text(
            "Number of the row in the file that was coded: brings back its order, and `casecoder undo` goes by it.",
            "Номер строки в исходном файле: по нему можно вернуть порядок строк, его использует `casecoder undo`.",
        ),
        Text("a whole number from 1", "целое число от 1"),
    ),
    "redacted_text": Description(
        Text(
            "The narrative with the people in it hidden; read it before you share it.",
            "Текст, в котором скрыты люди; прочитайте его, прежде чем передавать.",
        ),
        Text("text with marks such as [PERSON_1]", "текст с метками вроде [PERSON_1]"),
    ),
    "detected_language": Description(
        Text("Language of the narrative, recognized or stated.", "Язык текста: распознанный или указанный."),
        Text("two letters (ISO 639-1)", "две буквы (ISO 639-1)"),
    ),
    "decision": Description(
        Text("What is to be done with this row.", "Что делать с этой строкой."),
        Text(", ".join(STATUS), ", ".join(STATUS)),
    ),
    "doubtful_words": Description(
        Text(
            "How many places of the redacted text may still tell who somebody is.",
            "Сколько мест в тексте без имён всё ещё могут выдать человека.",
        ),
        _NUMBER,
    ),
    "bundle": Description(
        Text("The bundle of models that made the suggestions.", "Комплект моделей, который предложил коды."),
        Text("name and version", "название и версия"),
    ),
    "codebook": Description(
        Text("The codebook that the codes are of.", "Кодификатор, из которого взяты коды."),
        Text("name and version", "название и версия"),
    ),
    DUPLICATE_OF: Description(
        Text(
            "Number of an earlier row with the same text, or nearly: both are coded alike.",
            "Номер более ранней строки с тем же или почти тем же текстом: обе закодированы одинаково.",
        ),
        Text(
            "a whole number from 1; empty for a text of its own", "целое число от 1; пусто, если текст не повторяется"
        ),
    ),
    "error": Description(
        Text("Why the row could not be coded.", "Почему строку не удалось закодировать."),
        Text("a kind and a sentence; empty where all went well", "вид и объяснение; пусто, если всё в порядке"),
    ),
}

_OF_AXIS: Mapping[str, Description] = {
    "suggested_": Description(
        Text("Suggested codes: {axis}. A person decides.", "Предложенные коды: {axis}. Решает человек."), _CODES
    ),
    "primary_": Description(
        Text("The suggested code that leads: {axis}.", "Главный из предложенных кодов: {axis}."),
        Text("one code, or empty", "один код или пусто"),
    ),
    "to_review_": Description(
        Text("Codes that may apply and are not suggested: {axis}.", "Возможные коды, которые не предложены: {axis}."),
        _CODES,
    ),
    "probabilities_": Description(
        Text("Codes with their probabilities: {axis}.", "Коды и их вероятности: {axis}."),
        Text("code=probability, divided by ;", "код=вероятность, через ;"),
    ),
    "evidence_": Description(
        Text(
            "Redacted sentences that speak for the suggested codes: {axis}.",
            "Предложения без имён, которые говорят за предложенные коды: {axis}.",
        ),
        Text("a line for each code", "по строке на каждый код"),
    ),
    "codes_": Description(
        Text(
            "Codes that stand: those of a person, else those that the machine sets by itself: {axis}.",
            "Итоговые коды: заданные человеком, иначе поставленные программой: {axis}.",
        ),
        _IN_ORDER,
    ),
    "codes_by_": Description(
        Text("Who set the codes that stand: {axis}.", "Кто задал итоговые коды: {axis}."),
        Text(
            "person; machine; empty: nobody. By person or machine and without a code: nothing applies, or what the "
            "person wrote is not known",
            "person (человек); machine (программа); пусто: никто. Если задал кто-то, а кода нет: ничего не подходит "
            "или запись человека не распознана",
        ),
    ),
    "nothing_": Description(
        Text("Probability of the answer “{nothing}”.", "Вероятность ответа «{nothing}»."),
        _SHARE,
    ),
}

_PROBABILITY = ":probability"


def final_column(axis: Axis) -> str:
    """Name of the column with the codes that stand on an axis."""
    return f"codes_{axis.id}"


def given_by_column(axis: Axis) -> str:
    """Name of the column that says who set them."""
    return f"codes_by_{axis.id}"


def code_column(axis: Axis, code: str) -> str:
    """Name of the yes/no column of a code."""
    return f"{axis.id}:{code}"


def probability_column(axis: Axis, code: str) -> str:
    """Name of the column with the probability of a code."""
    return f"{axis.id}:{code}{_PROBABILITY}"


def describe(name: str, codebook: Codebook) -> Description | None:
    """What a column of casecoder means; None for one that is not known here."""
    if name in _PLAIN:
        return _PLAIN[name]
    for axis in codebook.axes:
        for prefix, description in _OF_AXIS.items():
            if name == prefix + axis.id:
                return _filled(description, axis)
        for label in axis.labels:
            if name == code_column(axis, label.code):
                return Description(_of_code("Is the code suggested", "Предложен ли код", axis, label), _YES_NO)
            if name == probability_column(axis, label.code):
                return Description(_of_code("Probability of the code", "Вероятность кода", axis, label), _SHARE)
    return None


def both(labels: Mapping[str, str]) -> Text:
    """A label of the codebook in both languages, in its first one where it lacks them."""
    first = next(iter(labels.values()))
    return Text(labels.get("en", first), labels.get("ru", first))


def _filled(description: Description, axis: Axis) -> Description:
    label = both(axis.label)
    nothing = both(axis.nothing) if axis.nothing else Text("", "")
    means = description.means
    return Description(
        Text(
            means.en.format(axis=label.en, nothing=nothing.en),
            means.ru.format(axis=label.ru, nothing=nothing.ru),
        ),
        description.values,
    )


def _of_code(en: str, ru: str, axis: Axis, label: Label) -> Text:
    name, of_axis = both(label.label), both(axis.label)
    return Text(f"{en}: {name.en} ({of_axis.en}).", f"{ru}: {name.ru} ({of_axis.ru}).")
