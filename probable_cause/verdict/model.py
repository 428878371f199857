"""The numbers of the root-cause model: one place, each with its unit and its reason, overridable by conf `verdict:`.

The model (docs/verdict.md) multiplies factors of 0..1, so that a reader can check any answer with a pencil:

    link(cause, onset)  = time * kind * path * realm
    support(cause)      = over incidents, the greatest of: fading(incident) *
                          (1 - product over its onsets of (1 - weight(onset) * link(cause, onset)))     (noisy-or)
    strength(cause)     = severity * actor * support

A cause is named when its strength reaches `threshold`. Its confidence is its share of the odds of all hypotheses, the
unknown cause included, put through a calibration line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from probable_cause.errors import SettingsError


def _table(**values: float) -> Any:
    return field(default_factory=lambda: dict(values))


@dataclass(frozen=True)
class VerdictModel:
    """Weights (0..1 unless a unit is named) and tolerances (seconds). Immutable; `with_overrides` makes another."""

    # -- time: did the cause come before the symptom? ------------------------------------------------------------
    # How wrong a family's clock may be: CloudTrail truncates to the second, hosts run NTP or worse.
    skew_seconds: Mapping[str, float] = _table(cloudtrail=5, aws_config=5, vpc_flow=5, application=10)
    # Config records a change after it happened, so its time may lie behind the symptom.
    config_delay_seconds: float = 600
    # A flow record carries the start of its window, which may lie before the change that it shows.
    flow_interval_seconds: float = 600
    half_lag_seconds: float = 7200  # a lag at which precedence counts half; heavy tail: leaks and caches are slow
    # Among minutes the closer change is the likelier one: (1 + lag / close)^-closeness, at least `far`.
    close_seconds: float = 120
    closeness: float = 0.25
    far: float = 0.55
    after: float = 0.02  # a change that came after the symptom beyond all tolerances

    # -- kind: can this kind of change cause that kind of symptom? --------------------------------------------------
    # match: the rule's `explains` has it; kin: a kin of the first kind there; distant: a kin of another.
    kind: Mapping[str, float] = _table(match=1.0, kin=0.6, distant=0.2, generic=0.6, unknown=0.4, mismatch=0.06)
    kind_order: float = 0.95  # `explains` lists what is most typical first: each further place counts this much less

    # -- path: does the touched resource lie on the symptom's path? -------------------------------------------------
    path: Mapping[str, float] = _table(named=1.0, shared=1.0, rule=1.0, related=0.95, unknown=0.75, elsewhere=0.3)

    # -- realm: is the symptom about the kind of thing that was touched? ----------------------------------------------
    realm: Mapping[str, float] = _table(same=1.0, unknown=1.0, any=0.65, behind=0.85, other=0.55)

    # -- prior: how likely is such a change to break things at all? ---------------------------------------------------
    actor: Mapping[str, float] = _table(person=1.0, unknown=0.95, pipeline=0.92, service=0.6)
    severity_exponent: float = 0.35  # of relevance/10: 1 would let severity outvote evidence
    churn_exponent: float = 0.1  # count^-x for automation: what it does all day rarely broke anything today
    usual_exponent: float = 0.1  # (1 + earlier days)^-x for automation: nor did what it does every day, wherever

    # -- which symptoms count ---------------------------------------------------------------------------------------
    full_symptom_relevance: float = 7.0  # a symptom of this relevance or more is a full clue
    lone_symptom: float = 0.6  # a single line may be chance
    murmur_relevance: float = 4.0  # an error of an unknown kind below this counts only when it is new ...
    murmur_lines: float = 3  # ... and came so many times
    flip: float = 1.6  # a refusal where traffic had been accepted is no chance: even a lone one counts in full
    habit: float = 0.7  # for each earlier time that a symptom came and went within its window
    incident_gap_seconds: float = 600  # an onset this long after the last one begins a new incident ...
    silence_seconds: float = 180  # ... and so does one after all symptoms have been silent for this long
    cascade_seconds: float = 120  # an onset this long after its incident's first is a consequence more than a clue
    cascade_weight: float = 0.5
    incident_half_life_seconds: float = 1800  # older incidents matter less than the newest ...
    older_incident: float = 0.8  # ... and any older one by this much at once: asked is what is wrong now

    # -- one change, one cause ---------------------------------------------------------------------------------------
    twin_seconds: float = 900  # a Config item this long after a call on the same resource is the same change
    deployment_seconds: float = 900  # calls of one deployment lie within this span

    # -- the answer ----------------------------------------------------------------------------------------------------
    threshold: float = 0.15  # strength below which no cause is named
    sharpness: float = 1.5  # exponent of the odds: how much better evidence is trusted
    leak: float = 0.1  # odds of a cause that no log shows
    # Slope and offset on the log-odds of the share, fitted on the training half of the benchmark (docs/verdict.md).
    calibration: tuple[float, float] = (0.8, 1.5)
    failing_relevance: float = 5.0  # a live symptom at or above this makes the application failing, below it degraded

    def with_overrides(self, conf: Mapping[str, Any]) -> VerdictModel:
        """This model with the keys of conf `verdict:`; tables are merged key by key.

        Raises:
            SettingsError: naming every unknown key and every value that is no number.
        """
        faults: list[str] = []
        known = {one.name: getattr(self, one.name) for one in fields(self)}
        changed: dict[str, Any] = {}
        for key, value in conf.items():
            if key not in known:
                faults.append(f"verdict.{key}: unknown key; allowed are {', '.join(known)}")
            else:
                changed[key] = _checked(f"verdict.{key}", value, known[key], faults)
        if faults:
            raise SettingsError("The verdict's model has faults:", faults)
        return replace(self, **changed)


def _checked(key: str, value: Any, default: Any, faults: list[str]) -> Any:
    if isinstance(default, Mapping):
        if not isinstance(value, Mapping):
            faults.append(f"{key}: found {value!r}, allowed is a mapping of {', '.join(default)}")
            return default
        for name in value:
            if name not in default:
                faults.append(f"{key}.{name}: unknown key; allowed are {', '.join(default)}")
        return {**default, **{name: _number(f"{key}.{name}", found, faults) for name, found in value.items()}}
    if isinstance(default, tuple):
        if not isinstance(value, (list, tuple)) or len(value) != len(default):
            faults.append(f"{key}: found {value!r}, allowed is a list of {len(default)} numbers")
            return default
        return tuple(_number(f"{key}[{index}]", found, faults) for index, found in enumerate(value))
    return _number(key, value, faults)


def _number(key: str, value: Any, faults: list[str]) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        faults.append(f"{key}: found {value!r}, allowed is a number")
        return 0.0
    return float(value)


DEFAULT = VerdictModel()

# Kinds of symptom that often are two sights of one failure. A cause that explains one of a pair explains the other
# less surely (model.kind["kin"]). Kinds that nobody listed are compared by name only.
_KIN_PAIRS = (
    ("connectivity", "timeout"),
    ("connectivity", "availability"),
    ("connectivity", "dns"),
    ("connectivity", "tls"),
    ("timeout", "availability"),
    ("timeout", "throttling"),
    ("timeout", "deadlock"),
    ("availability", "crash"),
    ("availability", "memory"),
    ("availability", "disk"),
    ("crash", "memory"),
    ("crash", "disk"),
    ("crash", "deploy"),
    ("auth", "tls"),
)
KIN = frozenset(_KIN_PAIRS) | frozenset((b, a) for a, b in _KIN_PAIRS)
GENERIC = frozenset({"errors", "error", "unknown"})  # a symptom that says only that something failed
