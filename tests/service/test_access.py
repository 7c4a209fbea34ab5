"""Access keys and logins."""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta

import pytest

from nlp.errors import SettingsError
from service.store import access
from service.store.access import (
    LOCAL,
    SCOPES,
    Principal,
    create_key,
    csrf_token,
    has_keys,
    list_keys,
    log_in,
    log_out,
    revoke_key,
    who_has_key,
    who_is_logged_in,
)


def new_key_for(store, name="bird", scope="reactor", **options):
    return create_key(store, name=name, scope=scope, actor="test", **options)


def logged_in(store, token, hours=1.0):
    found = log_in(store, token, hours=hours)
    assert found is not None
    return found


def test_keys_have_at_least_128_random_bits(store, monkeypatch):
    asked = []
    real = access.secrets.token_urlsafe
    monkeypatch.setattr(access.secrets, "token_urlsafe", lambda size: asked.append(size) or real(size))
    token, facts = new_key_for(store)
    prefix, identifier, secret = token.split("_", 2)
    assert (prefix, identifier) == ("cck", facts.id)
    assert 8 * len(base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))) >= 128
    assert min(asked) * 8 >= 128
    log_in(store, token, hours=1)
    assert min(asked) * 8 >= 128


def test_keys_differ(store):
    secrets = {new_key_for(store)[0].split("_", 2)[2] for _ in range(20)}
    assert len(secrets) == 20


def test_neither_keys_nor_logins_are_kept_in_plain_text(store, raw_content):
    token, facts = new_key_for(store)
    login, _ = logged_in(store, token)
    content = raw_content(store)
    assert facts.id.encode() in content  # the search looks where keys are
    for secret in (token, token.split("_", 2)[2], login):
        assert secret.encode() not in content
        assert secret.encode("utf-16-le") not in content


def test_key_tells_who_it_is(store):
    token, facts = new_key_for(store, scope="coordinator")
    assert who_has_key(store, token) == Principal("bird", "coordinator", facts.id)


def test_store_without_keys_knows_it(store):
    assert not has_keys(store)
    new_key_for(store)
    assert has_keys(store)


def test_revoked_keys_count_as_keys(store):
    """Else revoking the last key would open the service to everybody."""
    _, facts = new_key_for(store)
    revoke_key(store, facts.id, actor="test")
    assert has_keys(store)


OTHERS = [
    lambda token: "",
    lambda token: "cck_",
    lambda token: "cck_000000000000_" + token.split("_", 2)[2],
    lambda token: token[:-1],
    lambda token: token + "A",
    lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
    lambda token: token.removeprefix("cck_"),
    lambda token: token.upper(),
    lambda token: token.split("_", 2)[2],
    lambda token: "cck_\0_" + token.split("_", 2)[2],
    lambda token: "cck_Ж_" + token.split("_", 2)[2],
    lambda token: f" {token}",
    lambda token: "cck_" + "a" * 100_000 + "_x",
]


def test_other_tokens_are_nobodys(store):
    token, _ = new_key_for(store)
    for change in OTHERS:
        assert who_has_key(store, change(token)) is None
    assert who_has_key(store, token) is not None


def test_secret_of_one_key_does_not_open_another(store):
    first, second = new_key_for(store)[0], new_key_for(store)[0]
    mixed = "_".join([*first.split("_", 2)[:2], second.split("_", 2)[2]])
    assert who_has_key(store, mixed) is None


@pytest.mark.parametrize("kind", ["unknown id", "no id", "wrong secret", "right", "revoked"])
def test_every_token_is_compared_in_constant_time(store, monkeypatch, kind):
    token, facts = new_key_for(store)
    sent = {
        "unknown id": "cck_000000000000_" + "A" * 32,
        "no id": "nonsense",
        "wrong secret": f"cck_{facts.id}_" + "A" * 32,
    }.get(kind, token)
    if kind == "revoked":
        revoke_key(store, facts.id, actor="test")
    compared = []

    def compare(one, other):
        compared.append((len(one), len(other)))
        return hmac_compare(one, other)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr(access.hmac, "compare_digest", compare)
    assert (who_has_key(store, sent) is not None) == (kind == "right")
    assert compared[0] == (64, 64)  # for each kind; what is found has its own seal compared too


def test_keys_expire(store, clock):
    token, facts = new_key_for(store, valid=timedelta(days=1))
    assert facts.expires == clock() + timedelta(days=1)
    clock.advance(hours=23, minutes=59)
    assert who_has_key(store, token) is not None
    clock.advance(minutes=1)
    assert who_has_key(store, token) is None


def test_revoked_keys_end_at_once_in_every_process(store, open_store, database_url):
    token, facts = new_key_for(store)
    other = open_store(database_url)
    login, _ = logged_in(other, token)
    assert who_has_key(other, token) is not None
    assert revoke_key(store, facts.id, actor="test")
    assert who_has_key(other, token) is None
    assert who_is_logged_in(other, login) is None
    assert log_in(other, token, hours=1) is None


def test_revoking_twice_or_what_is_not_there_says_so(store):
    _, facts = new_key_for(store)
    assert revoke_key(store, facts.id, actor="test")
    assert not revoke_key(store, facts.id, actor="test")
    assert not revoke_key(store, "000000000000", actor="test")


def test_a_token_pasted_as_an_id_does_not_reach_the_audit_log(store, raw_content):
    token, _ = new_key_for(store)
    assert not revoke_key(store, token, actor="test")
    assert token.split("_", 2)[2].encode() not in raw_content(store)


def test_list_of_keys_tells_all_but_the_secrets(store, clock):
    token, first = new_key_for(store)
    clock.advance(hours=1)
    _, second = new_key_for(store, name="river", scope="coordinator", valid=timedelta(days=3))
    revoke_key(store, first.id, actor="test")
    found = list_keys(store)
    assert [(item.id, item.name, item.scope) for item in found] == [
        (first.id, "bird", "reactor"),
        (second.id, "river", "coordinator"),
    ]
    assert [item.revoked for item in found] == [clock(), None]
    assert [item.expires for item in found] == [None, clock() + timedelta(days=3)]
    assert token.split("_", 2)[2] not in repr(found)


def test_names_of_keys_are_short_and_printable(store):
    for name in ("", "   ", "a" * 81, "a\nb", "a\0b", "a\u202eb"):
        with pytest.raises(SettingsError):
            new_key_for(store, name=name)
    assert not has_keys(store)


def test_scopes_are_those_there_are(store):
    for scope in ("root", "", "Admin", "reactor "):
        with pytest.raises(SettingsError):
            new_key_for(store, scope=scope)
    assert not has_keys(store)


def test_key_that_is_over_before_it_begins_is_refused(store):
    with pytest.raises(SettingsError):
        new_key_for(store, valid=timedelta(0))


def test_login_tells_who_it_is(store):
    token, facts = new_key_for(store)
    login, principal = logged_in(store, token)
    assert (principal.name, principal.scope, principal.key_id) == ("bird", "reactor", facts.id)
    assert who_is_logged_in(store, login) == principal


def test_logins_are_over_in_time(store, clock):
    login, _ = logged_in(store, new_key_for(store)[0], hours=2)
    clock.advance(hours=1, minutes=59)
    assert who_is_logged_in(store, login) is not None
    clock.advance(minutes=1)
    assert who_is_logged_in(store, login) is None


def test_logging_out_ends_this_login_only(store):
    token, _ = new_key_for(store)
    first, principal = logged_in(store, token)
    second, _ = logged_in(store, token)
    log_out(store, principal)
    assert who_is_logged_in(store, first) is None
    assert who_is_logged_in(store, second) is not None


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_logins_end_with_the_key(store, clock, end):
    token, facts = new_key_for(store, valid=timedelta(hours=1))
    login, _ = logged_in(store, token, hours=12)
    if end == "revoked":
        revoke_key(store, facts.id, actor="test")
    else:
        clock.advance(hours=1)
    assert who_is_logged_in(store, login) is None


def test_key_and_login_do_not_stand_for_each_other(store):
    token, _ = new_key_for(store)
    login, _ = logged_in(store, token)
    assert who_has_key(store, login) is None
    assert who_is_logged_in(store, token) is None


def test_csrf_tokens_differ_between_logins_and_stay_for_one(store):
    token, _ = new_key_for(store)
    login, first = logged_in(store, token)
    _, second = logged_in(store, token)
    tokens = {csrf_token(store, principal) for principal in (first, second, LOCAL)}
    assert len(tokens) == 3
    assert csrf_token(store, who_is_logged_in(store, login)) == csrf_token(store, first)
    assert login not in tokens


def test_csrf_tokens_of_two_stores_differ(store, open_store, new_url):
    assert csrf_token(store, LOCAL) != csrf_token(open_store(new_url("sqlite")), LOCAL)


@pytest.mark.parametrize(("scope", "allowed"), [("reactor", 1), ("coordinator", 2), ("admin", 3)])
def test_each_scope_may_do_what_those_before_it_may(scope, allowed):
    principal = Principal("bird", scope, "key1")
    assert [principal.may(wanted) for wanted in SCOPES] == [at < allowed for at in range(len(SCOPES))]


def test_making_and_revoking_keys_is_told_to_the_audit_log(store):
    from sqlalchemy import select

    from service.store.tables import AuditEntry

    token, facts = new_key_for(store, scope="admin")
    revoke_key(store, facts.id, actor="hill")
    with store.database.reading() as session:
        told = [(item.actor, item.action, item.facts) for item in session.scalars(select(AuditEntry))]
    assert told == [
        ("test", "create key", {"key": facts.id, "scope": "admin"}),
        ("hill", "revoke key", {"key": facts.id}),
    ]
    assert token.split("_", 2)[2] not in str(told)
