"""The classes of incidents with one true cause: which call, on what, and what then shows.

Each class is a row: the call as CloudTrail records it, the layer it belongs to, the resource that the truth names, and
the symptoms. The families are those of post-mortems and of AWS's own fault injection actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.incidents.world import World

Parameters = Callable[[World], dict[str, Any]]


@dataclass(frozen=True)
class Cause:
    """One class. `symptoms` are keys of app_lines.TROUBLE, or `reject` for refused flows.

    `lag` is (least, most) seconds from the call to the first symptom. `config` gives (resource type, resource key,
    changed properties) when AWS Config records the change too.
    """

    name: str
    layer: str
    service: str
    action: str
    resource: str  # key of World.names
    parameters: Parameters
    symptoms: tuple[str, ...]
    lag: tuple[float, float] = (3.0, 40.0)
    config: tuple[str, str, Callable[[World], dict[str, Any]]] | None = None
    response: Any = None  # responseElements, or a function of the world that gives them


def _permission(port: int, cidr: str) -> dict[str, Any]:
    return {
        "items": [
            {
                "ipProtocol": "tcp",
                "fromPort": port,
                "toPort": port,
                "groups": {},
                "ipRanges": {"items": [{"cidrIp": cidr}]},
                "ipv6Ranges": {},
                "prefixListIds": {},
            }
        ]
    }


def _instances(key: str) -> Parameters:
    return lambda w: {"instancesSet": {"items": [{"instanceId": w[key]}]}}


def _named(**names: str) -> Parameters:
    """Parameters whose values are keys of the world."""
    return lambda w: {parameter: w[key] for parameter, key in names.items()}


def permission(w: World, port: int = 5432) -> dict[str, Any]:
    """The permission that the classes about security groups remove."""
    return _permission(port, w.cidr.replace(".0.0/16", ".1.0/24"))


def _lost_permission(w: World) -> dict[str, Any]:
    before = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432, "ipv4Ranges": [{"cidrIp": w.cidr}]}
    return {"Configuration.IpPermissions.0": {"previousValue": before, "updatedValue": None, "changeType": "DELETE"}}


def _state(before: str, after: str) -> Callable[[World], dict[str, Any]]:
    return lambda w: {
        "Configuration.State.Name": {"previousValue": before, "updatedValue": after, "changeType": "UPDATE"}
    }


def _lost_route(w: World) -> dict[str, Any]:
    before = {"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": w["nat"], "state": "active"}
    return {"Configuration.Routes.1": {"previousValue": before, "updatedValue": None, "changeType": "DELETE"}}


def _denied(w: World) -> dict[str, Any]:
    after = {"ruleNumber": 50, "protocol": "6", "ruleAction": "deny", "egress": False, "cidrBlock": w.cidr}
    return {"Configuration.Entries.0": {"previousValue": None, "updatedValue": after, "changeType": "CREATE"}}


NETWORK = (
    Cause("sg-ingress-revoked", "network", "ec2", "RevokeSecurityGroupIngress", "sg",
          lambda w: {"groupId": w["sg"], "ipPermissions": permission(w)}, ("reject", "database"),
          config=("AWS::EC2::SecurityGroup", "sg", _lost_permission), response={"_return": True}),
    Cause("sg-egress-revoked", "network", "ec2", "RevokeSecurityGroupEgress", "sg2",
          lambda w: {"groupId": w["sg2"], "ipPermissions": permission(w, 443)},
          ("reject", "timeout"), response={"_return": True}),
    Cause("nacl-deny-added", "network", "ec2", "CreateNetworkAclEntry", "acl",
          lambda w: {"networkAclId": w["acl"], "ruleNumber": 50, "egress": False, "ruleAction": "deny",
                     "cidrBlock": w.cidr, "aclProtocol": "6", "portRange": {"from": 5432, "to": 5432}},
          ("reject", "database"), config=("AWS::EC2::NetworkAcl", "acl", _denied), response={"_return": True}),
    Cause("nacl-allow-deleted", "network", "ec2", "DeleteNetworkAclEntry", "acl",
          lambda w: {"networkAclId": w["acl"], "ruleNumber": 100, "egress": True}, ("reject", "connectivity")),
    Cause("route-deleted", "network", "ec2", "DeleteRoute", "rtb",
          lambda w: {"routeTableId": w["rtb"], "destinationCidrBlock": "0.0.0.0/0"}, ("timeout",),
          config=("AWS::EC2::RouteTable", "rtb", _lost_route), response={"_return": True}),
    Cause("route-replaced", "network", "ec2", "ReplaceRoute", "rtb",
          lambda w: {"routeTableId": w["rtb"], "destinationCidrBlock": "0.0.0.0/0",
                     "networkInterfaceId": "eni-0badbadbadbadbadb"},
          ("timeout", "connectivity"), response={"_return": True}),
    Cause("nat-gateway-deleted", "network", "ec2", "DeleteNatGateway", "nat",
          lambda w: {"DeleteNatGatewayRequest": {"NatGatewayId": w["nat"]}}, ("timeout", "connectivity"), (10.0, 90.0)),
    Cause("internet-gateway-detached", "network", "ec2", "DetachInternetGateway", "igw",
          _named(internetGatewayId="igw", vpcId="vpc"), ("timeout", "availability")),
    Cause("vpc-endpoint-deleted", "network", "ec2", "DeleteVpcEndpoints", "vpce",
          lambda w: {"DeleteVpcEndpointsRequest": {"VpcEndpointId": {"tag": 1, "content": w["vpce"]}}}, ("timeout",)),
    Cause("peering-deleted", "network", "ec2", "DeleteVpcPeeringConnection", "pcx",
          _named(vpcPeeringConnectionId="pcx"), ("timeout", "connectivity")),
    Cause("targets-deregistered", "network", "elasticloadbalancing", "DeregisterTargets", "tg",
          lambda w: {"targetGroupArn": w["tg"], "targets": [{"id": w["instance"], "port": 8443}]}, ("availability",)),
    Cause("listener-deleted", "network", "elasticloadbalancing", "DeleteListener", "listener",
          _named(listenerArn="listener"), ("connectivity", "availability")),
    Cause("health-check-broken", "network", "elasticloadbalancing", "ModifyTargetGroup", "tg",
          lambda w: {"targetGroupArn": w["tg"], "healthCheckPath": "/healthzz"}, ("availability",), (30.0, 90.0)),
    Cause("dns-record-changed", "network", "route53", "ChangeResourceRecordSets", "zone",
          lambda w: {"hostedZoneId": w["zone"], "changeBatch": {"changes": [{"action": "DELETE", "resourceRecordSet": {
              "name": w["host"] + ".", "type": "A", "tTL": 60, "resourceRecords": [{"value": w["ip.web"]}]}}]}},
          ("dns",), (20.0, 70.0)),
    Cause("waf-blocks-everything", "network", "wafv2", "UpdateWebACL", "webacl",
          lambda w: {"name": w["webacl"], "scope": "REGIONAL", "id": "0f1e2d3c-aaaa-4bbb-8ccc-001122334455",
                     "defaultAction": {"block": {}}, "rules": []}, ("availability",)),
    Cause("interface-groups-replaced", "network", "ec2", "ModifyNetworkInterfaceAttribute", "eni",
          lambda w: {"networkInterfaceId": w["eni"], "groupSet": {"items": [{"groupId": w["sg2"]}]}},
          ("reject", "connectivity"),
          response={"_return": True}),
    Cause("balancer-groups-replaced", "network", "elasticloadbalancing", "SetSecurityGroups", "lb",
          lambda w: {"loadBalancerArn": w["lb"], "securityGroups": [w["sg2"]]}, ("timeout", "reject")),
)  # fmt: skip

COMPUTE = (
    Cause("instance-rebooted", "cloudsystem", "ec2", "RebootInstances", "instance", _instances("instance"),
          ("connectivity",), response={"_return": True}),
    Cause("instance-stopped", "cloudsystem", "ec2", "StopInstances", "instance", _instances("instance"),
          ("connectivity", "availability"), config=("AWS::EC2::Instance", "instance", _state("running", "stopped"))),
    Cause("instance-terminated", "cloudsystem", "ec2", "TerminateInstances", "instance", _instances("instance"),
          ("connectivity", "availability"), config=("AWS::EC2::Instance", "instance", _state("running", "terminated"))),
    Cause("fleet-scaled-to-zero", "cloudsystem", "autoscaling", "UpdateAutoScalingGroup", "asg",
          lambda w: {"autoScalingGroupName": w["asg"], "minSize": 0, "maxSize": 0, "desiredCapacity": 0},
          ("availability",),
          (30.0, 120.0)),
    Cause("service-scaled-to-zero", "cloudsystem", "ecs", "UpdateService", "service",
          lambda w: {"cluster": w["ecs"], "service": w["service"], "desiredCount": 0},
          ("availability", "connectivity")),
    Cause("bad-image-deployed", "cloudsystem", "ecs", "UpdateService", "service",
          lambda w: {"cluster": w["ecs"], "service": w["service"], "taskDefinition": w["service"] + ":418"},
          ("crash", "availability"), (40.0, 150.0)),
    Cause("bad-code-deployed", "cloudsystem", "lambda", "UpdateFunctionCode20150331v2", "function",
          lambda w: {"functionName": w["function"], "dryRun": False, "publish": True}, ("deploy",), (5.0, 60.0)),
    Cause("function-throttled", "cloudsystem", "lambda", "PutFunctionConcurrency20171031", "function",
          lambda w: {"functionName": w["function"], "reservedConcurrentExecutions": 0}, ("throttling",)),
    Cause("function-misconfigured", "cloudsystem", "lambda", "UpdateFunctionConfiguration20150331v2", "function",
          lambda w: {"functionName": w["function"], "timeout": 1, "memorySize": 128},
          ("timeout", "memory"), (5.0, 60.0)),
    Cause("mapping-deleted", "cloudsystem", "lambda", "DeleteEventSourceMapping20150331", "function",
          _named(uUID="mapping"), ("timeout",), (60.0, 240.0),
          response=lambda w: {"uUID": w["mapping"], "batchSize": 10, "state": "Deleting",
                              "eventSourceArn": w.arn("sqs", w["queue"]),
                              "functionArn": w.arn("lambda", f"function:{w['function']}")}),
    Cause("volume-detached", "cloudsystem", "ec2", "DetachVolume", "volume",
          _named(volumeId="volume", instanceId="instance"), ("disk", "crash")),
    Cause("command-run-on-hosts", "cloudsystem", "ssm", "SendCommand", "instance",
          lambda w: {"documentName": "AWS-RunShellScript", "instanceIds": [w["instance"]], "parameters": "***"},
          ("crash", "connectivity"), (5.0, 60.0)),
    Cause("nodes-scaled-to-zero", "cloudsystem", "eks", "UpdateNodegroupConfig", "nodes",
          lambda w: {"clusterName": w["eks"], "name": w["eks"], "nodegroupName": w["nodes"],
                     "scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 0}},
          ("availability", "crash"), (40.0, 150.0)),
    Cause("revision-deployed", "cloudsystem", "codedeploy", "CreateDeployment", "deploy",
          lambda w: {"applicationName": w["deploy"], "deploymentGroupName": w["group"],
                     "revision": {"revisionType": "S3", "s3Location": {"bucket": "releases", "key": "b418.zip"}}},
          ("deploy", "crash"), (40.0, 180.0)),
)  # fmt: skip

DATA = (
    Cause("database-stopped", "cloudsystem", "rds", "StopDBInstance", "db",
          _named(dBInstanceIdentifier="db"), ("database",)),
    Cause("database-rebooted", "cloudsystem", "rds", "RebootDBInstance", "db",
          lambda w: {"dBInstanceIdentifier": w["db"], "forceFailover": False}, ("database",)),
    Cause("database-failed-over", "cloudsystem", "rds", "FailoverDBCluster", "cluster.db",
          _named(dBClusterIdentifier="cluster.db"), ("database",)),
    Cause("database-shrunk", "cloudsystem", "rds", "ModifyDBInstance", "db",
          lambda w: {"dBInstanceIdentifier": w["db"], "dBInstanceClass": "db.t4g.micro", "applyImmediately": True},
          ("database", "timeout"), (30.0, 200.0)),
    Cause("database-deleted", "cloudsystem", "rds", "DeleteDBInstance", "db",
          lambda w: {"dBInstanceIdentifier": w["db"], "skipFinalSnapshot": True}, ("database",)),
    Cause("cache-rebooted", "cloudsystem", "elasticache", "RebootCacheCluster", "cache",
          lambda w: {"cacheClusterId": w["cache"], "cacheNodeIdsToReboot": ["0001"]}, ("connectivity", "timeout")),
    Cause("table-throughput-cut", "cloudsystem", "dynamodb", "UpdateTable", "table",
          lambda w: {"tableName": w["table"],
                     "provisionedThroughput": {"readCapacityUnits": 1, "writeCapacityUnits": 1}},
          ("throttling",), (5.0, 90.0)),
    Cause("queue-deleted", "cloudsystem", "sqs", "DeleteQueue", "queue",
          lambda w: {"queueUrl": f"https://sqs.{w.region}.amazonaws.com/{w.account}/{w['queue']}"}, ("queue-gone",)),
    Cause("parameters-of-database", "cloudsystem", "rds", "ModifyDBParameterGroup", "pg",
          lambda w: {"dBParameterGroupName": w["pg"], "parameters": [{"parameterName": "max_connections",
                     "parameterValue": "5", "applyMethod": "immediate"}]}, ("database",), (5.0, 60.0)),
)  # fmt: skip

ACCESS = (
    Cause("policy-detached", "cloudsystem", "iam", "DetachRolePolicy", "role",
          lambda w: {"roleName": w["role"], "policyArn": w.arn("iam", f"policy/{w['policy']}", False)},
          ("auth",), (5.0, 60.0)),
    Cause("inline-policy-deleted", "cloudsystem", "iam", "DeleteRolePolicy", "role",
          lambda w: {"roleName": w["role"], "policyName": w["policy"]}, ("auth",), (5.0, 60.0)),
    Cause("trust-changed", "cloudsystem", "iam", "UpdateAssumeRolePolicy", "role",
          lambda w: {"roleName": w["role"], "policyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[]}"},
          ("auth",), (60.0, 600.0)),
    Cause("key-disabled", "cloudsystem", "kms", "DisableKey", "key", _named(keyId="key"), ("kms",)),
    Cause("key-scheduled-for-deletion", "cloudsystem", "kms", "ScheduleKeyDeletion", "key",
          lambda w: {"keyId": w.arn("kms", f"key/{w['key']}"), "pendingWindowInDays": 7}, ("kms",)),
    Cause("secret-changed", "cloudsystem", "secretsmanager", "PutSecretValue", "secret",
          lambda w: {"secretId": w["secret"], "clientRequestToken": "5f2b3c1d-0000-4000-8000-1234567890ab"},
          ("db-auth",), (5.0, 120.0)),
    Cause("bucket-policy-denies", "cloudsystem", "s3", "PutBucketPolicy", "bucket",
          lambda w: {"bucketName": w["bucket"], "bucketPolicy": {"Version": "2012-10-17", "Statement": [
              {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{w['bucket']}/*"}]}},
          ("auth",)),
    Cause("parameter-changed", "cloudsystem", "ssm", "PutParameter", "parameter",
          lambda w: {"name": w["parameter"], "type": "String", "overwrite": True,
                     "value": "HIDDEN_DUE_TO_SECURITY_REASONS"},
          ("feature", "timeout"), (5.0, 120.0)),
)  # fmt: skip

CAUSES: Mapping[str, Cause] = {one.name: one for one in (*NETWORK, *COMPUTE, *DATA, *ACCESS)}
