"""The templates of infra/cloudformation held against the security rules of infra/guard, by AWS CloudFormation Guard.

python tools/guard.py     # exit code 1, and a line for each rule that a template breaks
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "infra" / "guard" / "security.guard"
TEMPLATES = ROOT / "infra" / "cloudformation"


def template(path: Path) -> dict[str, Any]:
    """A template in plain values, its short forms (`!Ref`) written out."""
    return dict(json.loads(json.dumps(cfn_yaml.load(str(path)), default=str)))


def broken(content: dict[str, Any]) -> list[str]:
    """Names of the rules that a template breaks, sorted. Raises ImportError where Guard is not installed."""
    import cfn_guard_rs

    report = cfn_guard_rs.run_checks(content, RULES.read_text("utf-8"))
    return sorted(one.Rule.name for one in report.not_compliant)


def main() -> int:
    if find_spec("cfn_guard_rs") is None:
        print("no cfn-guard-rs for this Python: the security rules of the templates were not checked")
        return 0
    found = [f"{path.name}: {rule}" for path in sorted(TEMPLATES.glob("*.yaml")) for rule in broken(template(path))]
    print("\n".join(found) or f"{RULES.name}: every template keeps to it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
