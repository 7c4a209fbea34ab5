"""Numbers that identify, beside numbers that do not. All numbers are invented; check digits are computed here."""

from collections.abc import Callable

import pytest

from nlp.redaction import all_recognizers
from nlp.redaction.recognizers import national
from nlp.redaction.recognizers.documents import DIGIT_RUN, DOCUMENT


def completed(body: str, length: int, check: Callable[[str], bool]) -> str:
    """The invented number with the check digits that make it valid."""
    width = length - len(body)
    return next(number for digits in range(10**width) if check(number := f"{body}{digits:0{width}d}"))


@pytest.mark.parametrize(
    ("check", "body", "length"),
    [
        (national.is_kz_iin, "90010130001", 12),
        (national.is_uz_pinfl, "3010190001001", 14),
        (national.is_jmbg, "010199071000", 13),
        (national.is_ua_rntrc, "300000000", 10),
        (national.is_md_idnp, "200000000000", 13),
        (national.is_ru_snils, "112000111", 11),
        (national.is_ru_inn, "0000100001", 12),
        (national.is_ro_cnp, "190010140001", 13),
    ],
)
def test_national_number_is_told_by_its_check_digit(check: Callable[[str], bool], body: str, length: int) -> None:
    valid = completed(body, length, check)
    assert not check(valid[:-1] + str((int(valid[-1]) + 1) % 10))
    assert not check(valid[:-1])
    assert not check("")
    assert not check("x" * length)


@pytest.mark.parametrize(
    ("check", "impossible"),
    [
        (national.is_kz_iin, "9002303"),  # 30 February
        (national.is_uz_pinfl, "3320190"),  # day 32
        (national.is_kg_pin, "23301199"),  # day 33
        (national.is_jmbg, "0113990"),  # month 13
    ],
)
def test_national_number_needs_a_day_of_the_calendar(check: Callable[[str], bool], impossible: str) -> None:
    length = next(length for length, known in national.CHECKS if known is check)
    numbers = (f"{impossible}{rest}".ljust(length, "0") for rest in range(500))
    assert not any(check(number) for number in numbers)


def test_kyrgyz_number_holds_a_birth_date() -> None:
    assert national.is_kg_pin("20101199000001")


@pytest.mark.parametrize("number", ["900101300018", "2000000000006", "30101900010011", "1234567"])
def test_a_wrong_check_digit_hides_no_less(number: str) -> None:
    text = f"Её номер {number} записали."
    hidden = {place for entity in DIGIT_RUN.find(text) for place in range(entity.span.start, entity.span.end)}
    assert set(range(text.index(number), text.index(number) + len(number))) <= hidden


def found(kind: str, text: str) -> list[str]:
    """The stretches that recognizers of one type find, longest first among those that overlap."""
    spans = sorted(
        {
            (entity.span.start, entity.span.end)
            for recognizer in all_recognizers().values()
            for entity in recognizer.find(text)
            if entity.type == kind
        },
        key=lambda span: (span[0] - span[1], span),
    )
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not any(start < other_end and other_start < end for other_start, other_end in kept):
            kept.append((start, end))
    return [text[start:end] for start, end in sorted(kept)]


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("Звоните +996 555 01 02 03 вечером", ["+996 555 01 02 03"]),
        ("тел. 0555-010-203", ["0555-010-203"]),
        ("call 044 555 01 02 today", ["044 555 01 02"]),
        ("my number is 551 09 38 74.", ["551 09 38 74"]),
        ("взяли 25 000 сом", []),
        ("CD4 350, вирусная нагрузка 120000 копий", []),
        ("under article 12 of 1984", []),
        ("с 2019-2021 года", []),
        ("в 15.00-17.30", []),
        ("address 198.51.100.7", []),
        ("12.03.2024", []),
    ],
)
def test_phone(text: str, phones: list[str]) -> None:
    assert found("PHONE", text) == phones


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("паспорт AN 1234567 забрали", ["AN 1234567"]),
        ("passport No 0912345", ["No 0912345"]),
        ("дело № 1-0907/22", ["№ 1-0907/22"]),
        ("case KT-2281 was closed", ["KT-2281"]),
        ("Жалоба, вх. № Г-1187.", ["№ Г-1187"]),
        ("registered nr. 214/24.", ["nr. 214/24"]),
        ("карта № 2094", ["№ 2094"]),
        ("по статье 139 УК", []),
        ("article 26 of the law", []),
        ("приказ Минздрава № 1234", []),
        ("давление 120/80", []),
        ("метадон 75 мг, 12 дней", []),
        ("в 2019 году", []),
        ("в городе N", []),
        ("его зовут ***", []),
        ("took 30 000 SOM", []),
    ],
)
def test_document(text: str, documents: list[str]) -> None:
    assert found("DOCUMENT", text) == documents


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("ИИН 123456789012", ["123456789012"]),
        ("IDNP: 2000000000001", ["2000000000001"]),
        ("personal number 01000000000", ["01000000000"]),
        ("ФИН девочки 5KD8W2T", ["5KD8W2T"]),
        ("PIN of the phone", []),
    ],
)
def test_national_number_after_its_word(text: str, numbers: list[str]) -> None:
    assert found("NATIONAL_ID", text) == numbers


@pytest.mark.parametrize(
    ("text", "accounts"),
    [
        ("IBAN GE29 NB00 0000 0101 9049 17", ["GE29 NB00 0000 0101 9049 17"]),
        ("на карту 4000 0000 0000 0002", ["4000 0000 0000 0002"]),
        ("счёт UA00 305299 0000026207731540122", ["UA00 305299 0000026207731540122"]),
        ("на карту 500 сом", []),
        ("on his account", []),
    ],
)
def test_bank(text: str, accounts: list[str]) -> None:
    assert found("BANK", text) == accounts


@pytest.mark.parametrize(
    ("text", "plates"),
    [
        ("машина 01KG 123 ABC уехала", ["01KG 123 ABC"]),
        ("номер AA 1234 BB", ["AA 1234 BB"]),
        ("серая опель, номер 4471 МН 01", ["4471 МН 01"]),
        ("car 12-AB-345", ["12-AB-345"]),
        ("30 000 SOM", []),
        ("20 000 UAH", []),
        ("B20", []),
    ],
)
def test_plate(text: str, plates: list[str]) -> None:
    assert found("VEHICLE", text) == plates


@pytest.mark.parametrize(
    ("kind", "text", "hidden"),
    [
        ("EMAIL", "write to rosa.k@posta.example.", ["rosa.k@posta.example"]),
        ("EMAIL", "rosa(at)posta.example", ["rosa(at)posta.example"]),
        ("EMAIL", "on Instagram @rosa.na.more", []),
        ("HANDLE", "on Instagram @rosa.na.more", ["@rosa.na.more"]),
        ("HANDLE", "his nick andy_88 there", ["andy_88"]),
        ("HANDLE", "we drank tea from thermos. Then", []),
        ("URL", "https://news.example/a/1.", ["https://news.example/a/1"]),
        ("URL", "streams.example/ots/88120", ["streams.example/ots/88120"]),
        ("URL", "came home.Then left", []),
        ("HANDLE", "t.me/rosa_88", ["t.me/rosa_88"]),
        ("IP", "from 198.51.100.7", ["198.51.100.7"]),
        ("IP", "version 1.2.3", []),
        ("IP", "MAC 5C:02:14:A9:7E:30", ["5C:02:14:A9:7E:30"]),
        ("IP", "IMEI 356845109277301", ["356845109277301"]),
    ],
)
def test_contact(kind: str, text: str, hidden: list[str]) -> None:
    assert found(kind, text) == hidden


@pytest.mark.parametrize(
    ("kind", "text", "hidden"),
    [
        ("DATE", "14 марта 2024 года", ["14 марта 2024 года"]),
        ("DATE", "ночь с 14 на 15 июня", ["14 на 15 июня"]),
        ("DATE", "on the ninth of August", ["the ninth of August"]),
        ("DATE", "March 5 he came", ["March 5"]),
        ("DATE", "пришёл 21.01, ушёл", ["21.01"]),
        ("DATE", "в марте 2024 года", []),
        ("DATE", "since 2019", []),
        ("DATE", "ст. 12.03", []),
        ("DATE", "в 10.12 утра", []),
        ("BIRTH_DATE", "born 3 July 2007", ["3 July 2007"]),
        ("BIRTH_DATE", "1991 года рождения", ["1991"]),
        ("BIRTH_DATE", "12.03.1981 г.р.", ["12.03.1981"]),
        ("BIRTH_DATE", "Иванова А., 12.03.1981, Ош", ["12.03.1981"]),
        ("BIRTH_DATE", "12.03.2024 пришла", []),
        ("AGE", "a 34-year-old woman", ["34-year-old"]),
        ("AGE", "Suzana, 52, living with HIV", ["52"]),
        ("AGE", "Ему 15 лет.", ["15 лет"]),
        ("AGE", "двадцатидвухлетняя студентка", ["двадцатидвухлетняя"]),
        ("AGE", "принимает АРТ 5 лет подряд", []),
        ("AGE", "доза 75 мг", []),
    ],
)
def test_date_and_age(kind: str, text: str, hidden: list[str]) -> None:
    assert found(kind, text) == hidden


@pytest.mark.parametrize(
    ("kind", "text", "hidden"),
    [
        ("ADDRESS", "живёт на ул. Ленина, 5, кв. 12.", ["ул. Ленина, 5, кв. 12"]),
        ("ADDRESS", "lives at Ozerna street 31, apt 6", ["Ozerna street 31, apt 6"]),
        ("ADDRESS", "вул. Садова 12", ["вул. Садова 12"]),
        ("ADDRESS", "near Masaliev prospekt 90", ["Masaliev prospekt 90"]),
        ("ADDRESS", "rents at Braće Begić 14, Sarajevo", ["Braće Begić 14"]),
        ("ADDRESS", "the last house behind the bakery", ["the last house behind the bakery"]),
        ("ADDRESS", "подвал двухэтажки за элеватором", ["подвал двухэтажки за элеватором"]),
        ("ADDRESS", "his house was cold", []),
        ("ADDRESS", "The street lawyer came", []),
        ("ADDRESS", "на улице холодно", []),
        ("ADDRESS", "at 42.87460, 74.56980", ["42.87460, 74.56980"]),
        ("ORGANISATION", "в поликлинике № 4", ["поликлинике № 4"]),
        ("ORGANISATION", "сауна «Ак-Булак»", ["сауна «Ак-Булак»"]),
        ("ORGANISATION", "увезли в Ленинский РОВД", ["Ленинский РОВД"]),
        ("ORGANISATION", "в колонии ЕЦ-166/25", ["ЕЦ-166/25"]),
        ("ORGANISATION", "the polyclinic refused", []),
        ("ORGANISATION", "он сказал: «Нет»", []),
        ("ORGANISATION", "в больнице 5 дней", []),
        ("LOCATION", "уехала в Казани", ["Казани"]),
        ("LOCATION", "живёт в Москве", ["Москве"]),
        ("LOCATION", "в Оше", ["Оше"]),
        ("LOCATION", "Ошибка врача", []),
        ("LOCATION", "in Kazakhstan", []),
        ("LOCATION", "village Sadîc", ["Sadîc"]),
        ("LOCATION", "Роман из села Кызыл-Туу", ["Кызыл-Туу"]),
        ("LOCATION", "тбилисში", []),
        ("LOCATION", "თბილისში დააკავა", ["თბილისში"]),
    ],
)
def test_place(kind: str, text: str, hidden: list[str]) -> None:
    assert found(kind, text) == hidden


def test_words_before_a_number_are_looked_for_in_any_case() -> None:
    assert [entity.span for entity in DOCUMENT.find("ПАСПОРТ AN1234567")]
