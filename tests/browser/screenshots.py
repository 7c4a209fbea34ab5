"""Makes the pictures of the guides, with the shipped bundle and invented cases.

``python tests/browser/screenshots.py`` writes ``docs/images/*.png``. They are the same on every run but for fonts,
which are those of the machine.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
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
from service.settings import ServiceSettings
from service.store.access import Principal
from service.store.feedback import Correction, Decided, NewFeedback, save_feedback
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


class Clock:
    """A clock that is set."""

    at = datetime(2031, 4, 1, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


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
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            for name, language, width, draw in (
                ("entry-en", "en", 1200, entry),
                ("entry-ru", "ru", 1200, entry),
                ("entry-phone-ru", "ru", 360, entry_on_phone),
                ("coordinator-en", "en", 1200, coordinator),
                ("coordinator-ru", "ru", 1200, coordinator),
            ):
                context = browser.new_context(locale=language, viewport={"width": width, "height": 900})
                page = context.new_page()
                picture = packed(draw(page, url, language))
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


def entry(page: Any, url: str, language: str) -> bytes:
    """A case with suggestions, some of them decided."""
    write_case(page, url, language)
    for choice in ("violation/health.denial", "population/plhiv"):
        page.locator(f'[id="accept-{choice}"]').click()
    page.mouse.move(0, 0)
    page.locator('[id="accept-violation/health.denial"]').focus()  # the evidence is lit
    return bytes(page.screenshot(full_page=True))


def entry_on_phone(page: Any, url: str, language: str) -> bytes:
    """The codes of a case, as a phone shows them."""
    write_case(page, url, language)
    page.locator('[id="accept-violation/health.denial"]').click()
    page.set_viewport_size({"width": 360, "height": 1500})
    page.evaluate("document.activeElement.blur()")
    page.evaluate("scrollTo(0, document.querySelector('label[for=text]').getBoundingClientRect().top + scrollY - 8)")
    return bytes(page.screenshot())


def write_case(page: Any, url: str, language: str) -> None:
    """Type a case, and wait for its suggestions."""
    page.goto(url)
    page.fill("#case", "2031-0417")
    page.fill("#country", {"en": "Moldova", "ru": "Молдова"}[language])
    page.fill("#text", TEXTS[language])
    page.wait_for_selector(".chip", timeout=120_000)


def coordinator(page: Any, url: str, language: str) -> bytes:
    """The figures, the review queue and the first decisions."""
    page.goto(f"{url}/coordinator?lang={language}")
    page.set_viewport_size({"width": 1200, "height": 1450})
    return bytes(page.screenshot())


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
