"""Files of other systems: Label Studio tasks with predictions, DHIS2 Tracker payloads, in and out.

Label Studio gets suggestions for people to correct; DHIS2 gives cases and takes codes. Nothing here opens a socket:
files go in and out, and people or their own tools carry them.
"""

from __future__ import annotations

from .dhis2 import EventCase, dump_payload, event_updates, load_payload, parse_payload, read_events, write_events
from .dhis2_mapping import Coded, EventMapping, load_mapping, parse_mapping
from .label_studio import labeling_config, task_of

__all__ = [
    "Coded",
    "EventCase",
    "EventMapping",
    "dump_payload",
    "event_updates",
    "labeling_config",
    "load_mapping",
    "load_payload",
    "parse_mapping",
    "parse_payload",
    "read_events",
    "task_of",
    "write_events",
]
