"""`probable-cause`: the command line. It parses arguments, calls one function, and prints what that gave."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from probable_cause import commands, settings
from probable_cause.errors import ProbableCauseError
from probable_cause.logs import visible
from probable_cause.schemas import EVENT_TYPES, FAMILIES
from probable_cause.settings import Settings
from probable_cause.state.event_of_interest import Status
from probable_cause.state.moments import from_text, to_text
from probable_cause.state.tables import Tables
from probable_cause.what_if_cli import add_arguments as add_replay_arguments

_EXAMPLES = {
    "demo": """\
  probable-cause demo                    watch all scenarios, then keep the page open
  probable-cause demo --once             play them, check them, exit 0 or 1
  probable-cause demo --bundle DIR       play one incident bundle
  probable-cause demo --conf my.yml      play into an emulated account that is there (aws.endpoint_url)""",
    "dashboard": "  probable-cause dashboard --conf my.yml --port 8080",
    "run": "  probable-cause run --conf conf/local.yml",
    "tables": "  probable-cause tables create --conf conf/local.yml",
    "parse": """\
  probable-cause parse --family cloudtrail events.jsonl
  head -1 flow.log | probable-cause parse --family vpc_flow --format '${version} ${srcaddr} ${dstaddr} ${action}' -""",
    "evaluate": "  probable-cause evaluate tests/scenarios/* --json",
    "top": """\
  probable-cause top                     all applications, what hurts most first
  probable-cause top shop                ranked causes of one
  probable-cause top --watch             the same as the page, in a terminal
  probable-cause top shop --as-of 2026-03-01T12:10:00Z""",
    "explain": "  probable-cause explain shop",
    "history": "  probable-cause history shop network",
    "ack": "  probable-cause ack shop cloudsystem --reason 'planned reboot'",
    "resolve": "  probable-cause resolve shop network --reason 'rule restored'",
    "reopen": "  probable-cause reopen shop network --cause 'RevokeSecurityGroupIngress on sg-0a1b'",
    "rules": """\
  probable-cause rules list --layer network
  probable-cause rules check conf/rules
  probable-cause rules test reboot-instances '{"eventName": "RebootInstances", ...}'""",
    "lookup": """\
  probable-cause lookup show 10.1.1.10
  probable-cause lookup unattributed            events of no application, and what would attribute them
  probable-cause lookup refresh --dry-run       what the account's tags would change
  probable-cause lookup formats                 log_groups entries for the account's flow logs
  probable-cause lookup put --file lookup.yml""",
    "doctor": "  probable-cause doctor --conf conf/emr.yml",
    "replay": """\
  probable-cause replay --from 2026-03-01T00:00:00Z --to 2026-03-02T00:00:00Z --rules my-rules --compare
  probable-cause replay --bundle DIR --with weights.yml --compare""",
    "rejects": """\
  probable-cause rejects list            how many, by family and reason
  probable-cause rejects show --reason surplus_fields --limit 3
  probable-cause rejects replay          once what was wrong is mended""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Faults are told on stderr in the user's words."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.handler(chosen) or 0)
    except ProbableCauseError as exc:
        sys.stderr.write(f"probable-cause: {visible(str(exc))}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe left (`| head`): nothing more to say, and nothing wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="probable-cause",
        description="Which change probably broke an AWS application, from the logs the account already has.",
    )
    commands_of = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, told: str, handler: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        one = commands_of.add_parser(
            name,
            help=told,
            description=told,
            epilog=f"examples:\n{_EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(handler=handler)
        return one

    one = command("demo", "an AWS account on this machine, the real Spark job, and scenarios played into both", _demo)
    one.add_argument("--once", action="store_true", help="end when all has played; exit 0 only if every check held")
    one.add_argument("--bundle", action="append", type=Path, metavar="DIR", help="an incident bundle; may be repeated")
    one.add_argument("--port", type=int, help="of the dashboard on 127.0.0.1 (default: a free one)")
    one.add_argument(
        "--conf", type=Path, metavar="FILE", help="settings of an emulated account (default: one is started)"
    )

    one = command("dashboard", "the page over the tables of a running job, on 127.0.0.1", _dashboard)
    one.add_argument("--port", type=int, default=0, help="default: a free one")
    _conf(one)

    one = command("run", "the stream job in the foreground", _run)
    _conf(one)
    one.add_argument("--master", default="local[2]", help="Spark master (default: local[2])")

    one = command("tables", "create the DynamoDB tables", _tables)
    one.add_argument("action", choices=["create", "show"])
    _conf(one)
    _json(one)

    one = command("parse", "one raw message a line in, one JSON event a line out", _parse)
    one.add_argument("--family", required=True, choices=FAMILIES)
    one.add_argument("--format", help="of a vpc_flow log, as in its flow log's definition")
    one.add_argument("file", nargs="?", default="-", metavar="FILE", help="- is standard input (default)")

    one = command("evaluate", "run incident bundles through the real pipeline and score the answers", _evaluate)
    one.add_argument("bundles", nargs="+", type=Path, metavar="DIR")
    _conf(one)
    _json(one)

    one = command("top", "ranked causes now, or as they were", _top)
    one.add_argument("application", nargs="?", metavar="APP")
    one.add_argument("--as-of", type=_moment, metavar="T", help="what was believed then, e.g. 2026-03-01T12:10:00Z")
    one.add_argument("--watch", action="store_true", help="the page's overview, drawn anew every 2 s until Ctrl-C")
    _conf(one)
    _json(one)

    one = command("explain", "the root cause of an application in sentences", _explain)
    one.add_argument("application", metavar="APP")
    one.add_argument("--as-of", type=_moment, metavar="T")
    _conf(one)
    _json(one)

    one = command("history", "past records of each probable cause", _history)
    one.add_argument("application", metavar="APP")
    one.add_argument("layer", nargs="?", choices=EVENT_TYPES, metavar="LAYER")
    _conf(one)
    _json(one)

    for name, told in (
        ("ack", "acknowledge what a layer shows: still shown, ranked after open causes"),
        ("resolve", "resolve what a layer shows: out of the ranking at once, kept in history"),
        ("reopen", "take an acknowledge or resolve back"),
    ):
        one = command(name, told, _act)
        one.set_defaults(action=name)
        one.add_argument("application", metavar="APP")
        one.add_argument("layer", choices=EVENT_TYPES, metavar="LAYER")
        one.add_argument("cause", nargs="?", metavar="CAUSE", help="part of the cause's name (default: what is shown)")
        one.add_argument("--who", default=getpass.getuser(), help="default: your user name")
        one.add_argument("--reason")
        _conf(one)
        _json(one)

    one = command("rules", "the catalogue of rules", _rules)
    _rules_arguments(one)

    one = command("lookup", "which application owns an address or a resource", _lookup)
    one.add_argument("action", choices=["show", "put", "refresh", "formats", "unattributed"])
    one.add_argument("--dry-run", action="store_true", help="refresh: print the difference, write nothing")
    one.add_argument("key", nargs="?", metavar="IP|RESOURCE|APP", help="show only rows with this key or application")
    one.add_argument("--file", type=Path, help="put: YAML with by_ip and by_resource, as in an incident bundle")
    _conf(one)
    _json(one)

    one = command("replay", "old events under new rules or weights: which verdicts would have been others", _replay)
    add_replay_arguments(one, _moment)
    _conf(one)
    _json(one)

    one = command("rejects", "records that could not be read: how many, which, and their replay", _rejects)
    one.add_argument("action", choices=["list", "show", "replay"])
    one.add_argument("--family", choices=[*FAMILIES, "unknown"])
    one.add_argument("--reason", help="as `list` names it, e.g. surplus_fields")
    one.add_argument("--limit", type=int, default=20, help="of `show` (default: 20)")
    _conf(one)
    _json(one)

    one = command(
        "doctor", "what is wrong with this machine, this configuration, this account - and what to do", _doctor
    )
    _conf(one)
    _json(one)
    return parser


def _conf(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--conf", action="append", default=[], metavar="FILE", help="YAML merged over conf/default.yml")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")


def _moment(text: str) -> datetime:
    try:
        return from_text(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant; write 2026-03-01T12:10:00Z") from exc


def _rules_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="list|check|test|coverage", dest="action")
    one = actions.add_parser("list", help="all rules, or those of a layer, role or service")
    one.add_argument("--layer", choices=EVENT_TYPES)
    one.add_argument("--role", choices=["cause", "symptom", "recovery"])
    one.add_argument("--service", help="part of the event source, e.g. ec2")
    one = _add_json(actions.add_parser("check", help="every fault of rule files, with file and line"))
    one.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="default: the shipped catalogue")
    one.add_argument("--sample", type=Path, metavar="FILE", help="raw lines: warn of rules that match most of them")
    one.add_argument("--family", choices=FAMILIES, help="of the sample's lines; default: cloudtrail")
    one = _add_json(actions.add_parser("test", help="what a rule makes of one log line, and why"))
    one.add_argument("rule", metavar="RULE", help="a rule's id, or a rule file")
    one.add_argument("line", metavar="LINE", help="the raw message, or - for standard input")
    one = _add_json(actions.add_parser("coverage", help="what of a list of calls or a sample is known"))
    one.add_argument("calls", type=Path, metavar="FILE", help="JSON list of {event_source, event_name}, or a text list")
    one.add_argument("--family", choices=FAMILIES, help="FILE holds raw lines of this family, not calls")
    _add_json(actions.choices["list"])


def _add_json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    _json(parser)
    parser.add_argument("--conf", action="append", default=[], metavar="FILE")
    return parser


# -- handlers: each loads what it needs, calls, prints ------------------------------------------------------------


def _print(text: str) -> None:
    """Text quotes log lines, whose control characters are no business of a terminal."""
    sys.stdout.write(visible(text) + "\n")


def _settings(chosen: argparse.Namespace) -> Settings:
    return settings.load(*chosen.conf)


def _connect(configuration: Settings) -> Tables:
    from probable_cause.state import dynamodb

    return dynamodb.connect(configuration.region, configuration.endpoint_url, configuration.table_prefix)


def _demo(chosen: argparse.Namespace) -> int:
    from probable_cause.local import demo
    from probable_cause.local.screen import Screen

    folder = settings.conf_folder().parent / "tests" / "scenarios"
    bundles = chosen.bundle or sorted(path.parent for path in folder.glob("*/incident.yml"))
    if not bundles:
        raise ProbableCauseError(f"no scenarios under {folder}: run the demo in a clone, or give --bundle DIR")
    # Ended by SIGTERM, the demo ends what it started, as by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = demo.Options(bundles, chosen.once, chosen.port, Path(".local"), chosen.conf)
    return demo.run(options, Screen())


def _dashboard(chosen: argparse.Namespace) -> int:
    from probable_cause.local import web

    configuration = _settings(chosen)
    page = web.serve(_connect(configuration), lambda: _now(configuration), chosen.port, model=_model(configuration))
    _print(f"Dashboard: {page.url}   Ctrl-C ends it.")
    try:
        signal.pause()
    finally:
        page.close()
    return 0


def _run(chosen: argparse.Namespace) -> int:
    from probable_cause import entry, logs, stream

    configuration = _settings(chosen)
    logs.configure(configuration.log_format)
    spark = entry.session_of("probable-cause", chosen.master, configuration, configuration.archive_enabled)
    job = stream.StreamJob(spark, configuration, on_report=stream.log_report)
    entry.on_end(job.stop)
    job.run()
    spark.stop()
    return 0


def _tables(chosen: argparse.Namespace) -> int:
    from probable_cause.state import dynamodb, tables

    configuration = _settings(chosen)
    if chosen.action == "create":
        created = dynamodb.create(configuration.region, configuration.endpoint_url, configuration.table_prefix)
        _print(commands.as_json({"created": created}) if chosen.json else f"created: {', '.join(created) or 'none'}")
    else:
        requests = [tables.create_request(one, configuration.table_prefix) for one in tables.ALL]
        _print(commands.as_json(requests))
    return 0


def _parse(chosen: argparse.Namespace) -> int:
    from probable_cause import session
    from probable_cause.sources import parse_lines

    data = sys.stdin.buffer.read() if chosen.file == "-" else _read_file(Path(chosen.file))
    spark = session.build("probable-cause-parse", "local[2]")
    try:
        for line in parse_lines(spark, chosen.family, chosen.format, data):
            _print(line)
    finally:
        spark.stop()
    return 0


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ProbableCauseError(f"{path}: {exc.strerror}") from exc


def _evaluate(chosen: argparse.Namespace) -> int:
    from probable_cause.evaluation import commands as evaluation

    return evaluation.run(chosen.bundles, chosen.conf, as_json=chosen.json)


def _now(configuration: Settings) -> datetime:
    from probable_cause.wiring import clock_of

    return clock_of(configuration)()


def _model(configuration: Settings) -> Any:
    from probable_cause.verdict import VerdictModel

    return VerdictModel().with_overrides(configuration.verdict)


def _verdict(chosen: argparse.Namespace, configuration: Settings) -> dict[str, Any]:
    tables = _connect(configuration)
    if chosen.as_of is not None:
        told = commands.believed_at(tables, chosen.application, chosen.as_of)
        if told is None:
            raise ProbableCauseError(f"{chosen.application}: nothing was believed yet at {chosen.as_of.isoformat()}")
        return told
    from probable_cause.state.application import applications, load_events

    if not load_events(tables, chosen.application):
        known = ", ".join(sorted(applications(tables))) or "none yet"
        raise ProbableCauseError(f"{chosen.application}: no events of interest; applications with some: {known}")
    now = _now(configuration)
    return commands.verdict_of(tables, chosen.application, now, _model(configuration)).to_dict()


def _top(chosen: argparse.Namespace) -> int:
    configuration = _settings(chosen)
    now = chosen.as_of or _now(configuration)
    if chosen.watch:
        return _watch(chosen, configuration)
    if chosen.application is None:
        states = commands.overview(_connect(configuration), now, _model(configuration))
        if chosen.json:
            _print(commands.as_json(states))
        else:
            from probable_cause.local.screen import Screen

            Screen(Console(highlight=False)).result(states, now)
        return 0
    told = _verdict(chosen, configuration)
    if chosen.json:
        _print(commands.as_json(told))
        return 0
    _print(f"{told['application_id']}: {told['health']}")
    for rank, event in enumerate(told["ranking"], 1):
        line = commands.event_line(event, now)
        _print(f"{rank:3}. {event['relevance_now']:4.1f}  {event['event_type']:<12} {event['role']:<8} {line}")
    return 0


def _watch(chosen: argparse.Namespace, configuration: Settings) -> int:
    import threading

    from probable_cause import clock, watch, wiring

    if chosen.application or chosen.as_of or chosen.json:
        raise ProbableCauseError("top --watch shows all applications now: leave out APP, --as-of and --json")
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    console = Console(highlight=False)
    watch.watch(_connect(configuration), wiring.clock_of(configuration), clock.wall_clock, console, 2.0, stop)
    return 0


def _explain(chosen: argparse.Namespace) -> int:
    configuration = _settings(chosen)
    told = _verdict(chosen, configuration)
    if chosen.json:
        _print(commands.as_json(told))
        return 0
    for line in commands.explanation(told):
        _print(line)
    return 0


def _history(chosen: argparse.Namespace) -> int:
    configuration = _settings(chosen)
    records = commands.history(_connect(configuration), chosen.application, chosen.layer)
    if chosen.json:
        _print(commands.as_json(records))
        return 0
    for record in records:
        until = record.get("Until", "now")
        origin = f" (from {record['DeferredFrom']})" if "DeferredFrom" in record else ""
        _print(
            f"{record['Since']} - {until}  {record['EventType']:<12} {record['EventContextSummary']} "
            f"×{record['Count']}{origin} [{record['Status']}]"
        )
    if not records:
        _print("no records")
    return 0


def _act(chosen: argparse.Namespace) -> int:
    from probable_cause.clock import wall_clock
    from probable_cause.state.application import act, renew

    configuration = _settings(chosen)
    tables, now = _connect(configuration), _now(configuration)
    statuses: dict[str, Status] = {"ack": "acknowledged", "resolve": "resolved", "reopen": "open"}
    status = statuses[chosen.action]
    acted = act(
        tables,
        chosen.application,
        chosen.layer,
        status,
        chosen.who,
        now,
        chosen.reason,
        chosen.cause,  # type: ignore[arg-type]
    )
    verdict = renew(tables, chosen.application, now, _model(configuration), wall_clock()).verdict
    if chosen.json:
        _print(commands.as_json({"acted_on": [event.event_key for event in acted], "verdict": verdict.to_dict()}))
        return 0
    for event in acted:
        _print(f"{status}: {event.summary} ×{event.count}")
    _print(f"{chosen.application} is {verdict.health} now")
    return 0


def _rules(chosen: argparse.Namespace) -> int:
    from probable_cause.rules import cli as rules_cli

    return rules_cli.run(chosen, _settings(chosen), _print)


def _lookup(chosen: argparse.Namespace) -> int:
    if chosen.action in ("refresh", "formats"):
        from probable_cause.lambdas.lookup_refresher import cli as refresher

        return refresher.run(chosen, _settings(chosen), _print)
    import yaml

    from probable_cause.clock import wall_clock
    from probable_cause.state import lookups

    tables = _connect(_settings(chosen))
    if chosen.action == "put":
        if chosen.file is None:
            raise ProbableCauseError("lookup put: give --file FILE with by_ip and by_resource")
        content = yaml.safe_load(_read_file(chosen.file)) or {}
        try:
            count = lookups.put(tables, content.get("by_ip", []), content.get("by_resource", []), wall_clock())
        except (ValueError, KeyError) as exc:
            raise ProbableCauseError(f"{chosen.file}: {exc}") from exc
        _print(commands.as_json({"rows": count}) if chosen.json else f"{count} rows written")
        return 0
    if chosen.action == "unattributed":
        return _unattributed(chosen, tables)
    rows = [row for row in lookups.rows(tables) if chosen.key is None or chosen.key in row[:2]]
    if chosen.json:
        _print(commands.as_json([row._asdict() for row in rows]))
    else:
        for row in rows:
            since = f"  from {to_text(row.valid_from)}" if row.valid_from else ""
            until = f"  until {to_text(row.valid_to)}" if row.valid_to else ""
            _print(f"{row.key:<40} {row.application_id:<24} {row.type}{since}{until}")
    return 0 if rows else 1


def _unattributed(chosen: argparse.Namespace, tables: Tables) -> int:
    found = commands.unattributed(tables, _settings(chosen).accepted_cidrs)
    if chosen.json:
        _print(commands.as_json([asdict(one) for one in found]))
        return 0
    for one in found:
        _print(f"{one.key}  ({one.kind})  {one.events} events, last {to_text(one.last_seen)}: {one.summary}")
        _print(f"    {one.advice}")
    _print(f"{len(found)} keys without an application")
    return 0


def _rejects(chosen: argparse.Namespace) -> int:
    from probable_cause import rejects_cli

    return rejects_cli.run(chosen, _settings(chosen), _print)


def _replay(chosen: argparse.Namespace) -> int:
    from probable_cause import what_if_cli

    return what_if_cli.run(chosen, _print)


def _doctor(chosen: argparse.Namespace) -> int:
    from probable_cause import doctor

    findings = doctor.examine(chosen.conf)
    if chosen.json:
        _print(commands.as_json([finding.to_dict() for finding in findings]))
    else:
        for finding in findings:
            _print(f"{'ok ' if finding.ok else 'BAD'}  {finding.what}: {finding.found}")
            if finding.advice:
                _print(f"       {finding.advice}")
    return 0 if all(finding.ok for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
