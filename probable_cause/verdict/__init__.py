"""The verdict: what each layer shows, how the application is, and which change probably caused it. Pure Python."""

from probable_cause.verdict.judge import judge, next_change_at
from probable_cause.verdict.model import DEFAULT, VerdictModel
from probable_cause.verdict.types import (
    ApiCall,
    Inverse,
    LayerRecord,
    LayerVerdict,
    Ranked,
    Rival,
    RootCause,
    Sentence,
    Verdict,
)

__all__ = [
    "DEFAULT",
    "ApiCall",
    "Inverse",
    "LayerRecord",
    "LayerVerdict",
    "Ranked",
    "Rival",
    "RootCause",
    "Sentence",
    "Verdict",
    "VerdictModel",
    "judge",
    "next_change_at",
]
