"""Access logs: one request a line, its status in place of a level.

Formats: Apache's common, combined and vhost_combined logs, nginx, HAProxy, Envoy and Istio, uWSGI, uvicorn, Squid, IIS
(W3C extended), and AWS': Application, Classic and Network Load Balancer, S3 server access, CloudFront, API Gateway.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from probable_cause.families.app_levels import INFO, of_status
from probable_cause.families.app_reading import Reading
from probable_cause.families.values import any_time, is_ip, iso_time, words

HEAD = 8192
_QUOTED = r"\"(?P<request>(?:[^\"\\]|\\.){0,4000})\""
_COMBINED = re.compile(
    r"(?:(?P<vhost>[\w.-]+(?::\d+)?) )?(?P<client>[\w.:-]+) +\S+ +(?P<user>\S+) +\[(?P<at>[^\]]{10,40})\] ?"
    rf"{_QUOTED} (?P<status>\d{{3}}) (?P<size>\d+|-)"
)
_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4})[: ](\d\d:\d\d:\d\d(?:\.\d+)?)(?: ([+-]\d{4}))?", re.ASCII)
_UWSGI = re.compile(
    r"\[pid: (?P<pid>\d+)\|[^\]]*\] (?P<client>\S+) \([^)]*\) \{[^}]*\} \[[^\]]*\] (?P<request>\S+ \S+) => "
    r"[^(]*\(HTTP/\S+ (?P<status>\d{3})\)",
    re.ASCII,
)
_HAPROXY = re.compile(
    r"(?P<client>[\d.a-fA-F:]+):(?P<port>\d+) \[(?P<at>[^\]]+)\] (?P<frontend>\S+) "
    r"(?P<backend>[^/\s]+)/(?P<server>\S+) [\d/+-]+ (?P<status>\d{3}|-1) \d+",
    re.ASCII,
)
# Elastic Load Balancing: Application (with a scheme in front) and Classic. A TCP listener has no status.
_ELB = re.compile(
    r"(?:(?P<scheme>https?|h2|wss?|grpcs?) )?(?P<iso>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<balancer>\S+) "
    r"(?P<client>[\d.a-fA-F:]+):(?P<port>\d+) (?P<target>\S+) [\d.-]+ [\d.-]+ [\d.-]+ (?P<status>\d{3}|-) \S+ \d+ \d+ "
    r"\"(?P<request>[^\"]{0,4000})\"",
    re.ASCII,
)
_NLB = re.compile(
    r"tls \d\.\d (?P<iso>\d{4}-\d\d-\d\dT[\d:.]+Z?) (?P<balancer>\S+) \S+ (?P<client>[\d.a-fA-F:]+):(?P<port>\d+) "
    r"(?P<target>\S+) ",
    re.ASCII,
)
_S3 = re.compile(
    r"(?P<owner>[0-9a-f]{64}) (?P<bucket>\S+) \[(?P<at>[^\]]{10,40})\] (?P<client>\S+) (?P<user>\S+) "
    rf"(?P<request_id>\S+) (?P<operation>\S+) \S+ (?:{_QUOTED}|-) (?P<status>\d{{3}}|-) (?P<code>\S+)",
    re.ASCII,
)
_CLOUDFRONT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)\t(?P<clock>\d\d:\d\d:\d\d)\t(?P<edge>[A-Z]{3}\S*)\t\d+\t(?P<client>\S+)\t"
    r"(?P<request>[A-Z]+\t\S+\t\S+)\t(?P<status>\d{3})\t",
    re.ASCII,
)
_IIS = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d) (?P<clock>\d\d:\d\d:\d\d) (?:[A-Z]\S* \S+ )?(?P<target>[\d.a-fA-F:]+) "
    r"(?P<request>[A-Z]+ \S+ \S+) (?P<target_port>\d{1,5}) \S+ (?P<client>[\d.a-fA-F:]+) (?:\S+ ){1,4}?"
    r"(?P<status>[1-5]\d\d) \d+ \d+(?: \d+)*$",
    re.ASCII | re.MULTILINE,
)
_SQUID = re.compile(
    r"(?P<epoch>\d{10}\.\d{3}) +\d+ (?P<client>[\d.a-fA-F:]+) (?P<result>[A-Z_]+)/(?P<status>\d{3}) \d+ "
    r"(?P<request>[A-Z]+ \S+) ",
    re.ASCII,
)
# uvicorn and hypercorn (with the client), Django and Envoy (behind the time)
_BEHIND_HEADER = re.compile(
    r"(?:(?P<client>[\d.]+):(?P<port>\d+) - )?\"(?P<request>[A-Z]+ [^\"]*)\" (?P<status>\d{3})\b", re.ASCII
)
_MONTHS = {month: number for number, month in enumerate(words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"), 1)}


def keep_request(reading: Reading, found: re.Match[str]) -> None:
    """Keeps what all access logs have: client, request, status. That the server failed is the kind of the error."""
    values = found.groupdict()
    status = values["status"] if (values.get("status") or "").isdigit() else None
    level = of_status(int(status)) if status else None
    reading.level = level or reading.level or INFO
    reading.note(status=status, request=values.get("request"), pid=values.get("pid"))
    client = values.get("client")
    if client and is_ip(client):
        reading.source_ip, reading.source_port = client, values.get("port")
    if status and status >= "500":
        reading.kind, reading.category, reading.failed = f"Http{status}", "availability", True
    size = values.get("size")
    reading.note(backend=values.get("backend"), server=values.get("server"), size=size if size != "-" else None)
    if target := values.get("target"):
        address, _, port = (target, "", values["target_port"]) if "target_port" in values else target.rpartition(":")
        reading.destination_ip, reading.destination_port = address, port
    reading.note(load_balancer=values.get("balancer"), request_id=values.get("request_id"), bucket=values.get("bucket"))
    if reading.time is None:
        reading.time = _time(values)


def _time(values: dict[str, str | None]) -> datetime | None:
    if values.get("epoch"):
        return any_time(values["epoch"])
    if values.get("iso"):
        return iso_time(values["iso"] or "")
    if values.get("date"):
        return iso_time(f"{values['date']} {values['clock']}")
    return request_time(values.get("at") or "")


def request_time(word: str) -> datetime | None:
    """The UTC time that Apache and nginx write, 01/Mar/2024:12:00:00 +0100."""
    at = _TIME.fullmatch(word)
    if at is None:
        return None
    day, month, year, clock, zone = at.groups()
    return iso_time(f"{year}-{_MONTHS.get(month, 0):02}-{day}T{clock}{zone or ''}")


def _by(pattern: re.Pattern[str], *marks: str) -> Callable[[Reading, str], bool]:
    """The reader of a pattern, tried only on lines that hold all the marks."""

    def read(reading: Reading, head: str) -> bool:
        found = pattern.match(head) if all(mark in head for mark in marks) else None
        if found is None:
            return False
        keep_request(reading, found)
        return True

    return read


def read_behind_header(reading: Reading) -> None:
    """Keeps client and status of an access log line whose time or level has been read already."""
    message = reading.message.lstrip(" ")
    if message[:1] != '"' and not message[:1].isdigit():
        return
    if found := _BEHIND_HEADER.match(message[:HEAD]):
        level = reading.level
        keep_request(reading, found)
        if level is not None and reading.level == INFO:
            reading.level = level


# (first characters, reader). DATE stands for a date such as 2024-01-01, with which most lines start.
DATE = "\0"
ACCESS_READERS = [
    ("[", _by(_UWSGI, "|", " => ")),
    (f"{DATE}hwg", _by(_ELB, "Z ", ' "')),
    ("t", _by(_NLB, ":")),
    (DATE, _by(_IIS)),
    (DATE, _by(_CLOUDFRONT, "\t")),
    ("1", _by(_SQUID, "_")),
    ("0123456789abcdef", _by(_S3, "] ")),
    ("0123456789abcdefABCDEF", _by(_HAPROXY, "/", "] ")),
    ("0123456789abcdefghijklmnopqrstuvwxyz:", _by(_COMBINED, "]", '"')),
]
