"""A name planted in texts must not come out anywhere but where text was asked for.

The canary is an invented lower-case word that no recognizer has reason to hide: a leak is one of the text itself and
not a miss of redaction.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from nlp.settings import Settings
from service.app import create_app
from service.settings import ServiceSettings

CANARY = "qazanarbekovaxx"
REFUSED = {
    "language": f"Der Arzt hat {CANARY} nicht behandelt und war sehr böse mit mir und das ist nicht gut",
    "nul": f"The doctor refused {CANARY}\0",
    "surrogate": f"The doctor refused {CANARY} \ud800",
    "long": f"{CANARY} " * 10_000,
}
TEXT = f"The doctor refused to see {CANARY} and shouted."


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Folders for everything a process could leave behind."""
    for name in ("tmp", "home", "work"):
        (tmp_path / name).mkdir()
    return tmp_path


def _run(workplace: Path, bundle: Path, *args: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "CASECODER_BUNDLE": str(bundle),
        "TMPDIR": str(workplace / "tmp"),
        "HOME": str(workplace / "home"),
    }
    program = "import sys; from nlp.cli import command_line; sys.argv[0] = 'casecoder'; command_line()"
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", program, *args],
        input=text,
        capture_output=True,
        cwd=workplace / "work",
        env=env,
        check=False,
    )


def _files_with_canary(*folders: Path) -> list[str]:
    wanted = (CANARY.encode(), CANARY.encode("utf-16-le"))
    return [
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in wanted)
    ]


@pytest.mark.parametrize("command", ["suggest", "redact"])
@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_refused_text_is_not_echoed(command, kind, workplace, tiny_bundle):
    done = _run(workplace, tiny_bundle, command, text=REFUSED[kind].encode("utf-8", "surrogatepass"))
    assert done.returncode == 2
    assert CANARY.encode() not in done.stdout + done.stderr
    assert not _files_with_canary(workplace)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("import nlp.redaction.redactor as m; m.resolve = crash", id="redaction"),
        pytest.param("import nlp.pipeline as m; m.decide = crash", id="decision"),
        pytest.param("import nlp.reading as m; m.detect_language = crash", id="reading"),
    ],
)
def test_crash_is_told_without_the_text(damage, workplace, tiny_bundle):
    program = (
        f"def crash(*args, **kwargs): raise ValueError(repr(args) + repr(kwargs) + {CANARY!r})\n{damage}\n"
        "import sys; from nlp.cli import command_line; sys.argv = ['casecoder', 'suggest']; command_line()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=TEXT.encode(),
        capture_output=True,
        cwd=workplace / "work",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CASECODER_BUNDLE": str(tiny_bundle)},
        check=False,
    )
    assert done.returncode != 0
    assert CANARY.encode() not in done.stdout + done.stderr


def _table(folder: Path, ending: str) -> Path:
    """A table with the canary in good and bad rows."""
    path = folder / f"cases.{ending}"
    rows = [{"id": "1", "text": TEXT}, {"id": "2", "text": REFUSED["language"]}, {"id": "3", "text": REFUSED["nul"]}]
    if ending == "jsonl":
        broken = f'{{"id": "4", "text": "{CANARY}\n'
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) + broken, encoding="utf-8")
    else:
        lines = [f'{row["id"]},"{row["text"]}"' for row in rows]
        path.write_text("\n".join(["id,text", *lines, f"4,{CANARY},{CANARY},{CANARY}"]), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_bulk_tells_no_text_while_it_runs(ending, workplace, tiny_bundle):
    source = _table(workplace, ending)
    done = _run(workplace, tiny_bundle, "bulk", str(source), "-o", str(workplace / "work" / "out.jsonl"))
    assert done.returncode == 3, done.stderr.decode()
    assert CANARY.encode() not in done.stdout + done.stderr
    assert not _files_with_canary(workplace / "tmp", workplace / "home")
    rows = [json.loads(line) for line in (workplace / "work" / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 4
    for row in rows[1:]:
        assert row["error"]
        assert CANARY not in json.dumps(row)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cases.csv", f'text\n"{CANARY} never closed'),
        ("cases.jsonl", f"[{CANARY}]"),
        pytest.param("cases.csv", f"{CANARY},{CANARY}\n1,2\n", marks=pytest.mark.slow),
        pytest.param("cases.xlsx", CANARY, marks=pytest.mark.slow),
        pytest.param("cases.parquet", CANARY, marks=pytest.mark.slow),
        pytest.param("cases.doc", CANARY, marks=pytest.mark.slow),
    ],
)
def test_broken_table_is_refused_without_its_text(name, content, workplace, tiny_bundle):
    (workplace / name).write_text(content)
    done = _run(workplace, tiny_bundle, "bulk", str(workplace / name), "-o", str(workplace / "work" / "out.csv"))
    assert done.returncode in (2, 3)
    assert CANARY.encode() not in done.stdout + done.stderr
    assert not _files_with_canary(workplace / "tmp", workplace / "home")


def test_no_route_and_no_log_tells_a_refused_text(tiny_bundle, caplog, capfd, monkeypatch):
    caplog.set_level(logging.DEBUG)
    app = create_app(settings=ServiceSettings(nlp=Settings(bundle=str(tiny_bundle))))
    bodies = [{"text": text} for kind, text in sorted(REFUSED.items()) if kind != "surrogate"]
    bodies += [{"text": [CANARY]}, {CANARY: 1}, {"text": "x", CANARY: CANARY}, {"text": TEXT, "language": CANARY}]
    with TestClient(app, raise_server_exceptions=False) as client:
        replies = [client.post(route, json=body) for route in ("/v1/suggestions", "/v1/redactions") for body in bodies]
        replies += [client.get(f"/v1/{CANARY}"), client.get("/v1/codebook", params={"language": CANARY * 3})]
        replies.append(
            client.post(
                "/v1/suggestions", content=f'{{"text": "{CANARY}'.encode(), headers={"content-type": "application/json"}
            )
        )
        monkeypatch.setattr("service.routes.suggestions.SuggestionsOut.from_analysis", _crash)
        replies.append(client.post("/v1/suggestions", json={"text": TEXT}))
        assert replies[-1].status_code == 500
    assert all(reply.status_code >= 400 for reply in replies)
    assert not [reply.text for reply in replies if CANARY in reply.text]
    ours = [
        record for record in caplog.records if record.name.startswith(("casecoder", "uvicorn", "fastapi", "starlette"))
    ]
    assert not [record for record in ours if CANARY in record.getMessage()]
    captured = capfd.readouterr()
    assert CANARY not in captured.out + captured.err


def _crash(*args, **kwargs):
    raise ValueError(CANARY)


def test_crash_in_a_running_server_leaves_no_text_in_its_log(tiny_bundle, root):
    """With the real server, whose log would get the traceback of an error that is handed on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = (
        "import nlp.pipeline as m, sys\n"
        "real = m.Pipeline.analyze_one\n"
        "def crash(self, narrative):\n"
        "    if 'Warm up' in narrative.text: return real(self, narrative)\n"
        "    raise ValueError(narrative.text)\n"
        "m.Pipeline.analyze_one = crash\n"
        "from service.cli import command_line\n"
        f"sys.argv = ['casecoder-serve', 'run', '--port', '{port}']; command_line()\n"
    )
    env = {**os.environ, "CASECODER_BUNDLE": str(tiny_bundle)}
    server = subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        reply = _post(port, json.dumps({"text": TEXT}))
    finally:
        server.terminate()
        said = server.communicate(timeout=20)[0].decode()
    assert reply[0] == 500
    assert CANARY not in reply[1] + said
    assert "ValueError" in said


def _post(port: int, body: str) -> tuple[int, str]:
    """Status and body of one request, once the server is ready."""
    for _ in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/v1/suggestions", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def _words_of(bundle):
    """What a bundle says in words. Word pieces are those of a public vocabulary, arrays hold no words, and of a linear
    model's features only whole words can be names."""
    words = set()
    for name in ("vocabulary.json", "words.json"):
        vocabulary = json.loads((bundle / name).read_text(encoding="utf-8"))
        if isinstance(vocabulary, list):
            features = [feature[2:] for feature in vocabulary if feature.startswith("w:")]
            words |= {word for feature in features for word in feature.split()}
    told = [
        path.read_text(encoding="utf-8").lower()
        for path in sorted(bundle.iterdir())
        if path.suffix in (".json", ".jsonl", ".md") and path.name not in ("tokenizer.json", "words.json")
    ]
    without_digests = re.sub(r"\b[0-9a-f]{12,64}\b", " ", "\n".join(told))
    return words | set(re.findall(r"[^\W\d_]+", without_digests))


def test_no_name_of_the_narratives_stands_in_a_shipped_bundle(root):
    """R33: no part of a name, as marked in the narratives, is in what a bundle says, unless it is a common word too."""
    index = json.loads((root / "models" / "index.json").read_text())
    bundle = root / "models" / index["default"]
    words = _words_of(bundle)
    persons: dict[str, set[str]] = {}
    outside: dict[str, set[str]] = {}
    for path in sorted((root / "annotations" / "narratives").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            text, at = case["text"], 0
            rest = []
            for span in case["spans"]:
                rest.append(text[at : span["start"]])
                at = span["end"]
                if span["label"] == "PERSON":
                    for word in text[span["start"] : at].lower().replace("-", " ").split():
                        persons.setdefault(word.strip(".,'’"), set()).add(case["id"])
            for word in " ".join([*rest, text[at:]]).lower().split():
                outside.setdefault(word.strip(".,;:!?()«»\"'’"), set()).add(case["id"])
    names_only = {name for name in persons if len(name) > 2 and len(outside.get(name, ())) < 10}  # initials are letters
    names_only -= {"ата"}  # "father" in Kazakh and Kyrgyz, and a title beside names
    assert not names_only & words
