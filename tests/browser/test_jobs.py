"""The pages on files of cases, in a browser: bringing and watching one, and looking at its rows by mouse and keys."""

from __future__ import annotations

import re
import threading

import pytest

from nlp.bulk.shard_run import LoadedBundle
from nlp.pipeline import Pipeline
from service.jobs.coding import code_job
from service.jobs.looking import look
from service.jobs.options import JobOptions
from service.jobs.runner import Runner
from service.store.access import Principal
from service.store.jobs import create_job, list_jobs, new_job_id, new_job_key, next_job, start_job
from service.store.review import review_counts
from service.store.tables import ReviewRow
from service.web.jobs_texts import JOBS_TEXTS
from service.web.texts import TEXTS

pytestmark = pytest.mark.browser

CASES = """number,what happened,what was done,place
a-1,The doctor refused to see Ivan Petrov because of his status.,He left.,Osh
a-2,The nurse shouted at her in the corridor.,A complaint was written.,Bishkek
a-3,They were beaten at the station.,Nothing.,Osh
"""
CHOICE = "violation/health.denial"


class Done:
    """A job that is coded before anybody asks how far it is."""

    def __init__(self, task, loaded):
        self.said = []
        code_job(task, lambda **facts: self.said.append(facts), loaded=loaded)

    def hear(self, seconds):
        return self.said.pop(0) if self.said else None

    @property
    def has_ended(self):
        return not self.said

    def stop(self):
        pass

    kill = stop

    def how_it_ended(self):
        return "exit code 0"


class Files:
    """The page on files, as somebody uses it."""

    def __init__(self, page, site, language, loaded):
        self.page, self.site, self.loaded = page, site, loaded
        self.texts = TEXTS[language] | JOBS_TEXTS[language]

    def bring(self, name="cases.csv", content=CASES):
        self.page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content.encode()})
        self.page.click("#upload")
        self.page.wait_for_selector("#options:not([hidden])")

    def start(self):
        self.page.click("#start")
        self.page.wait_for_selector(".job .state.queued")

    def put(self, content=CASES):
        """Put a file into the queue, past the page."""
        store, job, key, who = self.site.store, new_job_id(), new_job_key(), Principal("river", "coordinator", None)
        self.site.app.state.job_files.write(job, "input", content.encode(), key)
        create_job(store, job, key, who, file_name="cases.csv", size=len(content.encode()), days=1)
        start_job(store, job, who, JobOptions(text_column=2, id_column=1).to_json())
        return job

    def run(self):
        """Code the oldest job that waits."""
        runner = Runner(
            self.site.store, self.site.app.state.settings, threading.Event(), start=lambda task: Done(task, self.loaded)
        )
        runner.run_one(next_job(self.site.store))
        runner.give_up()

    def review(self):
        self.page.click("text=" + self.texts["js.jobs.review"].split("(")[0].strip())
        self.first_row()

    def first_row(self):
        self.page.wait_for_selector("#row:not([hidden]) .chip")

    def row(self):
        return self.page.inner_text("#row-title")

    def row_becomes(self, row):
        self.page.wait_for_selector(f'#row-title[data-row="{row}"]')

    def said(self):
        return self.page.inner_text("#said")


@pytest.fixture
def log_in(serve, visit, constant_pipeline_of_module: Pipeline):
    """Starts a service and logs in as a coordinator."""

    def make(language="en", **options):
        loaded = LoadedBundle.of(constant_pipeline_of_module)
        site = serve(keys=True)
        site.app.state.look = lambda task: look(task, loaded=loaded)
        page = visit(site, "/login", language, **options)
        page.fill("#key", site.keys["river"])
        page.click("button.main")
        page.wait_for_url(f"{site.url}/")
        return Files(page, site, language, loaded)

    return make


@pytest.fixture
def files(log_in):
    """Opens the page on files as a coordinator."""

    def make(language="en", **options):
        found = log_in(language, **options)
        found.page.click(f'nav a:has-text("{TEXTS[language]["nav.jobs"]}")')
        found.page.wait_for_url(f"{found.site.url}/coordinator/jobs")
        return found

    return make


@pytest.fixture
def reviewing(log_in):
    """Opens the queue of a file that is coded, which came past the page."""

    def make(language="en", **options):
        found = log_in(language, **options)
        job = found.put()
        found.run()
        found.page.goto(f"{found.site.url}/coordinator/jobs/{job}/review")
        found.first_row()
        return found

    return make


@pytest.mark.parametrize(("language", "width"), [("en", 1280), pytest.param("ru", 360, marks=pytest.mark.slow)])
def test_file_is_brought_tried_started_watched_and_fetched(files, axe, language, width):
    found = files(language, width=width)
    page = found.page
    axe(page)
    found.bring()
    assert page.input_value("#text_column") == "2"
    assert page.locator("#rows tr").count() == 3
    assert page.evaluate("document.activeElement.id") == "prepare-title"
    page.check('#joins input[value="3"]')
    axe(page)
    page.click("#try")
    page.wait_for_selector("#tried dl")
    assert found.texts["js.jobs.status.suggest"] in page.inner_text("#tried")
    axe(page)
    found.start()
    (job,) = list_jobs(found.site.store)
    assert job.options["joins"] == [3]
    found.run()
    page.wait_for_selector(".job .state.done")
    axe(page)
    now = found.texts["js.jobs.now"].format(name="cases.csv", state=found.texts["js.jobs.state.done"])
    assert page.text_content("#announce") == now
    with page.expect_download() as fetched:
        page.click(f'a:has-text("{found.texts["js.jobs.file.output"]}")')
    coded = fetched.value.path().read_text(encoding="utf-8-sig")
    assert fetched.value.suggested_filename == "cases-coded.csv"
    assert "Petrov" not in coded
    assert "health.denial" in coded
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


CODED = """number,what happened,kind,when
a-1,The doctor refused to see Ivan Petrov because of his status.,refusal,05.03.2024
a-2,The nurse shouted at her in the corridor.,insult,06.03.2024
a-3,They were beaten at the station.,quarrel,07.04.2024
"""
MAPPING = "old,code\nrefusal,health.denial; violence.psychological\ninsult,civic.hate\n"


def map_codes(found, content, name="old-codes.csv"):
    """Choose a table of old labels."""
    file = {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    found.page.set_input_files("#mapping", file)


@pytest.mark.parametrize(("language", "width"), [pytest.param("en", 1280, marks=pytest.mark.slow), ("ru", 360)])
def test_file_with_older_codes_is_mapped_tried_coded_and_looked_at(files, axe, language, width):
    found = files(language, width=width)
    page = found.page
    found.bring(content=CODED)
    assert not page.is_visible("#coded-violation")
    page.focus("#more summary")
    page.keyboard.press("Enter")
    page.select_option("#coded-violation", "3")
    map_codes(found, "old,code\nrefusal,health.denail\n")
    page.locator("#mapping-said .problem").wait_for()
    assert "line 2" in page.inner_text("#mapping-said")
    map_codes(found, MAPPING)
    page.locator("#mapping-remove").wait_for()
    assert "old-codes.csv" in page.inner_text("#mapping-said")
    page.select_option("#date_column", "4")
    axe(page)
    page.click("#try")
    page.wait_for_selector("#tried dl")
    tried = page.inner_text("#tried")
    for name in ("js.jobs.unmapped_labels", "js.jobs.repeated"):
        assert found.texts[name] in tried
    assert "quarrel (1)" in tried
    axe(page)
    found.start()
    (job,) = list_jobs(found.site.store)
    assert job.options["coded"] == {"violation": [3]}
    assert job.options["report_language"] == language
    found.run()
    page.wait_for_selector(".job .state.done")
    page.click(f'.job summary:has-text("{found.texts["js.jobs.sums"]}")')
    axe(page)
    names = ("output", "report", "report-json", "check", "unmapped", "undo", "receipt", "decisions")
    for name in names:
        assert found.texts[f"js.jobs.file_what.{name}"] in page.inner_text(".job .files")
    endings = []
    for name in names:
        with page.expect_download() as fetched:
            page.click(f'.files a[href$="/files/{name}"]')
        endings.append(fetched.value.suggested_filename.removeprefix("cases-coded"))
    assert endings[:3] == [".csv", ".csv.report.html", ".csv.report.json"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found.review()
    assert not page.is_hidden("#row-people")
    differs = found.texts["js.review.differs"].split("{")[0]
    assert differs in page.inner_text("#row-people")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_table_of_old_labels_can_be_left_out_again(files):
    found = files()
    page = found.page
    found.bring(content=CODED)
    page.click("#more summary")
    map_codes(found, MAPPING)
    page.locator("#mapping-remove").click()
    page.wait_for_selector("#mapping:focus")
    assert page.locator("#mapping-remove").count() == 0
    (job,) = list_jobs(found.site.store)
    assert job.mapping is None
    map_codes(found, "x", "old-codes.doc")
    assert ".yaml" in page.inner_text("#mapping-said")


def test_page_without_a_file_says_what_to_do(files):
    found = files()
    found.page.click("#upload")
    assert found.texts["js.jobs.no_file"] in found.page.inner_text("#bring-said")
    found.page.set_input_files("#file", {"name": "cases.doc", "mimeType": "x/y", "buffer": b"x"})
    found.page.click("#upload")
    assert ".xlsx" in found.page.inner_text("#bring-said")
    assert list_jobs(found.site.store) == []


def test_file_whose_columns_are_unclear_asks_for_them(files, axe):
    found = files()
    found.bring(content="a,b,c\n1,x y,z\n2,y,z\n")
    assert found.texts["js.jobs.unclear"] in found.page.inner_text("#prepare-said")
    found.page.click("#start")
    assert found.texts["js.jobs.choose_text"] in found.page.inner_text("#tried")
    assert found.page.evaluate("document.activeElement.id") == "text_column"
    axe(found.page)


def test_waiting_file_is_cancelled_started_again_and_deleted(files, axe):
    found = files("en")
    page = found.page
    found.bring()
    found.start()
    page.click(".job button[data-act=cancel]")
    page.wait_for_selector(".job .state.cancelled")
    page.click(".job button[data-act=again]")
    page.wait_for_selector("#options:not([hidden])")
    assert page.input_value("#text_column") == "2"
    page.click("#close")
    page.click(".job button[data-act=delete]")
    axe(page)
    page.click("#sure button[value=no]")
    assert page.locator(".job").count() == 1
    page.click(".job button[data-act=delete]")
    page.click("#sure button[value=yes]")
    page.wait_for_selector("#list .none")
    assert list_jobs(found.site.store) == []


def test_failed_file_says_why(files, axe):
    found = files()
    found.bring()
    found.start()
    (job,) = list_jobs(found.site.store)
    found.site.app.state.job_files.remove(job.id)
    found.run()
    found.page.wait_for_selector(".job .state.failed")
    assert "Bring the file again" in found.page.inner_text(".job .problem")
    axe(found.page)


@pytest.mark.parametrize(("language", "width"), [pytest.param("en", 1280, marks=pytest.mark.slow), ("ru", 360)])
def test_row_shows_its_text_its_chips_and_what_speaks_for_them(reviewing, axe, language, width):
    found = reviewing(language, width=width)
    page = found.page
    axe(page)
    assert "Petrov" not in page.content()
    assert page.locator(f'.chip[data-key="{CHOICE}"] .likely').inner_text()
    assert page.evaluate("document.activeElement.id") == "row-title"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_keys_accept_skip_move_and_take_back(reviewing):
    found = reviewing()
    page = found.page
    first = found.row()
    page.keyboard.press("a")
    found.row_becomes(2)
    assert found.texts["js.review.accepted"].format(row=1) in found.said()
    page.keyboard.press("s")
    found.row_becomes(3)
    page.keyboard.press("k")
    found.row_becomes(2)
    assert found.texts["js.review.decided"] in found.said()
    assert page.is_disabled("#accept")
    page.keyboard.press("j")
    found.row_becomes(3)
    page.keyboard.press("u")
    found.row_becomes(2)
    page.keyboard.press("u")
    found.row_becomes(1)
    assert found.row() == first
    assert found.site.stored() == []


def test_keys_work_with_another_layout(reviewing):
    found = reviewing("ru")
    found.page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ф', code: 'KeyA', bubbles: true}))"
    )
    found.row_becomes(2)
    assert len(found.site.stored()) == 1


def test_single_keys_can_be_switched_off_and_do_nothing_in_fields(reviewing):
    found = reviewing()
    page = found.page
    page.focus("#search")
    page.keyboard.type("as")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.uncheck("#keys")
    page.keyboard.press("a")
    page.check("#keys")
    page.keyboard.press("s")
    found.row_becomes(2)
    assert found.site.stored() == []


def test_correction_by_keyboard_is_kept_as_corrected(reviewing, axe):
    found = reviewing()
    page = found.page
    page.keyboard.press("c")
    assert found.texts["js.review.correcting"] in found.said()
    assert page.inner_text("#correct .name") == found.texts["js.review.save"]
    assert page.is_disabled("#accept")
    assert page.evaluate("document.activeElement.closest('.chip') !== null")
    page.click(f'[id="reject-{CHOICE}"]')
    axe(page)
    page.keyboard.press("c")
    found.row_becomes(2)
    (item,) = found.site.stored()
    verdicts = {one.code: one.verdict for one in item.decided}
    assert verdicts["health.denial"] == "rejected"
    assert verdicts["health"] == "accepted"


def test_what_has_the_focus_is_not_behind_the_buttons_on_a_phone(reviewing):
    page = reviewing("ru", width=360).page
    page.keyboard.press("c")
    page.wait_for_selector("#codes .chip button:focus")
    bottom = "document.activeElement.getBoundingClientRect().bottom"
    top = "document.querySelector('.keys').getBoundingClientRect().top"
    for _ in range(6):
        assert page.evaluate(f"{bottom} <= {top}")
        page.keyboard.press("Tab")


def test_correction_is_dropped_with_escape(reviewing):
    found = reviewing()
    page = found.page
    page.keyboard.press("c")
    page.keyboard.press("Escape")
    assert found.texts["js.review.dropped"] in found.said()
    assert page.is_enabled("#accept")
    assert page.locator(".chip.chosen").count() == 0


def test_words_that_are_hidden_here_are_stored_hidden(reviewing):
    found = reviewing()
    page = found.page
    page.fill("#words", "status")
    page.click("#hide button[type=submit]")
    page.click("#accept")
    found.row_becomes(2)
    (item,) = found.site.stored()
    assert "status" not in item.text
    assert item.corrections[0].kind == "hidden"


def test_skipped_rows_can_be_looked_at_in_the_end(reviewing, axe):
    found = reviewing()
    page = found.page
    for row in (2, 3):
        page.click("#skip")
        found.row_becomes(row)
    page.click("#accept")
    page.wait_for_selector("#look-skipped")
    axe(page)
    page.click("#look-skipped")
    found.row_becomes(1)


def test_row_that_went_to_somebody_else_is_not_stored_twice(reviewing):
    found = reviewing()
    with found.site.store.database.writing() as session:
        for row in session.query(ReviewRow).filter_by(state="leased"):
            row.leased_by = "somebody else"
    found.page.keyboard.press("a")
    found.page.locator("#said .problem").wait_for()
    assert re.search(r"somebody else", found.said())
    assert found.site.stored() == []


def test_rows_go_back_to_the_queue_when_the_page_is_left(reviewing):
    found = reviewing()
    (job,) = list_jobs(found.site.store)
    assert review_counts(found.site.store)[job.id].lent == 1
    found.page.click("main a")
    found.page.wait_for_selector(".job")
    for _ in range(100):
        if review_counts(found.site.store)[job.id].lent == 0:
            break
        found.page.wait_for_timeout(50)
    assert review_counts(found.site.store)[job.id].lent == 0
