from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from nlp.settings import Settings
from service.app import create_app
from service.cli import app as serve_app
from service.settings import ServiceSettings

TEXT = "Clinic in the city. The doctor refused to see Zarina Qodirova, tel. +992 917 123 456."
BODY = {"text": TEXT, "case_id": "case-7"}


@pytest.fixture
def client(constant_pipeline):
    with TestClient(create_app(constant_pipeline), raise_server_exceptions=False) as client:
        yield client


def test_suggestions_name_bundle_codebook_and_offset_unit(client):
    reply = client.post("/v1/suggestions", json=BODY)
    assert reply.status_code == 200
    said = reply.json()
    assert said["bundle"] == "constant-1"
    assert said["codebook"].startswith("react ")
    assert said["offset_unit"] == "unicode code points"
    assert said["id"] == "case-7"
    assert [item["code"] for item in said["suggestions"] if item["suggested"]] == [
        "health.denial", "violence.psychological", "health", "plhiv",
    ]  # fmt: skip
    assert reply.headers["cache-control"] == "no-store"


def test_replies_hold_no_name(client):
    for route in ("/v1/suggestions", "/v1/redactions"):
        reply = client.post(route, json={"text": TEXT})
        assert "Zarina" not in reply.text
        assert "[PERSON_1]" in reply.json()["redacted_text"]
        spans = [TEXT[item["start"] : item["end"]] for item in reply.json()["entities"]]
        assert "Zarina Qodirova" in spans


def test_offsets_count_code_points(client):
    text = "\N{WAVING HAND SIGN}\N{WAVING HAND SIGN} The doctor refused to see Zarina Qodirova."
    (entity,) = client.post("/v1/redactions", json={"text": text}).json()["entities"]
    assert text[entity["start"] : entity["end"]] == "Zarina Qodirova"


def test_service_and_command_line_say_the_same(tiny_bundle, monkeypatch):
    import json

    from nlp.cli import app as cli

    with TestClient(create_app(settings=ServiceSettings(nlp=Settings(bundle=str(tiny_bundle))))) as client:
        over_http = client.post("/v1/suggestions", json={"text": TEXT}).json()
    monkeypatch.setenv("CASECODER_BUNDLE", str(tiny_bundle))
    in_shell = json.loads(CliRunner().invoke(cli, ["suggest", "--json"], input=TEXT).stdout)
    for key in ("suggestions", "entities", "primary", "redacted_text", "language", "bundle", "not_a_violation"):
        assert over_http[key] == in_shell[key]


def test_only_the_axes_asked_for(client):
    said = client.post("/v1/suggestions", json={**BODY, "axes": ["population"]}).json()
    assert {item["axis"] for item in said["suggestions"]} == {"population"}
    assert set(said["primary"]) == {"population"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": ""}, 422, "narrative.empty"),
        ({"text": "  \n"}, 422, "narrative.empty"),
        ({"text": "😀"}, 422, "narrative.empty"),
        ({"text": "Zarina " * 15_000}, 413, "narrative.too_long"),
        ({"text": "Zarina\0"}, 422, "narrative.unreadable"),
        ({"text": "Der Arzt hat Zarina nicht behandelt und war sehr böse mit mir"}, 422, "narrative.language"),
        ({"text": "Zarina refused", "language": "xx"}, 422, "narrative.language"),
        ({"text": 5}, 422, "request.invalid"),
        ({"Zarina": "x"}, 422, "request.invalid"),
        ({"text": "x", "Zarina": 1}, 422, "request.invalid"),
        ({"text": "x", "axes": "Zarina"}, 422, "request.invalid"),
        (["Zarina"], 422, "request.invalid"),
    ],
)
@pytest.mark.parametrize("route", ["/v1/suggestions", "/v1/redactions"])
def test_bad_requests_are_problems_that_echo_nothing(client, route, body, status, code):
    reply = client.post(route, json=body)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == status
    assert problem["code"] == code or problem["code"] == "request.invalid"
    assert problem["type"].endswith(problem["code"])
    assert "Zarina" not in reply.text


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b'{"text": "Zarina', {"content-type": "application/json"}, 422),
        (b'{"text": "\\ud800 Zarina"}', {"content-type": "application/json"}, 422),
        (b"\xff\xfe", {"content-type": "application/json"}, 422),
        (b'{"text": "\xff Zarina"}', {"content-type": "application/json"}, 422),
        (b"[" * 100_000, {"content-type": "application/json"}, 422),
        (b"text=Zarina", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"Zarina", {}, 415),
        (b"x", {"content-type": "application/json", "content-encoding": "gzip"}, 415),
        (b'{"text": "' + b"Zarina" * 200_000 + b'"}', {"content-type": "application/json"}, 413),
    ],
)
def test_bad_bodies_are_refused(client, content, headers, status):
    reply = client.post("/v1/suggestions", content=content, headers=headers)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert "Zarina" not in reply.text


def test_body_without_a_length_is_cut_off_at_the_limit(client):
    sent = 0

    def endless():
        nonlocal sent
        yield b'{"text": "'
        for _ in range(1_000):
            sent += 10_000
            yield b"a" * 10_000

    reply = client.post("/v1/suggestions", content=endless(), headers={"content-type": "application/json"})
    assert reply.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/Zarina", 404), ("GET", "/v1/suggestions", 405), ("DELETE", "/v1/codebook", 405)],
)
def test_wrong_routes_are_problems(client, method, path, status):
    reply = client.request(method, path)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert "Zarina" not in reply.text


def test_crash_is_a_problem_without_its_message(client, monkeypatch, caplog):
    def crash(self, narrative):
        raise RuntimeError("Zarina Qodirova")

    monkeypatch.setattr("nlp.pipeline.Pipeline.analyze_one", crash)
    reply = client.post("/v1/suggestions", json=BODY)
    assert reply.status_code == 500
    assert reply.json()["code"] == "internal"
    assert "Zarina" not in reply.text
    assert "Zarina" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("casecoder")
    )


def test_unknown_axis_is_refused(client):
    reply = client.post("/v1/suggestions", json={**BODY, "axes": ["violations"]})
    assert reply.status_code == 422
    assert "perpetrator" in reply.json()["detail"]


def test_codebook_is_not_sent_twice(client):
    etag = client.get("/v1/codebook").headers["etag"]
    assert client.get("/v1/codebook", headers={"If-None-Match": etag}).status_code == 304


def test_codebook_is_told_in_the_language_asked_for_with_an_etag(client, codebook):
    reply = client.get("/v1/codebook", params={"language": "ru"})
    assert reply.json()["axes"][0]["label"] == "Вид нарушения"
    assert reply.headers["etag"].strip('"') == f"{codebook.digest[:32]}-ru"


def test_bundles_tell_the_loaded_one(tiny_bundle):
    with TestClient(create_app(settings=ServiceSettings(nlp=Settings(bundle=str(tiny_bundle))))) as client:
        (bundle,) = client.get("/v1/bundles").json()
    assert bundle["active"]
    assert bundle["languages"] == ["en", "ru"]


def test_service_is_live_before_it_is_ready(constant_pipeline):
    app = create_app(constant_pipeline)
    early = TestClient(app)  # not entered: the app has not started
    assert early.get("/health/live").status_code == 200
    assert early.get("/health/ready").status_code == 503
    assert early.post("/v1/suggestions", json=BODY).status_code == 503
    with TestClient(app) as client:
        assert client.get("/health/ready").json() == {"status": "ready"}


def test_openapi_has_examples_and_problems(client):
    schema = client.get("/openapi.json").json()
    post = schema["paths"]["/v1/suggestions"]["post"]
    assert "application/problem+json" in post["responses"]["422"]["content"]
    assert schema["components"]["schemas"]["SuggestionsIn"]["examples"]
    assert set(schema["paths"]) == {
        "/v1/suggestions", "/v1/suggestions/batch", "/v1/redactions", "/v1/feedback", "/v1/feedback/{feedback_id}",
        "/v1/feedback/export", "/v1/feedback/review", "/v1/erasures", "/v1/statistics", "/v1/codebook", "/v1/bundles",
        "/v1/bundles/active", "/v1/keys", "/v1/keys/{key_id}", "/v1/jobs", "/v1/jobs/{job_id}",
        "/v1/jobs/{job_id}/preview", "/v1/jobs/{job_id}/mapping",
        "/v1/jobs/{job_id}/dry-run", "/v1/jobs/{job_id}/start", "/v1/jobs/{job_id}/cancel",
        "/v1/jobs/{job_id}/files/{kind}", "/v1/jobs/{job_id}/review/next", "/v1/jobs/{job_id}/review/undo",
        "/v1/jobs/{job_id}/review/release", "/v1/jobs/{job_id}/review/{row}",
        "/health/live", "/health/ready", "/metrics",
    }  # fmt: skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_public_address_is_refused_without_keys(host):
    done = CliRunner().invoke(serve_app, ["run", "--host", host])
    assert done.exit_code == 2
    assert "127.0.0.1" in done.stderr


def test_missing_bundle_stops_the_start_with_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("CASECODER_BUNDLE", str(tmp_path))
    done = CliRunner().invoke(serve_app, ["run"])
    assert done.exit_code == 2
    assert "no bundle" in done.stderr
