"""Another bundle while the service runs: each answer is of one bundle, and one that cannot be used changes nothing."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from nlp.bundle import Bundle
from nlp.codebook import parse_codebook
from nlp.errors import SettingsError
from nlp.settings import Settings
from service import bundles as bundles_module
from service.app import create_app
from service.metrics import SHARED
from service.settings import ServiceSettings
from service.store.access import create_key
from service.store.choice import read_choice
from service.store.feedback import Wanted, list_feedback
from service.store.tables import AuditEntry, Secret
from training.package import Identity

pytestmark = pytest.mark.mostly_sqlite

TEXT = "The doctor refused to see me."
SAYS = {"denial-1": "health.denial", "hate-1": "civic.hate"}
CYRILLIC = re.compile(r"[а-яё]")
PATIENCE = 60  # seconds until something that should happen has not


@pytest.fixture
def folder(two_bundles, tmp_path):
    """The two bundles, in a folder that a test may damage."""
    return Path(shutil.copytree(two_bundles, tmp_path / "bundles"))


@pytest.fixture
def api(start, folder):
    """A service on the constant pipeline, ``constant-1``, that may change to the others."""
    return start(bundle_folder=folder)


@pytest.fixture
def begin(store, folder):
    """Starts a process on the store, with the bundle that its settings name; an administrator's key comes along."""
    key, _ = create_key(store, name="hill", scope="admin", actor="test")
    with ExitStack() as running:

        def make(name="denial-1", *, kept=True, **settings):
            own = ServiceSettings(
                nlp=Settings(bundle=str(folder / name)),
                bundle_folder=folder,
                blind_share=0.0,
                requests_per_minute=0,
                max_wait_seconds=60.0,
                request_seconds=30.0,
                **settings,
            )
            app = create_app(settings=own, store=store if kept else None)
            client = TestClient(app, headers={"Authorization": f"Bearer {key}"} if kept else {})
            return running.enter_context(client)

        yield make


def change(api, name, who="hill", **options):
    return api.post("/v1/bundles/active", {"name": name}, who, **options)


def served(client):
    return client.post("/v1/suggestions", json={"text": TEXT}).json()["bundle"]


def suggested(answer):
    return [item["code"] for item in answer["suggestions"] if item["suggested"] and item["axis"] == "violation"]


def told(store):
    """Bundles that were chosen, by the audit log."""
    with store.database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "choose bundle"))
        return [(entry.actor.split(" ")[0], entry.facts) for entry in entries]


def test_another_bundle_is_served_from_its_answer_on(api):
    for name, code in SAYS.items():
        reply = change(api, name)
        assert reply.status_code == 200
        assert reply.json()["name"] == name
        assert reply.json()["active"]
        answer = api.suggest()
        assert (answer["bundle"], suggested(answer)) == (name, [code])
        assert api.post("/v1/redactions", {"text": TEXT}).json()["bundle"] == name
        assert [item["name"] for item in api.get("/v1/bundles").json()] == [name]
    assert told(api.store) == [("hill", {"bundle": name}) for name in SAYS]


def test_figures_tell_the_bundle_that_is_served(api):
    change(api, "denial-1")
    lines = [line for line in api.get("/metrics", "river").text.splitlines() if line.startswith("casecoder_bundle{")]
    assert {re.search('bundle="(.*?)"', line)[1]: float(line.split()[-1]) for line in lines} == {
        "constant-1": 0,
        "denial-1": 1,
    }


def test_answers_are_of_the_one_before_until_the_other_is_loaded(api, monkeypatch):
    begun, free = Event(), Event()
    load = Bundle.pipeline

    def slowly(self, **options):
        begun.set()
        assert free.wait(PATIENCE)
        return load(self, **options)

    monkeypatch.setattr(Bundle, "pipeline", slowly)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(change, api, "denial-1")
        try:
            assert begun.wait(PATIENCE)
            assert api.client.get("/health/ready").status_code == 200
            assert api.suggest()["bundle"] == "constant-1"
            assert read_choice(api.store) is None
        finally:
            free.set()
        assert reply.result(PATIENCE).status_code == 200
    assert api.suggest()["bundle"] == "denial-1"


class Held:
    """A classifier that answers only when it is let go."""

    def __init__(self, real):
        self._real = real
        self.begun, self.free = Event(), Event()

    def __getattr__(self, name):
        return getattr(self._real, name)

    def predict_proba(self, X):
        self.begun.set()
        assert self.free.wait(PATIENCE)
        return self._real.predict_proba(X)


@pytest.mark.parametrize("path", ["/v1/suggestions", "/v1/suggestions/batch"])
def test_request_ends_with_the_bundle_that_it_began_with(start, folder, constant_pipeline, path):
    held = Held(constant_pipeline.classifier)
    held.free.set()
    api = start(dataclasses.replace(constant_pipeline, classifier=held), bundle_folder=folder)
    held.begun.clear()
    held.free.clear()
    body = {"narratives": [{"text": TEXT}] * 3} if path.endswith("batch") else {"text": TEXT}
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(api.post, path, body)
        try:
            assert held.begun.wait(PATIENCE)
            assert change(api, "denial-1").status_code == 200
            assert api.suggest()["bundle"] == "denial-1"
        finally:
            held.free.set()
        said = under_way.result(PATIENCE).json()
    answers = [item["suggestions"] for item in said["results"]] if "results" in said else [said]
    assert {answer["bundle"] for answer in answers} == {"constant-1"}
    assert [suggested(answer) for answer in answers] == [["health.denial", "violence.psychological"]] * len(answers)


def test_no_answer_mixes_two_bundles_and_none_fails_while_they_change(api):
    """R20: callers without a pause, and an administrator who changes to and fro."""
    change(api, "denial-1")
    of = {}  # what a bundle says of the text, and by which thresholds
    for name in SAYS:
        change(api, name)
        answer = api.suggest()
        of[name] = (suggested(answer), answer["policy"])
    over = Event()

    def ask(number):
        answers, wrong = [], []
        while not over.is_set():
            if number % 3 == 0:
                reply = api.post("/v1/suggestions/batch", {"narratives": [{"text": TEXT}] * 4})
            elif number % 3 == 1:
                reply = api.post("/v1/suggestions", {"text": TEXT})
            else:
                reply = api.post("/v1/redactions", {"text": TEXT})
            said = reply.json()
            wrong += [reply.text] if reply.status_code != 200 else []
            answers.append([item["suggestions"] for item in said["results"]] if "results" in said else [said])
        return answers, wrong

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(ask, number) for number in range(6)]
        try:
            replies = [change(api, name).status_code for name in [*SAYS] * 3]
        finally:
            over.set()
        found = [item.result(PATIENCE) for item in asking]
    assert replies == [200] * 6
    assert [wrong for _, wrong in found if wrong] == []
    seen = set()
    for answers, _ in found:
        for answer in answers:
            (bundle,) = {item["bundle"] for item in answer}  # also within a batch
            seen.add(bundle)
            assert all((suggested(item), item["policy"]) == of[bundle] for item in answer if "policy" in item)
    assert seen == set(SAYS)


def damage(folder, how):
    """Damages denial-1, and gives the name to be asked for."""
    bundle = folder / "denial-1"
    manifest = json.loads((bundle / "manifest.json").read_text())
    if how == "altered":
        (bundle / "weights.npy").write_bytes((bundle / "weights.npy").read_bytes()[:-1] + b"\1")
    elif how == "a file too many":
        (bundle / "more.npy").write_bytes(b"x")
    elif how == "no manifest":
        (bundle / "manifest.json").write_text("Zarina")
    elif how == "another format":
        (bundle / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    elif how == "another kind":
        (bundle / "manifest.json").write_text(json.dumps(manifest | {"kind": "forest"}))
    elif how == "another name":
        return bundle.rename(folder / "mercy-1").name
    return "denial-1"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("altered", "bundle.corrupt"),
        ("a file too many", "bundle.corrupt"),
        ("no manifest", "bundle.corrupt"),
        ("another format", "bundle.incompatible"),
        ("another kind", "bundle.incompatible"),
        ("another name", "bundle.incompatible"),
    ],
)
def test_bundle_that_cannot_be_used_is_refused_and_nothing_changes(api, folder, how, code):
    name = damage(folder, how)
    reply = change(api, name)
    problem = reply.json()
    assert (reply.status_code, problem["code"]) == (409, code)
    assert name in problem["detail"]
    assert CYRILLIC.search(change(api, name, headers={"Accept-Language": "ru"}).json()["detail"])
    assert api.suggest()["bundle"] == "constant-1"
    assert api.client.get("/health/ready").status_code == 200
    assert (told(api.store), read_choice(api.store)) == ([], None)


def test_bundle_that_fails_while_it_is_warmed_is_refused(api, monkeypatch):
    def crash(self, narrative):
        raise RuntimeError("Zarina")

    with monkeypatch.context() as patch:
        patch.setattr("nlp.pipeline.Pipeline.analyze_one", crash)
        reply = change(api, "denial-1")
    assert (reply.status_code, reply.json()["code"]) == (409, "bundle.incompatible")
    assert "Zarina" not in reply.text
    assert api.suggest()["bundle"] == "constant-1"


@pytest.mark.parametrize(
    "name", ["Zarina", "../bundles/Zarina", "/Zarina", "denial-1/", "./denial-1", "DENIAL-1 Zarina", "constant-1"]
)
def test_unknown_bundle_is_refused_with_those_that_there_are(api, name):
    for language in ("en", "ru"):
        reply = change(api, name, headers={"Accept-Language": language})
        assert (reply.status_code, reply.json()["code"]) == (422, "bundle.unknown")
        assert "denial-1, hate-1" in reply.json()["detail"]
        assert "Zarina" not in reply.text
    assert api.suggest()["bundle"] == "constant-1"


def test_bundles_outside_of_the_folder_cannot_be_named(api, folder, two_bundles):
    for name in (str(two_bundles / "denial-1"), "../bundles/denial-1", "bundles"):
        assert change(api, name).status_code == 422


def test_only_administrators_change_the_bundle(api):
    for who in ("bird", "river"):
        assert change(api, "denial-1", who).status_code == 404
    assert change(api, "denial-1", None).status_code == 401
    assert api.suggest()["bundle"] == "constant-1"


@pytest.mark.both_databases
def test_bundle_that_could_not_be_kept_in_the_audit_log_is_not_served(api, monkeypatch):
    from service.errors import StoreError

    def fail(*args, **kwargs):
        raise StoreError("the database failed")

    with monkeypatch.context() as patch:
        patch.setattr(api.store.audit, "add", fail)
        assert change(api, "denial-1").status_code == 503
    assert api.suggest()["bundle"] == "constant-1"
    assert read_choice(api.store) is None


# Receipts


def test_receipt_of_the_bundle_before_stays_good(api):
    receipt = api.suggest(case_id="case-7")["receipt"]
    change(api, "hate-1")
    reply = api.decide(
        receipt=receipt,
        verdicts=[{"axis": "violation", "code": "health.denial", "verdict": "accepted"}],
        redacted_text=TEXT,
    )
    assert reply.status_code == 201
    (stored,) = list_feedback(api.store, Wanted())
    assert stored.bundle == "constant-1"


@pytest.fixture
def other_codebook(codebook, folder, make_bundle):
    """A bundle whose codebook has no hate-1's code any more, and calls another one otherwise."""
    source = codebook.source.replace('version: "1.1"', 'version: "9.0"').replace("id: civic.hate", "id: civic.hatred")
    changed = parse_codebook(re.sub(r"\bcivic\.hate\b(?!d)", "civic.hatred", source))
    assert (changed.version, codebook.version) == ("9.0", "1.1")
    make_bundle(folder / "other-9", changed, Identity("other", "9", "2031-05-06", ("en",)))
    return changed


@pytest.mark.parametrize("again", [False, True], ids=["while it runs", "after another start"])
def test_receipt_of_the_bundle_before_is_judged_by_the_codebook_of_its_time(begin, other_codebook, again):
    client = begin("hate-1")
    receipt = client.post("/v1/suggestions", json={"text": TEXT}).json()["receipt"]
    assert client.post("/v1/bundles/active", json={"name": "other-9"}).json()["codebook"] == str(other_codebook)
    if again:
        client = begin("hate-1")
        assert served(client) == "other-9"
    verdicts = [{"axis": "violation", "code": "civic.hate", "verdict": "accepted"}]
    assert client.post("/v1/feedback", json={"receipt": receipt, "verdicts": verdicts}).status_code == 201
    receipt = client.post("/v1/suggestions", json={"text": TEXT}).json()["receipt"]
    added = [{"axis": "violation", "code": "civic.hate", "verdict": "added"}]
    assert client.post("/v1/feedback", json={"receipt": receipt, "verdicts": added}).status_code == 422


# Several processes, and another start


@pytest.mark.both_databases
def test_other_processes_follow(begin):
    first, second = begin("denial-1"), begin("denial-1")
    first.post("/v1/bundles/active", json={"name": "hate-1"})
    second.app.state.bundles.follow()
    assert (served(first), served(second)) == ("hate-1", "hate-1")
    second.post("/v1/bundles/active", json={"name": "denial-1"})
    first.app.state.bundles.follow()
    assert (served(first), served(second)) == ("denial-1", "denial-1")


def test_other_processes_follow_by_themselves(begin, monkeypatch, store):
    monkeypatch.setattr(bundles_module, "_EVERY", 0.01)
    first, second = begin("denial-1"), begin("denial-1")
    first.post("/v1/bundles/active", json={"name": "hate-1"})
    end = time.monotonic() + PATIENCE
    while served(second) != "hate-1":
        assert time.monotonic() < end, "it never followed"
        time.sleep(0.01)
    assert told(store) == [("hill", {"bundle": "hate-1"})]  # by who chose it, not by who follows


def test_process_that_cannot_follow_stays_as_it_is_and_says_so(begin, folder, caplog):
    first, second = begin("denial-1"), begin("denial-1")
    first.post("/v1/bundles/active", json={"name": "hate-1"})
    (folder / "hate-1" / "weights.npy").write_bytes(b"x")
    for _ in range(3):
        second.app.state.bundles.follow()
    assert served(second) == "denial-1"
    said = [record.getMessage() for record in caplog.records if record.name == "casecoder.service"]
    assert len(said) == 1  # and not each second
    assert "hate-1" in said[0]


def test_other_processes_serve_no_other_bundle_of_the_same_name(begin, folder, codebook, make_bundle, caplog):
    first, second = begin("denial-1"), begin("denial-1")
    first.post("/v1/bundles/active", json={"name": "hate-1"})
    shutil.rmtree(folder / "hate-1")
    make_bundle(folder / "hate-1", codebook, Identity("hate", "1", "2031-05-07", ("en",)), code="health.denial")
    second.app.state.bundles.follow()
    assert served(second) == "denial-1"
    assert "not as it was when it was chosen" in caplog.text


@pytest.mark.both_databases
def test_choice_holds_after_another_start(begin):
    begin("denial-1").post("/v1/bundles/active", json={"name": "hate-1"})
    assert served(begin("denial-1")) == "hate-1"


def test_settings_that_were_changed_since_come_before_the_choice(begin, folder):
    begin("denial-1").post("/v1/bundles/active", json={"name": "hate-1"})
    shutil.copytree(folder / "denial-1", folder / "elsewhere")
    client = begin("elsewhere")
    client.app.state.bundles.follow()
    assert served(client) == "denial-1"


def test_start_without_the_chosen_bundle_is_with_that_of_the_settings_and_says_so(begin, folder, caplog):
    begin("denial-1").post("/v1/bundles/active", json={"name": "hate-1"})
    shutil.rmtree(folder / "hate-1")
    assert served(begin("denial-1")) == "denial-1"
    assert "no bundle of that name" in caplog.text


def test_bundle_of_the_settings_can_be_chosen_again_wherever_it_lies(begin, folder):
    client = begin("denial-1")
    client.post("/v1/bundles/active", json={"name": "hate-1"})
    shutil.copytree(folder / "denial-1", folder / "elsewhere")
    shutil.rmtree(folder / "denial-1")
    client = begin("elsewhere")
    for name in ("hate-1", "denial-1"):
        assert client.post("/v1/bundles/active", json={"name": name}).status_code == 200
        assert served(client) == name


@pytest.mark.both_databases
def test_who_can_write_to_the_database_cannot_choose(begin, store):
    first, second = begin("denial-1"), begin("denial-1")
    first.post("/v1/bundles/active", json={"name": "hate-1"})
    with store.database.writing() as session:
        sealed = session.scalar(select(Secret.sealed).where(Secret.name == "pepper"))
        session.execute(update(Secret).where(Secret.name == "bundle").values(sealed=sealed))
    with pytest.raises(Exception, match="cannot be opened"):
        second.app.state.bundles.follow()
    assert served(second) == "denial-1"


def test_service_that_keeps_nothing_changes_alone(begin, monkeypatch):
    client = begin("denial-1", kept=False)
    assert client.post("/v1/bundles/active", json={"name": "hate-1"}).status_code == 200
    assert served(client) == "hate-1"


def test_several_workers_without_a_store_do_not_change(begin, monkeypatch, tmp_path):
    client = begin("denial-1", kept=False)
    monkeypatch.setenv(SHARED, str(tmp_path))
    reply = client.post("/v1/bundles/active", json={"name": "hate-1"})
    assert (reply.status_code, reply.json()["code"]) == (503, "store.missing")
    assert "CASECODER_BUNDLE" in reply.json()["detail"]
    assert served(client) == "denial-1"


def test_folder_of_bundles_must_be_there(tmp_path):
    assert ServiceSettings.from_env({"CASECODER_BUNDLE_FOLDER": str(tmp_path)}).bundle_folder == tmp_path
    with pytest.raises(SettingsError, match="CASECODER_BUNDLE_FOLDER"):
        ServiceSettings.from_env({"CASECODER_BUNDLE_FOLDER": str(tmp_path / "Zarina")})
