"""The report of a bulk run, as a file that somebody opens: it fits a phone, loads nothing, and can be heard."""

from __future__ import annotations

import pytest

from nlp.bulk.report import Collector, RunFacts, write_report
from nlp.types import Narrative

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ru", 360)])
def test_report_fits_and_is_sound(browser, axe, constant_pipeline, codebook, tmp_path, language, width):
    collector = Collector(codebook)
    for number in range(1, 41):
        analysis = constant_pipeline.analyze_one(Narrative("The doctor refused to see her and shouted."))
        collector.add(
            number, "auto", analysis, country=("KG", "UA", "MD")[number % 3], month=f"2024-{number % 9 + 1:02}"
        )
    facts = RunFacts("constant-1", "d" * 64, str(codebook), codebook.digest, "0", "a" * 64, 12.5, 0.95)
    write_report(collector.finish(facts), tmp_path / "report.html", language=language)
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: failed.append(message.text))
    try:
        page.goto((tmp_path / "report.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        axe(page)
        assert asked == [(tmp_path / "report.html").as_uri()]
        assert failed == []
    finally:
        page.close()
