"""The API keeps to its own description, whatever is sent: requests made from the schema, valid and not."""

from __future__ import annotations

import contextlib
import os

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from nlp.keys import SIZE
from service.app import create_app
from service.settings import ServiceSettings
from service.store.access import create_key
from service.store.sealing import Keyring
from service.store.store import Store

CASES = int(os.environ.get("CASECODER_FUZZ_CASES", "136"))  # requests in all; `make fuzz` sends 20,000
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def app(constant_pipeline_of_module, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    store = Store.open(f"sqlite:///{folder}/store.db", Keyring([b"k" * SIZE]))
    limits = ServiceSettings(requests_per_minute=0, max_waiting=10_000, reads_per_day=0, request_seconds=60)
    app = create_app(constant_pipeline_of_module, settings=limits, store=store)
    token, _ = create_key(store, name="tester", scope="admin", actor="test")
    with TestClient(app):  # starts it for as long as the tests of this file last
        yield app, {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_schema_tells_of(app, mode):
    app, headers = app
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    each = max(1, CASES // (len(MODES) * len(operations)))
    sent = 0
    for operation in operations:

        @settings(max_examples=each, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def answers_by_its_schema(case):
            nonlocal sent
            sent += 1
            # Which texts are narratives and which receipts are ours no schema can say: what looks valid may be refused.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance, negative_data_rejection])

        with contextlib.suppress(Unsatisfiable):  # a route without parameters has no wrong ones
            answers_by_its_schema()
    assert sent >= CASES // (2 * len(MODES))
