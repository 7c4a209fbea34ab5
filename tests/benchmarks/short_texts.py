"""Short invented statements, as many as are asked for and no two the same, in English and Russian in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

_STRIDE = 2_654_435_761  # a prime (Knuth's multiplier): neighbors in a table share no more than any other two

_ENGLISH = (
    """
    a client of ours; an outreach worker; a woman living with HIV; a young man from the shelter; a migrant without
    papers; a trans woman; a former prisoner; a sex worker; a mother of two; a patient of the clinic; a man on
    methadone; a student
    """,
    """
    was refused an examination; was told to leave the ward; was beaten on the way home; was stopped and searched;
    lost the job without a reason; was threatened by a neighbor; got no tablets for a week; was asked for money; had
    the test result read aloud; was put out of the flat; was kept at the station overnight; was insulted by a nurse
    """,
    """
    at the district clinic; near the bus stop; in the regional hospital; at the police station; at the market; in
    the pharmacy; at work; in the dormitory; at the border; in the registry office; on the stairs; in the courtyard
    """,
    """
    last week; on Monday morning; in the evening; before the holidays; twice this month; during the night; after the
    appointment; in winter; yesterday; at the end of March; shortly after the raid; on pay day
    """,
    """
    ; and went away; and was afraid to complain; and asked us for help; and has a witness; and got no answer; and
    nobody stepped in; and wrote down the number of the car; and does not want the family to know
    """,
)
_RUSSIAN = (
    """
    наш клиент; участница группы; женщина с ВИЧ; парень из приюта; мигрант без документов; трансгендерная женщина;
    бывший заключенный; секс-работница; мать двоих детей; пациентка центра; мужчина на метадоне; студент
    """,
    """
    не смог попасть на прием; говорит об отказе в лечении; рассказывает об избиении; пишет об обыске; остался без
    работы; слышал угрозы от соседа; неделю без таблеток; должен заплатить; узнал о разглашении диагноза; остался
    без жилья; провел ночь в отделе; жалуется на оскорбления
    """,
    """
    в районной поликлинике; возле остановки; в областной больнице; в отделе полиции; на рынке; в аптеке; на работе;
    в общежитии; на границе; в загсе; в подъезде; во дворе
    """,
    """
    на прошлой неделе; в понедельник утром; вечером; перед праздниками; дважды за месяц; ночью; после приема; зимой;
    вчера; в конце марта; после рейда; в день зарплаты
    """,
    """
    ; и ушел; и боится жаловаться; и просит помочь; и есть свидетель; и ответа не получил; и никто не вступился; и
    записал номер машины; и не хочет, чтобы узнали родные
    """,
)
_SYLLABLES = {
    "en": ("ba ke lo mi nu ra se to vi za de gu".split(), "n r l m s k".split(), "ova ev in adze yan uk".split()),
    "ru": ("ба ке ло ми ну ра се то ви за де гу".split(), "н р л м с к".split(), "ова ев ин адзе ян ук".split()),
}


def short_texts(count: int) -> Iterator[tuple[str, str]]:
    """Texts and their languages, of about 25 words, each with a surname that is made up for it."""
    makers = (
        _Maker("en", _ENGLISH, "{0} {1} {2} {3}{4}. Earlier the same person {5}. The surname is {6}."),
        _Maker("ru", _RUSSIAN, "{0} {1} {2} {3}{4}. До этого тот же человек {5}. Фамилия {6}."),
    )
    for number in range(count):
        maker = makers[number % 2]
        yield maker.text(number // 2), maker.language


class _Maker:
    """Statements of one language, by number."""

    def __init__(self, language: str, parts: Sequence[str], pattern: str) -> None:
        self.language = language
        self._pattern = pattern
        lists = [[" ".join(part.split()) for part in some.split(";")] for some in parts]
        lists[-1] = [part and f" {part}" for part in lists[-1]]
        self._lists = [*lists, lists[1]]
        starts, middles, ends = _SYLLABLES[language]
        self._surname = [starts, middles, starts, middles, ends]
        self._count = prod(map(len, self._lists))  # two millions

    def text(self, number: int) -> str:
        parts = _chosen(self._lists, number * _STRIDE % self._count)
        surname = "".join(_chosen(self._surname, number * _STRIDE + number // self._count))
        text = self._pattern.format(*parts, surname.title())
        return text[0].upper() + text[1:]


def _chosen(lists: Sequence[Sequence[str]], number: int) -> list[str]:
    """One item of each list: another choice for each number, as long as there are so many."""
    chosen = []
    for some in lists:
        number, at = divmod(number, len(some))
        chosen.append(some[at])
    return chosen
