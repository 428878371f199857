"""Who makes calls, as CloudTrail's userIdentity tells: people, pipelines, AWS itself. Names are invented."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Actor:
    """Who makes a call: `identity` is CloudTrail's userIdentity."""

    identity: Mapping[str, Any]
    source_ip: str
    user_agent: str
    extra: Mapping[str, Any] = field(default_factory=dict)


def iam_user(name: str, account: str = ACCOUNT) -> Actor:
    """A person with access keys or a console session."""
    return Actor(
        {
            "type": "IAMUser",
            "principalId": f"AIDA{_code(name, 16)}",
            "arn": f"arn:aws:iam::{account}:user/{name}",
            "accountId": account,
            "accessKeyId": f"AKIA{_code(name + 'key', 16)}",
            "userName": name,
        },
        f"198.51.100.{_number(name) % 200 + 10}",
        "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux#6.8 md/arch#x86_64 lang/python#3.12.6 cfg/retry-mode#standard",
    )


def sso_person(name: str, permission_set: str = "Operators", account: str = ACCOUNT) -> Actor:
    """A person who came through the identity centre, in the console."""
    role = f"AWSReservedSSO_{permission_set}_{_code(permission_set, 16).lower()}"
    return Actor(
        _role(role, name, account, path="aws-reserved/sso.amazonaws.com/"),
        f"203.0.113.{_number(name) % 200 + 10}",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        {"sessionCredentialFromConsole": "true"},
    )


def pipeline(role: str = "github-deploy", session: str = "GitHubActions", account: str = ACCOUNT) -> Actor:
    """A deployment role, used from a CI runner."""
    return Actor(
        _role(role, session, account),
        "192.0.2.77",
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.82.2",
    )


def codepipeline(account: str = ACCOUNT) -> Actor:
    """CodePipeline's service role, called from within AWS."""
    identity = dict(_role("codepipeline-service-role", "1733911200123", account))
    identity["invokedBy"] = "codepipeline.amazonaws.com"
    return Actor(identity, "codepipeline.amazonaws.com", "codepipeline.amazonaws.com")


def through_cloudformation(actor: Actor) -> Actor:
    """The same identity, when CloudFormation makes the call for it."""
    identity = {**actor.identity, "invokedBy": "cloudformation.amazonaws.com"}
    return Actor(identity, "cloudformation.amazonaws.com", "cloudformation.amazonaws.com")


def aws_service(name: str) -> Actor:
    """AWS acting by itself: `autoscaling`, `rds`, `elasticloadbalancing` ..."""
    host = f"{name}.amazonaws.com"
    return Actor({"type": "AWSService", "invokedBy": host}, host, host)


def _role(role: str, session: str, account: str, path: str = "") -> dict[str, Any]:
    principal = f"AROA{_code(role, 16)}"
    return {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": f"ASIA{_code(role + session, 16)}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal,
                "arn": f"arn:aws:iam::{account}:role/{path}{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-02-28T07:31:10Z", "mfaAuthenticated": "false"},
        },
    }


def _code(text: str, length: int) -> str:
    draw = random.Random(f"code {text}")
    return "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=length))


def _number(text: str) -> int:
    return random.Random(f"number {text}").randrange(1 << 20)
