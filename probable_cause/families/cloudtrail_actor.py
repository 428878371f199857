"""Who made a CloudTrail call, in the words a colleague would use, and whether that was a person, a pipeline or AWS."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from probable_cause.families.values import name

# Programs that deploy. They decide before anything else: a person's Terraform run is a deployment all the same.
_TOOLS = re.compile(
    r"terraform|cloudformation|codepipeline|codebuild|codedeploy|github[-_]?action|token\.actions\.githubusercontent"
    r"|gitlab|jenkins|ansible|pulumi|\bcdk\b|aws-cdk|circleci|bitbucket|spinnaker|argo-?cd|serverless|servicecatalog"
    r"|buildkite|azure-?devops|teamcity|packer|\bsam-cli|opentofu|crossplane|custodian|copilot-cli|elasticbeanstalk",
    re.IGNORECASE,
)
_MACHINE_NAME = re.compile(
    r"(^|[-_./@])(ci|cd|cicd|deploy(er|ment)?|pipeline|build|bot|automation|svc|robot|runner|release|lambda)([-_./@]|$)"
    r"|botocore-session-|aws-go-sdk-|aws-sdk-|^i-[0-9a-f]{8,}$|^awslambda",
    re.IGNORECASE,
)
_CONSOLE = re.compile(
    r"console|signin\.amazonaws|Mozilla/|^AWS Internal$|aws-cli/|AWSPowerShell|aws-vault|CloudShell", re.I
)
_PERSON_ROLE = re.compile(r"^AWSReservedSSO|admin(istrator)?s?$|developer|poweruser|breakglass|engineer|oncall", re.I)
_LONGEST = 1024  # characters of a name or user agent that are looked at, and kept in the cache
_SERVICE_ROLE = re.compile(r"^(aws-service-role/|AWSServiceRoleFor)")


def identity_of(event: dict[str, Any]) -> dict[str, Any]:
    """The userIdentity of a record as an object; a text stands for a principal of unknown type."""
    identity = event.get("userIdentity")
    if isinstance(identity, dict):
        return identity
    return {"principalId": identity} if isinstance(identity, str) and identity else {}


def actor_of(identity: dict[str, Any]) -> str | None:
    """`userName` of a user, `role/session` of an assumed role, `root`, a service's name, else the best there is."""
    kind = identity.get("type")
    if kind == "Root":
        return "root"
    arn = _arn(identity)
    principal = name(identity.get("principalId"))
    user = name(identity.get("userName"))
    if kind == "AssumedRole":
        if ":assumed-role/" in arn:
            return arn.split(":assumed-role/", 1)[1] or arn
        role = name(_issuer(identity).get("userName")) or user
        session = principal.split(":", 1)[1] if principal and ":" in principal else None
        return "/".join(part for part in (role, session) if part) or principal or arn or None
    if kind == "AWSService":
        return name(identity.get("invokedBy")) or principal
    if user:
        return user
    if kind == "IdentityCenterUser":
        behalf = identity.get("onBehalfOf")
        found = name(behalf.get("userId")) if isinstance(behalf, dict) else None
        return found or principal or name(identity.get("credentialId"))
    if arn.startswith("arn:"):
        path = arn.split(":", 5)[-1]
        return path.split("/", 1)[1] if "/" in path else path
    if principal and ":" in principal:  # of another account: AROA...:session
        return principal.split(":", 1)[1]
    return principal or name(identity.get("invokedBy")) or name(identity.get("accountId"))


def actor_type(identity: dict[str, Any], actor: str | None, user_agent: str, from_console: bool) -> str | None:
    """person, pipeline or service; None when the record does not say who it was.

    Args:
        actor: what actor_of gave for the identity.
        from_console: the record says that the session's credentials came from the console.
    """
    if not identity:
        return None
    return _judge(
        name(identity.get("type")),
        (actor or "")[:_LONGEST],
        (name(identity.get("invokedBy")) or "")[:_LONGEST],
        user_agent[:_LONGEST],
        (name(identity.get("identityProvider")) or "")[:_LONGEST],
        ":role/aws-service-role/" in str(_issuer(identity).get("arn")),
        from_console or _has_mfa(identity),
    )


@lru_cache(maxsize=4096)  # an account has few actors
def _judge(
    kind: str | None, actor: str, invoked_by: str, user_agent: str, provider: str, linked_role: bool, present: bool
) -> str | None:
    """`linked_role`: the role belongs to a service. `present`: a person signed in for the session."""
    if _TOOLS.search(f"{invoked_by} {user_agent} {actor} {provider}"):
        return "pipeline"
    if kind == "AWSService" or linked_role or _SERVICE_ROLE.match(actor):
        return "service"
    if invoked_by and invoked_by != "signin.amazonaws.com" and kind != "Root":
        return "service"
    if user_agent.endswith(".amazonaws.com") and "console" not in user_agent and "signin" not in user_agent:
        return "service"
    if kind == "Root" or present:
        return "person"
    role, _, session = actor.partition("/")
    if kind == "IAMUser":
        return "pipeline" if _MACHINE_NAME.search(actor) else "person"
    if kind in ("IdentityCenterUser", "SAMLUser", "FederatedUser", "Directory") or _PERSON_ROLE.search(role):
        return "person"
    if _MACHINE_NAME.search(session or actor):
        return "pipeline"
    if "@" in session or _CONSOLE.search(user_agent):
        return "person"
    return "pipeline" if kind in ("AssumedRole", "Role", "WebIdentityUser") else None


def _arn(identity: dict[str, Any]) -> str:
    arn = identity.get("arn")
    return arn if isinstance(arn, str) else ""


def _issuer(identity: dict[str, Any]) -> dict[str, Any]:
    session = identity.get("sessionContext")
    issuer = session.get("sessionIssuer") if isinstance(session, dict) else None
    return issuer if isinstance(issuer, dict) else {}


def _has_mfa(identity: dict[str, Any]) -> bool:
    session = identity.get("sessionContext")
    attributes = session.get("attributes") if isinstance(session, dict) else None
    return isinstance(attributes, dict) and str(attributes.get("mfaAuthenticated")).lower() == "true"
