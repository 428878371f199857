"""What would undo a cause: in words, and as the AWS call with its parameters. A proposal; nothing here runs it."""

from __future__ import annotations

import json
from typing import Any

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict.recovery import request_parameters
from probable_cause.verdict.types import ApiCall, Inverse

# action -> (service, the call that takes the same parameters and does the opposite)
_SAME_PARAMETERS = {
    "RevokeSecurityGroupIngress": ("ec2", "AuthorizeSecurityGroupIngress"),
    "RevokeSecurityGroupEgress": ("ec2", "AuthorizeSecurityGroupEgress"),
    "AuthorizeSecurityGroupIngress": ("ec2", "RevokeSecurityGroupIngress"),
    "AuthorizeSecurityGroupEgress": ("ec2", "RevokeSecurityGroupEgress"),
    "DetachInternetGateway": ("ec2", "AttachInternetGateway"),
    "DeregisterTargets": ("elbv2", "RegisterTargets"),
    "DeregisterInstancesFromLoadBalancer": ("elb", "RegisterInstancesWithLoadBalancer"),
    "DetachRolePolicy": ("iam", "AttachRolePolicy"),
    "DisassociateRouteTable": ("ec2", "AssociateRouteTable"),
    "SuspendProcesses": ("autoscaling", "ResumeProcesses"),
}
# action -> (service, call, the parameters that it needs out of the original's)
_SOME_PARAMETERS = {
    "StopInstances": ("ec2", "StartInstances", ("instancesSet",)),
    "StopDBInstance": ("rds", "StartDBInstance", ("dBInstanceIdentifier",)),
    "StopDBCluster": ("rds", "StartDBCluster", ("dBClusterIdentifier",)),
    "DisableKey": ("kms", "EnableKey", ("keyId",)),
    "ScheduleKeyDeletion": ("kms", "CancelKeyDeletion", ("keyId",)),
    "DeleteSecret": ("secretsmanager", "RestoreSecret", ("secretId",)),
    "CreateNetworkAclEntry": ("ec2", "DeleteNetworkAclEntry", ("networkAclId", "ruleNumber", "egress")),
    "CreateRoute": ("ec2", "DeleteRoute", ("routeTableId", "destinationCidrBlock")),
    "PutFunctionConcurrency": ("lambda", "DeleteFunctionConcurrency", ("functionName",)),
}
_WORDS = {
    "Reboot": "A reboot ends by itself; check that {resource} came back, and start its service if it did not.",
    "Delete": "What was deleted can't be brought back by one call: restore {resource} from its backup or template.",
    "Terminate": "What was terminated can't be brought back: replace {resource} from its image or template.",
    "Release": "A released address is lost unless it is still free: allocate another and update {resource}.",
    "Failover": "A failover ends by itself; check that the writers reconnect to {resource}.",
    "Update": "Put back the settings or the version that {resource} had before {when}.",
    "Modify": "Put back the settings that {resource} had before {when}.",
    "Put": "Put back the value that {resource} had before {when}.",
    "Change": "Put back the records that {resource} had before {when}.",
    "Replace": "Put back what {resource} had before {when}.",
    "Create": "Deploy again the version that ran before {when}.",
    "Execute": "Roll {resource} back to its state before {when}.",
    "Start": "Deploy again the version that ran before {when}.",
}


def inverse(cause: EventOfInterest) -> Inverse:
    """The proposal for one cause. Without a known opposite it says in words what to put back."""
    action = _plain_action(cause.action or "")
    parameters = request_parameters(cause.message)
    call = _call(action, parameters)
    if call is not None:
        return Inverse(f"{call.operation} with the same parameters would undo it.", call)
    resource = ", ".join(cause.resource_ids[:2]) or "the resource"
    when = cause.first_seen.strftime("%Y-%m-%d %H:%M:%S UTC")
    verb = next((verb for verb in _WORDS if action.startswith(verb)), "Modify")
    return Inverse(_WORDS[verb].format(resource=resource, when=when))


def _plain_action(action: str) -> str:
    """Lambda and CloudFront put an API version behind the name: UpdateFunctionCode20150331v2."""
    head = action.rstrip("0123456789v_")
    return head if len(action) - len(head) >= 8 else action


def _call(action: str, parameters: dict[str, Any]) -> ApiCall | None:
    if not parameters:
        return None
    if action in _SAME_PARAMETERS and "securityGroupRuleIds" not in parameters:  # a removed rule's id says nothing
        service, operation = _SAME_PARAMETERS[action]
        return ApiCall(service, operation, _as_call(parameters))
    if action in _SOME_PARAMETERS:
        service, operation, names = _SOME_PARAMETERS[action]
        wanted = {name: parameters[name] for name in names if name in parameters}
        return ApiCall(service, operation, _as_call(wanted)) if wanted else None
    return None


# CloudTrail's names of EC2 parameters that are not the API's with another first letter.
_EC2_NAMES = {
    "ipPermissions": "IpPermissions",
    "groups": "UserIdGroupPairs",
    "ipRanges": "IpRanges",
    "ipv6Ranges": "Ipv6Ranges",
    "prefixListIds": "PrefixListIds",
    "securityGroupRuleIds": "SecurityGroupRuleIds",
}


def _as_call(parameters: dict[str, Any]) -> dict[str, Any]:
    """CloudTrail's requestParameters as boto3 takes them: sets become lists, names get the API's case."""
    if "instancesSet" in parameters:
        ids = [one["instanceId"] for one in parameters["instancesSet"].get("items", ()) if "instanceId" in one]
        return {"InstanceIds": ids}
    return {_name(name): _value(value) for name, value in parameters.items() if value not in (None, {}, [])}


def _name(name: str) -> str:
    if name in _EC2_NAMES:
        return _EC2_NAMES[name]
    return name[:1].upper() + name[1:]


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"items"}:
            return [_value(one) for one in value["items"]]
        return {_name(name): _value(below) for name, below in value.items() if below not in (None, {}, {"items": []})}
    if isinstance(value, list):
        return [_value(one) for one in value]
    return value


def to_json(call: ApiCall) -> str:
    """The call as one line for a terminal: service operation {parameters}."""
    return f"{call.service} {call.operation} {json.dumps(dict(call.parameters), separators=(', ', ': '))}"
