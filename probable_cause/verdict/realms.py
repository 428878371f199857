"""What kind of thing a symptom is about, and what kind of thing a change touched: a database, a queue, a name ...

A lost database shows as such far more often than a stopped queue does. Words are those of common clients and of AWS.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Realm -> words by which a log line tells that it is about it.
_WORDS = {
    "database": r"postgres|psql|psycopg|jdbc|hikari|mysql|mariadb|sqlstate|sqlserver|ora-\d{5}|mongo|\.rds\.|database"
    r"|deadlock|:5432\b|:3306\b|:1433\b|:27017\b|too many connections|sequelize|\bport 5432\b|\bport 3306\b",
    "cache": r"redis|memcache|elasticache|jedis|lettuce|:6379\b|:11211\b|\.cache\.amazonaws",
    "queue": r"\bsqs\b|sqs\.|simplequeueservice|\bqueue\b|amqp|rabbitmq|kafka|kinesis|\bsns\b|activemq|eventbridge",
    "table": r"dynamodb|provisionedthroughput|\bgetitem\b|\bputitem\b|:table/",
    "object": r"\bs3\b|s3\.|nosuchbucket|\bbucket\b",
    "key": r"\bkms\b|kms[a-z]+exception|decrypt|\bcmk\b|:key/",
    "secret": r"password authentication|access denied for user|login failed|wrongpass|secretsmanager|invalid password",
    "permission": r"not authorized to perform|accessdenied|unauthorizedoperation|assumed-role|:role/",
    "function": r"\blambda\b|runtime\.[a-z]+error|importmodule|task timed out|:function:",
    "name": r"enotfound|getaddrinfo|unknownhost|no such host|nxdomain|name or service not known|name resolution"
    r"|servfail",
    "certificate": r"x509|certificate|sslhandshake|tls handshake|\bssl\b|pkix",
    "web": r"\b50[0234]\b|bad gateway|service unavailable|gateway time|no healthy upstream|no live upstream|upstream",
}
_REALMS = {realm: re.compile(words, re.IGNORECASE) for realm, words in _WORDS.items()}

# AWS service, as in eventSource or in a Config resource type -> the realms that its changes touch. Services that are
# not here (networks, machines, parameters) may touch anything.
_SERVICES = {
    "rds": {"database"},
    "redshift": {"database"},
    "docdb": {"database"},
    "neptune": {"database"},
    "elasticache": {"cache"},
    "memorydb": {"cache"},
    "sqs": {"queue"},
    "sns": {"queue"},
    "mq": {"queue"},
    "amazonmq": {"queue"},
    "kafka": {"queue"},
    "msk": {"queue"},
    "kinesis": {"queue"},
    "events": {"queue"},
    "dynamodb": {"table"},
    "s3": {"object"},
    "kms": {"key", "object", "secret", "database"},
    "secretsmanager": {"secret", "database", "permission"},
    "iam": {"permission"},
    "organizations": {"permission"},
    "sts": {"permission"},
    "lambda": {"function", "web", "queue"},
    "elasticloadbalancing": {"web"},
    "elasticloadbalancingv2": {"web"},
    "apigateway": {"web"},
    "cloudfront": {"web"},
    "wafv2": {"web", "permission"},
    "waf": {"web", "permission"},
    "route53": {"name"},
    "servicediscovery": {"name"},
    "acm": {"certificate"},
    "ecs": {"web", "function"},
    "eks": {"web", "function"},
    "autoscaling": {"web"},
    "codedeploy": {"web", "function"},
    "elasticbeanstalk": {"web", "function"},
}  # fmt: skip
_SOURCE = re.compile(r'"eventSource"\s*:\s*"([a-z0-9-]+)\.|"resourceType"\s*:\s*"AWS::(\w+)::')
_REMEMBERED = 256  # lines, which may have 8 KiB each


@lru_cache(maxsize=_REMEMBERED)
def of_text(text: str) -> frozenset[str]:
    """The realms that a symptom's line is about; empty when it does not say."""
    return frozenset(realm for realm, words in _REALMS.items() if words.search(text))


@lru_cache(maxsize=_REMEMBERED)
def of_change(line: str) -> frozenset[str]:
    """The realms that a change touches, by its CloudTrail record or Config item; empty when it may touch any."""
    found = _SOURCE.search(line)
    service = (found[1] or found[2]).lower() if found else ""
    return frozenset(_SERVICES.get(service, ()))
