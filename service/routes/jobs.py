"""Bulk jobs of coordinators."""

from __future__ import annotations

from fastapi import APIRouter

from ..access import CoordinatorDep
from ..schemas import JobOut

router = APIRouter(tags=["jobs"])


@router.get("/jobs")
def jobs(principal: CoordinatorDep) -> list[JobOut]:
    """Bulk jobs that this service knows. It runs none yet: `casecoder bulk` codes files on the command line."""
    return []
