"""Lines of applications, in the dialects that common loggers write, about what goes wrong and what is daily life."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

Dialect = Callable[[datetime, str, str, random.Random], str]  # (at, level, message, draw) -> line


def _utc(at: datetime, form: str) -> str:
    return at.astimezone(UTC).strftime(form)


def _ms(at: datetime) -> str:
    return f"{at.microsecond // 1000:03d}"


def logback(at: datetime, level: str, message: str, draw: random.Random) -> str:
    thread = f"http-nio-8080-exec-{draw.randint(1, 20)}"
    return f"{_utc(at, '%Y-%m-%d %H:%M:%S')},{_ms(at)} {level:<5} [{thread}] c.e.shop.service.OrderService : {message}"


def python_logging(at: datetime, level: str, message: str, draw: random.Random) -> str:
    name = {"WARN": "WARNING"}.get(level, level)
    return f"{_utc(at, '%Y-%m-%d %H:%M:%S')},{_ms(at)} - app.worker - {name} - {message}"


def pino(at: datetime, level: str, message: str, draw: random.Random) -> str:
    number = {"DEBUG": 20, "INFO": 30, "WARN": 40, "ERROR": 50, "FATAL": 60}[level]
    line = {"level": number, "time": int(at.timestamp() * 1000), "pid": draw.randint(7, 99), "msg": message}
    return json.dumps(line, separators=(",", ":"))


def logfmt(at: datetime, level: str, message: str, draw: random.Random) -> str:
    stamp = _utc(at, "%Y-%m-%dT%H:%M:%S.") + _ms(at) + "Z"
    return f"ts={stamp} level={level.lower()} caller=client.go:{draw.randint(20, 400)} msg={json.dumps(message)}"


def json_level(at: datetime, level: str, message: str, draw: random.Random) -> str:
    stamp = _utc(at, "%Y-%m-%dT%H:%M:%S.") + _ms(at) + "Z"
    trace = f"{draw.getrandbits(64):016x}"
    return json.dumps({"timestamp": stamp, "level": level, "logger": "shop", "message": message, "trace_id": trace})


def bracketed(at: datetime, level: str, message: str, draw: random.Random) -> str:
    return f"[{_utc(at, '%Y-%m-%dT%H:%M:%S')}.{_ms(at)}Z] [{level.lower()}] {message}"


def syslog(at: datetime, level: str, message: str, draw: random.Random) -> str:
    priority = {"DEBUG": 15, "INFO": 14, "WARN": 12, "ERROR": 11, "FATAL": 10}[level]
    stamp = _utc(at, "%Y-%m-%dT%H:%M:%S.") + _ms(at) + "Z"
    return f"<{priority}>1 {stamp} app-{draw.randint(1, 4)} shopd {draw.randint(300, 900)} - - {level} {message}"


def log4net(at: datetime, level: str, message: str, draw: random.Random) -> str:
    return f"{_utc(at, '%d/%b/%Y:%H:%M:%S +0000')} {level} Shop.Checkout.Client [{draw.randint(1, 60)}] - {message}"


DIALECTS: Mapping[str, Dialect] = {
    one.__name__: one for one in (logback, python_logging, pino, logfmt, json_level, bracketed, syslog, log4net)
}

# Kind of symptom -> (level, message). {db}, {host}, {ip}, {role}, {table}, {queue}, {secret}, {zone}, {key} are filled.
TROUBLE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "database": (
        ("ERROR", 'could not connect to server: Connection timed out. Is the server running on host "{db_host}" and '
                  "accepting TCP/IP connections on port 5432?"),
        ("ERROR", "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure ({db_host})"),
        ("ERROR", "HikariPool-1 - Connection is not available, request timed out after 30000ms."),
        ("ERROR", "psycopg2.OperationalError: server closed the connection unexpectedly ({db_host})"),
        ("ERROR", "Error: connect ECONNREFUSED {ip}:5432"),
    ),
    "database-named": (
        ("ERROR", "could not connect to server: Connection refused ({db_host}:5432)"),
        ("ERROR", "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure ({db_host})"),
    ),
    "connectivity": (
        ("ERROR", "dial tcp {ip}:8443: connect: connection refused"),
        ("ERROR", "connect to http://{ip}:8443/orders failed: Connection refused"),
        ("WARN", "upstream {ip}:8443: Connection reset by peer, retrying"),
        ("ERROR", "java.net.NoRouteToHostException: No route to host ({ip})"),
    ),
    "timeout": (
        ("ERROR", "request to https://{host}/v1/quote timed out after 10000ms"),
        ("ERROR", "java.net.SocketTimeoutException: connect timed out ({host})"),
        ("ERROR", "context deadline exceeded while calling {host}"),
        ("WARN", "read timeout at {host}, attempt 2 of 3"),
    ),
    "dns": (
        ("ERROR", "getaddrinfo ENOTFOUND {host}"),
        ("ERROR", "java.net.UnknownHostException: {host}: Name or service not known"),
        ("ERROR", "dial tcp: lookup {host} on 10.0.0.2:53: no such host"),
    ),
    "tls": (
        ("ERROR", "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: certificate has expired ({host})"),
        ("ERROR", "javax.net.ssl.SSLHandshakeException: PKIX path building failed for {host}"),
        ("ERROR", "x509: certificate has expired or is not yet valid: {host}"),
    ),
    "auth": (
        ("ERROR", "An error occurred (AccessDeniedException) when calling the GetItem operation: User: "
                  "arn:aws:sts::{account}:assumed-role/{role}/app is not authorized to perform: dynamodb:GetItem"),
        ("ERROR", "AccessDenied: User: arn:aws:sts::{account}:assumed-role/{role}/app is not authorized to perform: "
                  "sqs:SendMessage on resource: {queue}"),
        ("ERROR", "S3 GET failed: AccessDenied (role {role})"),
    ),
    "db-auth": (
        ("ERROR", 'FATAL: password authentication failed for user "app"'),
        ("ERROR", "Access denied for user 'app'@'{ip}' (using password: YES)"),
    ),
    "kms": (
        ("ERROR", "KMSInvalidStateException: arn:aws:kms:{region}:{account}:key/{key} is disabled. AccessDenied"),
        ("ERROR", "DisabledException when calling the Decrypt operation: key {key} is disabled; AccessDenied"),
    ),
    "throttling": (
        ("ERROR", "ProvisionedThroughputExceededException: rate of requests exceeds the throughput of table {table}"),
        ("ERROR", "ThrottlingException: Rate exceeded"),
        ("WARN", "TooManyRequestsException: Too Many Requests (429), backing off"),
    ),
    "memory": (
        ("ERROR", "java.lang.OutOfMemoryError: Java heap space"),
        ("ERROR", "Container killed: OOMKilled, memory limit 512MiB exceeded"),
        ("FATAL", "JavaScript heap out of memory"),
    ),
    "crash": (
        ("ERROR", "Unhandled exception in worker, exiting: exit status 1"),
        ("FATAL", "panic: runtime error: invalid memory address or nil pointer dereference"),
        ("ERROR", "Back-off restarting failed container"),
    ),
    "deploy": (
        ("ERROR", "Runtime.ImportModuleError: Unable to import module 'app': No module named 'requests'"),
        ("ERROR", "java.lang.NoSuchMethodError: 'void com.example.Cart.total(int)'"),
        ("ERROR", "Error: Cannot find module './routes/checkout'"),
    ),
    "availability": (
        ("ERROR", "upstream {host} answered 503 Service Unavailable"),
        ("ERROR", "no healthy upstream for {host}"),
        ("ERROR", "502 Bad Gateway from {host}"),
    ),
    "disk": (
        ("ERROR", "java.io.IOException: No space left on device"),
        ("ERROR", "write /var/data/queue.log: no space left on device"),
    ),
    "deadlock": (
        ("ERROR", "ERROR: deadlock detected; Process 311 waits for ShareLock on transaction 88123"),
        ("ERROR", "Lock wait timeout exceeded; try restarting transaction"),
    ),
    "queue-gone": (
        ("ERROR", "AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist: {queue}"),
        ("ERROR", "QueueDoesNotExist: The specified queue does not exist ({queue})"),
    ),
    "feature": (
        ("ERROR", "failed to render checkout: KeyError: 'currency'"),
        ("ERROR", "Unhandled exception while pricing cart: NullReferenceException"),
        ("ERROR", "TypeError: Cannot read properties of undefined (reading 'total')"),
    ),
}  # fmt: skip

DAILY: tuple[tuple[str, str], ...] = (
    ("INFO", "GET /products/{n} 200 {ms}ms"),
    ("INFO", "POST /cart 201 {ms}ms"),
    ("INFO", "order {n} paid, {ms} cents of shipping"),
    ("DEBUG", "cache hit ratio 0.{ms}"),
    ("INFO", "scheduled job refresh-prices finished in {ms}ms"),
    ("INFO", "connected clients: {ms}"),
    ("INFO", "user {n} logged in"),
    ("DEBUG", "retry policy: 3 attempts, timeout 2s, errors so far 0"),
    ("INFO", "health check ok"),
)
# What goes wrong on any day and means nothing.
GRUMBLE: tuple[tuple[str, str], ...] = (
    ("WARN", "order {n} has no postcode, using default region"),
    ("ERROR", "validation of order {n} rejected: quantity must be positive"),
    ("WARN", "slow query: {ms}0ms SELECT * FROM carts WHERE user_id = {n}"),
    ("ERROR", "coupon SPRING{ms} is unknown"),
)
