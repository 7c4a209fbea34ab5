"""Annotated narratives in the formats of other tools, both ways: doccano, Label Studio, spaCy.

Every format carries the whole case: text, codes, primary codes, identifiers, evidence and where it comes from. What
comes back is checked like any narrative file.
"""

from .docbin import read_docbin, write_docbin
from .doccano import read_doccano, write_doccano
from .label_studio import labeling_config, read_label_studio, write_label_studio

__all__ = [
    "labeling_config",
    "read_docbin",
    "read_doccano",
    "read_label_studio",
    "write_docbin",
    "write_doccano",
    "write_label_studio",
]
