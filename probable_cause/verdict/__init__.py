"""The verdict: what each layer shows, how the application is, and which change probably caused it. Pure Python."""

from probable_cause.verdict.judge import judge
from probable_cause.verdict.model import DEFAULT, VerdictModel
from probable_cause.verdict.next_change import next_change_at
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
