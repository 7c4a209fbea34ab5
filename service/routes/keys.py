"""Access keys, for administrators."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException

from ..access import AdminDep, StoreDep
from ..schemas import PLAIN, KeyIn, KeyOut, NewKeyOut
from ..store.access import create_key, list_keys, revoke_key

router = APIRouter(prefix="/keys", tags=["keys"])


@router.get("")
def keys(store: StoreDep, principal: AdminDep) -> list[KeyOut]:
    """All keys, without their secrets."""
    return [KeyOut.from_facts(facts) for facts in list_keys(store)]


@router.post("", status_code=HTTPStatus.CREATED)
def create(body: KeyIn, store: StoreDep, principal: AdminDep) -> NewKeyOut:
    """Make a key. Its secret is in this answer and nowhere else."""
    valid = timedelta(days=body.days) if body.days else None
    token, facts = create_key(store, name=body.name, scope=body.scope, actor=principal.actor, valid=valid)
    return NewKeyOut.model_validate(vars(facts) | {"key": token})


@router.delete("/{key_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke(key_id: Annotated[str, Path(max_length=64, pattern=PLAIN)], store: StoreDep, principal: AdminDep) -> None:
    """End a key and its logins at once."""
    if not revoke_key(store, key_id, actor=principal.actor):
        raise HTTPException(HTTPStatus.NOT_FOUND)
