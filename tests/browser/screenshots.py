"""Makes the pictures of the guides, with the shipped bundle and invented cases.

``python tests/browser/screenshots.py`` writes ``docs/images/*.png``. They are the same on every run but for fonts,
which are those of the machine.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conftest import CHROMIUM, FLAGS, listening
from PIL import Image
from playwright.sync_api import sync_playwright

from nlp.bundle import open_bundle
from nlp.codebook import Codebook
from service.app import create_app
from service.jobs.runner import Runner
from service.settings import ServiceSettings
from service.store.access import Principal
from service.store.feedback import Correction, Decided, NewFeedback, save_feedback
from service.store.jobs import next_job
from service.store.receipts import Receipt, Shown
from service.store.sealing import Keyring
from service.store.store import Store

FOLDER = Path(__file__).parents[2] / "docs" / "images"
MOST = 250_000  # bytes of a picture
COLORS = 64
CASES = 80
TEXTS = {
    "en": "Dr John Miller at the district clinic saw the HIV mark on the card of Mary Brown and refused to treat her. "
    "He told her in front of the whole queue that people like her should not come here. She asked for a complaint form "
    "and was sent away. Her number is +1 202 555 0143.",
    "ru": "Врач Иван Петров в районной поликлинике увидел в карте Марины Соколовой отметку о ВИЧ и отказался её "
    "лечить. При всей очереди он сказал, что таким здесь не место. Она попросила бланк жалобы, её выгнали. Её телефон "
    "+7 912 345-67-89.",
}


NAMES = {"en": "cases-2017.csv", "ru": "случаи-2017.csv"}
FILES = {
    "en": """number,what happened,what was done,type,place
17-001,"The doctor in the maternity ward put on two pairs of gloves and said loudly that the woman in bed 4 has HIV. The neighbours asked to be moved.",We wrote to the head of the ward.,disclosure,Osh
17-002,"Two policemen stopped him near the methadone site, found nothing and wanted 5,000 to let him go.",He refused to complain.,bribe,Bishkek
17-003,"Her landlord found out that she is a sex worker and put her things into the street the same evening.",A night in the shelter.,,Bishkek
17-004,"She came for her medicines, was given them the same day, and asked when to come again.",Nothing was needed.,,Osh
17-005,"In the colony they stopped giving him his pills for three weeks; the nurse said there are none for addicts.",A request to the prosecutor.,no treatment,Jalal-Abad
17-006,"Two policemen stopped him near the methadone site, found nothing and wanted 5,000 to let him go.",He refused to complain.,,Bishkek
17-007,"They waited for him outside the club and broke his arm. One of them filmed it and shouted what he is.",Surgery; a lawyer.,beating,Osh
17-008,"The school asked for a paper about the boy's status before it would take him.",Talk with the headmistress.,,Naryn
""",
    "ru": """номер,что случилось,что сделано,вид,город
17-001,"Акушерка надела две пары перчаток и при всей палате сказала, что у женщины на четвёртой койке ВИЧ. Соседки попросили их перевести.",Написали заведующей.,разглашение,Ош
17-002,"Двое милиционеров остановили его у пункта метадона, ничего не нашли и захотели 5000, чтобы отпустить.",Жаловаться не стал.,взятка,Бишкек
17-003,"Хозяин квартиры узнал, что она секс-работница, и в тот же вечер выставил её вещи на улицу.",Ночь в приюте.,,Бишкек
17-004,"Пришла за препаратами, получила их в тот же день и спросила, когда прийти в следующий раз.",Ничего не понадобилось.,,Ош
17-005,"В колонии ему три недели не давали таблеток, медсестра сказала, что для наркоманов их нет.",Обращение в прокуратуру.,без лечения,Джалал-Абад
17-006,"Двое милиционеров остановили его у пункта метадона, ничего не нашли и захотели 5000, чтобы отпустить.",Жаловаться не стал.,,Бишкек
17-007,"Его подождали у клуба и сломали ему руку. Один снимал и выкрикивал, кто он такой.",Операция; адвокат.,избиение,Ош
17-008,"В школе потребовали справку о статусе мальчика, иначе не возьмут.",Разговор с директором.,,Нарын
""",
}
MAPPINGS = {
    "en": "old,code\ndisclosure,privacy.disclosure\nbribe,justice.extortion\nbeating,violence.physical\n",
    "ru": "old,code\nразглашение,privacy.disclosure\nвзятка,justice.extortion\nизбиение,violence.physical\n",
}


class Clock:
    """A clock that is set."""

    at = datetime(2031, 4, 1, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Site:
    """A service that is asked for its pages."""

    url: str
    store: Store
    settings: ServiceSettings

    def code(self) -> None:
        """Code the file that waits."""
        runner = Runner(self.store, self.settings, threading.Event())
        job = next_job(self.store)
        assert job is not None, "no file waits to be coded"
        runner.run_one(job)
        runner.give_up()


def main() -> None:
    """Write the pictures, and say how large they are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    pipeline = open_bundle(None).pipeline()
    clock = Clock()
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Store.open(f"sqlite:///{folder}/store.db", Keyring([bytes(range(32))]), clock=clock)
        fill(store, clock, pipeline.codebook)
        settings = ServiceSettings(blind_share=0.0, requests_per_minute=0, request_seconds=60.0)
        with listening(create_app(pipeline, settings=settings, store=store)) as url:
            site = Site(url, store, settings)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            for name, language, width, draw in (
                ("entry-en", "en", 1200, entry),
                ("entry-ru", "ru", 1200, entry),
                ("entry-phone-ru", "ru", 360, entry_on_phone),
                ("coordinator-en", "en", 1200, coordinator),
                ("coordinator-ru", "ru", 1200, coordinator),
                ("files-en", "en", 1200, files),
                ("files-ru", "ru", 1200, files),
                ("review-en", "en", 1200, review),
                ("review-ru", "ru", 1200, review),
            ):
                context = browser.new_context(locale=language, viewport={"width": width, "height": 900})
                page = context.new_page()
                picture = packed(draw(page, site, language))
                (FOLDER / f"{name}.png").write_bytes(picture)
                sys.stdout.write(f"{name}: {len(picture):,} bytes\n")
                if len(picture) > MOST:
                    raise SystemExit(f"{name} is larger than {MOST:,} bytes")
                context.close()
            browser.close()


def packed(picture: bytes) -> bytes:
    """A picture in few colors, a third as large."""
    content = BytesIO()
    Image.open(BytesIO(picture)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(
        content, "png", optimize=True
    )
    return content.getvalue()


def entry(page: Any, site: Site, language: str) -> bytes:
    """A case with suggestions, some of them decided."""
    write_case(page, site, language)
    for choice in ("violation/health.denial", "population/plhiv"):
        page.locator(f'[id="accept-{choice}"]').click()
    page.mouse.move(0, 0)
    page.locator('[id="accept-violation/health.denial"]').focus()  # the evidence is lit
    return bytes(page.screenshot(full_page=True))


def entry_on_phone(page: Any, site: Site, language: str) -> bytes:
    """The codes of a case, as a phone shows them."""
    write_case(page, site, language)
    page.locator('[id="accept-violation/health.denial"]').click()
    page.set_viewport_size({"width": 360, "height": 1500})
    page.evaluate("document.activeElement.blur()")
    page.evaluate("scrollTo(0, document.querySelector('label[for=text]').getBoundingClientRect().top + scrollY - 8)")
    return bytes(page.screenshot())


def write_case(page: Any, site: Site, language: str) -> None:
    """Type a case, and wait for its suggestions."""
    page.goto(site.url)
    page.fill("#case", "2031-0417")
    page.fill("#country", {"en": "Moldova", "ru": "Молдова"}[language])
    page.fill("#text", TEXTS[language])
    page.wait_for_selector(".chip", timeout=120_000)


def coordinator(page: Any, site: Site, language: str) -> bytes:
    """The figures, the review queue and the first decisions."""
    page.goto(f"{site.url}/coordinator?lang={language}")
    page.set_viewport_size({"width": 1200, "height": 1450})
    return bytes(page.screenshot())


def files(page: Any, site: Site, language: str) -> bytes:
    """A file with older codes that was tried on a sample."""
    bring(page, site, language)
    page.click("#try")
    page.wait_for_selector("#tried dl", timeout=120_000)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": 1200, "height": 1725})
    page.evaluate("scrollTo(0, document.querySelector('#prepare').getBoundingClientRect().top + scrollY - 8)")
    return bytes(page.screenshot())


def review(page: Any, site: Site, language: str) -> bytes:
    """The row of a coded file that is looked at first."""
    bring(page, site, language)
    page.click("#start")
    page.wait_for_selector(".job .state.queued")
    site.code()
    page.wait_for_selector(".job .state.done")
    page.locator(".job", has_text=NAMES[language]).locator('a[href*="review"]').click()
    page.wait_for_selector("#row:not([hidden]) .chip")
    page.set_viewport_size({"width": 1200, "height": 1500})
    return bytes(page.screenshot())


def bring(page: Any, site: Site, language: str) -> None:
    """Bring a file, and say what is in its columns."""
    page.goto(f"{site.url}/coordinator/jobs?lang={language}")
    page.set_input_files("#file", {"name": NAMES[language], "mimeType": "text/csv", "buffer": FILES[language].encode()})
    page.click("#upload")
    page.wait_for_selector("#options:not([hidden])", timeout=120_000)
    page.check('#joins input[value="3"]')
    page.evaluate("document.querySelector('#more').open = true")
    page.select_option('[data-axis="violation"]', "4")
    mapping = {"name": "old.csv", "mimeType": "text/csv", "buffer": MAPPINGS[language].encode()}
    page.set_input_files("#mapping", mapping)
    page.wait_for_selector("#mapping-remove", timeout=120_000)


def fill(store: Store, clock: Clock, codebook: Codebook) -> None:
    """Store invented decisions of invented people."""
    chance = random.Random(7)  # noqa: S311
    people = [Principal(name, "reactor", name) for name in ("bird", "stone", "сова", "reed")]
    for _ in range(CASES):
        clock.at += timedelta(minutes=chance.randint(60, 900))
        shown = tuple(suggested(codebook, chance))
        origin = "blind" if chance.random() < 0.25 else "assisted"
        text = "The doctor at the Central Pharmacy refused to see [PERSON_1]."
        receipt = Receipt(
            clock.at,
            origin,
            None,
            chance.choice(("en", "ru")),
            chance.choice(("Moldova", "Kazakhstan", "Armenia")),
            chance.choice(("react-0.3.0", "react-0.6.0")),
            str(codebook),
            "0123456789ab",
            shown,
        )
        decided = tuple(decisions(shown, origin == "blind", chance.random))
        empty = {axis.id for axis in codebook.axes} - {item.axis for item in decided}
        seconds = round(chance.lognormvariate(4.4, 0.7), 1)
        correction = Correction("shown", text.index("Central"), text.index(" refused"), "LOCATION")
        new = NewFeedback(decided, text, (correction,), seconds, tuple(sorted(empty)))
        save_feedback(store, new, receipt, codebook, chance.choice(people))


COMMON = {
    "violation": ("health.denial", "privacy.disclosure", "violence.psychological", "justice.extortion"),
    "perpetrator": ("health", "police"),
    "population": ("plhiv", "pwud", "sw"),
}


def suggested(codebook: Codebook, chance: random.Random) -> list[Shown]:
    """Codes that the models might have suggested."""
    found = []
    for axis in codebook.axes:
        for code in chance.sample(COMMON[axis.id], chance.choice((1, 1, 2))):
            probability = round(chance.uniform(0.5, 0.99), 4)
            found.append(Shown(axis.id, code, probability, "auto" if probability > 0.95 else "suggest"))
    return found


def decisions(shown: tuple[Shown, ...], blind: bool, draw: Callable[[], float]) -> list[Decided]:
    """What somebody may have made of them."""
    found: list[Decided] = []
    for item in shown:
        agrees = draw() < (0.65 if blind else 0.85)
        leads = agrees and not any(one.axis == item.axis and one.primary for one in found)
        leads = leads and item.axis != "perpetrator"
        if agrees:
            found.append(Decided(item.axis, item.code, "added" if blind else "accepted", primary=leads))
        elif not blind:
            found.append(Decided(item.axis, item.code, "rejected"))
    return found


if __name__ == "__main__":
    main()
