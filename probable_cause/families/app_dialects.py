"""The dialects of plain-text log headers, as patterns. Pure data.

Each is tried at the start of what stands behind the time. Groups: `level` a level's word, `letter`, `dotnet`, `php`,
`redis` other spellings of it, `logger`, `thread`, `at` a time of its own, `client` and `port`, and names of `fields`.
"""

from __future__ import annotations

import re

from probable_cause.families.app_levels import WORDS

_ZONE = r"Z|UTC|GMT|[ECMP][SD]T|CES?T|WES?T|EES?T|BST|IST|JST|KST|HKT|SGT|MSK|A[CEW][SD]T|[+-]\d\d:?\d\d"
START = re.compile(
    rf"""[<\[]?(?:
        (?P<iso>\d{{4}}[-/]\d\d[-/]\d\d(?:[T\ ]|,\ )\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?)\ ?(?P<zone>{_ZONE})?
        | (?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?|\d{{1,2}}:\d\d[AP]M)
        | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\ )?(?P<month>[A-Z][a-z]{{2}})\ +(?P<day>\d{{1,2}})
            \ (?P<time>\d\d:\d\d:\d\d(?:\.\d{{1,6}})?)(?:\ (?P<year>\d{{4}}))?
        | (?P<day2>\d\d)[-/\ ](?P<month2>[A-Z][a-z]{{2}})[-/\ ](?P<year2>\d{{4}})[:\ ]
            (?P<time2>\d\d:\d\d:\d\d(?:\.\d{{1,6}})?)(?:\ (?P<zone2>{_ZONE}))?
        | (?P<epoch>\d{{10}}(?:\.\d{{1,9}})?|\d{{13}}|\d{{8}}T\d{{6}}(?:[.,]\d{{1,9}})?Z?)(?=[\ \t])
        | (?P<dotted>\d\d\.\d\d\.\d{{4}}\ \d\d:\d\d:\d\d(?:\.\d{{1,6}})?)
        | (?P<spark>\d\d/\d\d/\d\d\ \d\d:\d\d:\d\d)
        | (?P<hdfs>\d{{6}}\ \d{{6}})(?=\ )
        | (?P<logcat>\d\d-\d\d\ \d\d:\d\d:\d\d\.\d{{3}})
        | (?P<short>\d{{6}})\ +(?P<time3>\d{{1,2}}:\d\d:\d\d)
    )(?![\d])[\]>]?""",
    re.ASCII | re.VERBOSE,
)
_POSTGRES = r"LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\d?|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION"
_L = rf"(?P<level>{WORDS})"
_LI = rf"(?P<level>(?i:{WORDS}))"
_LOGGER = r"(?P<logger>[A-Za-z_][\w.$/:\[\]#-]*?)"
_SOURCE = r"(?:go|py|js|ts|rb|rs|java|kt|scala|php|cc|cpp|c)"
_DOTTED = r"(?P<logger>[A-Za-z_][\w$-]*(?:(?:\.|::|/)[\w$\[\]-]+)+)(?<!Error)(?<!Exception)"

# (first characters, pattern). The rest of the line behind the match is the message.
DIALECTS = [
    (starts, re.compile(pattern, re.ASCII))
    for starts, pattern in (
        # Spring Boot: INFO 1 --- [app] [main] c.e.App : started
        ("A", rf"{_L} +(?P<pid>\d+) --- +(?:\[[^\]]*\] +)?\[(?P<thread>[^\]]*)\] +(?P<logger>\S+) *: ?"),
        # Hadoop, Glue: INFO [main] namenode.FSNamesystem (FSNamesystem.java:load(12)) - ...
        ("A", rf"{_L} +(?:\[(?P<thread>[^\]]*)\] +)?(?P<logger>[A-Za-z_][\w.$]*) "
              r"\((?P<line>[\w.$-]+:[\w.$<>-]*\(\d+\))\)(?:: | - )"),
        # WildFly, Quarkus: INFO  [org.jboss.as] (MSC service thread 1-1) ...
        ("A", rf"{_L} +\[(?P<logger>[\w.$]+)\] +\((?P<thread>[^)]*)\) +"),
        # WARN [main] o.e.Class - ... ; WARN [main] Class : ... ; Tomcat: SEVERE [main] org.x.Class.method ...
        ("A", rf"{_L} +\[(?P<thread>[^\]]*)\] +(?P<logger>[A-Za-z_][\w.$/\[\]-]*)(?::\d+)? +[-:|] +"),
        ("A", rf"{_L} +\[(?P<logger>[A-Za-z_][\w$]*(?:\.[\w$]+)+)(?::\d+)?\](?: *[:-])? +"),
        ("A", rf"{_L} +\[(?P<thread>[^\]]*)\] +(?P<logger>[a-z]\w*(?:\.[\w$]+)+):? +"),
        ("A", rf"{_L} +\[(?P<thread>[^\]]*)\] +(?P<logger>\w+(?:\.[\w$]+)+): +"),
        # log4j's %-5p %d [%t] %c: WARN  2024-01-01 00:00:00,000 [main] c.e.Class: ...
        (
            "A",
            rf"{_L} +(?P<at>\d{{4}}-\d\d-\d\d[ T][\d:.,]+) +\[(?P<thread>[^\]]*)\] +"
            r"(?P<logger>[A-Za-z_][\w.$]*) *(?:-|:) +",
        ),
        # OpenStack: INFO nova.api [req-1 a b] ...
        ("A", rf"{_L} +(?P<logger>[a-z_]\w*(?:\.\w+)+) +\[(?P<request_id>req-[\w-]+|-)[^\]]*\] +"),
        # ZooKeeper: INFO  [thread:Class@12] - ...
        ("A", rf"{_L} +\[(?P<thread>.{{0,200}}?):(?P<logger>[\w$.]+)@(?P<line>\d+)\] - "),
        # vdsm: MainThread::ERROR::2024-01-01 00:00:00,000::module::12::logger::(function) ...
        ("aA", rf"(?P<thread>[\w-]+)::{_L}::(?P<at>[\d :,-]+)::[\w.]+::(?P<line>\d+)::(?P<logger>[\w.]+)::\(\w+\) "),
        # logback with a line number: ERROR c.e.Class#12 ... ; also file:line of Go and Python
        ("A", rf"{_L} +(?P<logger>[\w.$/\[\]-]+?)#(?P<line>\d+):?\s+(?:- )?"),
        ("A", rf"{_L} +(?P<logger>(?:[\w$-]+[./])*(?:[A-Z][\w$]*|[\w-]+\.{_SOURCE})):(?P<line>\d+):?\s+(?:- )?"),
        ("A", rf"{_L}(?: *[|:-])? +{_DOTTED}(?: --? | *: | +\[[^\]]*\] +- )"),
        ("A", rf"{_L} +(?P<logger>[A-Za-z_][\w.$-]*) +--? +"),
        # loguru: ERROR    | module:function:12 - ...
        ("A|", rf"(?:\| *)?{_L} *\| *(?P<logger>\S+) +- +"),
        # Python's basicConfig: ERROR:root:...
        ("A", rf"{_L}:(?P<logger>[A-Za-z_][\w.]*):(?! )"),
        # Ruby: E, [2024-01-01T00:00:00.1 #12] ERROR -- app: ...
        ("A", rf"[DIWEFA], \[(?P<at>[^ \]]+) #(?P<pid>\d+)\] +{_L} -- (?P<logger>[^:]*?) ?: "),
        # glog, klog: E0517 15:04:22.619632 123 file.cc:253] ...
        ("A", r"(?P<letter>[IWEF])(?:\d{4}|\d{8}) \d\d:\d\d:\d\d\.\d+ +(?P<thread>\d+) (?P<logger>[^\]\s]+:\d+)\] "),
        # CUPS: E [01/Jan/2024:00:00:00 +0000] ... ; Android, brief: V/Tag( 1766): ...
        ("A", r"(?P<letter>[DIWEC]) \[(?P<at>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] +"),
        ("A", r"(?P<letter>[VDIWEF])/(?P<logger>[^(\n]{1,80}?) *\( *(?P<pid>\d+)\): "),
        # ESXi: In(14) Hostd[2098914]: ... ; [7F03ECE76700 verbose 'Default' opID=1] ...
        ("A", r"(?P<esxi>Em|Al|Cr|Er|Wa|No|In|Db)\(\d+\)(?:\[\+\])? (?P<logger>[\w.-]+)\[(?P<pid>\d+)\]:? "),
        ("[0A", r"\[?(?P<thread>[0-9A-F]{8,16}) (?P<level>error|warning|info|verbose|trivia) '(?P<logger>[^']*)'"
               r"[^\]\n]*\] ?"),
        # MongoDB before 4.4: I NETWORK  [conn1] ...
        ("A", r"(?P<letter>[DIWEF])\d? +(?P<logger>[A-Z]+) +\[(?P<thread>[^\]]+)\] "),
        # PostgreSQL without a prefix: two blanks behind the colon
        ("A", rf"(?P<level>{_POSTGRES}):  "),
        ("A", r"PHP (?P<php>Fatal error|Parse error|Warning|Notice|Deprecated|Recoverable fatal error): +"),
        # zap, Lambda for Node.js, log with tabs: ERROR\tlogger\t...
        ("A", rf"{_L}\t(?P<logger>[\w.$/-]+(?::\d+)?)\t"),
        # Cassandra: ERROR [ReadStage-3] 2024-01-01 00:00:00,000 Class.java:12 - ...
        ("A", rf"{_L} +\[(?P<thread>[^\]]*)\] +(?P<at>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+) "
              r"(?P<logger>[\w.$]+:\d+) - "),
        # YARN: WARN org.x.Class (thread): ... ; Sling: *ERROR* [thread] org.x.Class ...
        ("A", rf"{_L} +(?P<logger>[a-z]\w*(?:\.[\w$]+)+) \((?P<thread>[^)]*)\): "),
        ("*", rf"\*{_L}\* +\[(?P<thread>[^\]]*)\] +(?P<logger>[\w.$]+) "),
        # Solr: ERROR (qtp1-20) [c:shop s:shard1] o.a.s.h.RequestHandlerBase ...
        ("A", rf"{_L} +\((?P<thread>[^)]*)\) +\[[^\]]*\] +(?P<logger>[a-z][\w$]*(?:\.[\w$]+)+) +"),
        # Rust: ERROR request{id=7}: crate::module: ...
        ("A", rf"{_L} +(?:\w+\{{[^}}\n]{{0,400}}\}}:? ?){{1,8}}(?P<logger>[a-z_]\w*(?:::\w+)*): "),
        # logrus on a terminal: ERRO[0012] ... ; zerolog on one: ERR ... ; npm ERR! ...
        ("A", r"(?P<level>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[(?:\d+|\d{4}-[^\]]+)\] *"),
        ("A", r"(?P<level>TRC|DBG|INF|WRN|ERR|FTL|PNC) +"),
        ("a", r"npm (?P<level>ERR|WARN|error|warn)!? +"),
        ("A", r"[\w ()-]{3,60} VM (?P<level>warning|info|error): +"),
        # Spring Boot with traces: ERROR [app,trace,span] 1 --- [thread] c.e.App : ...
        # or INFO 1 --- [app] [thread] [trace-span] c.e.App : ...
        ("A", rf"{_L} +\[(?P<service>[\w.-]*),(?P<trace_id>\w*),(?P<span_id>\w*)(?:,\w*)?\] +(?P<pid>\d+) --- +"
              r"\[(?P<thread>[^\]]*)\] +(?P<logger>\S+) *: ?"),
        ("A", rf"{_L} +(?P<pid>\d+) --- +(?:\[(?P<service>[^\]]*)\] +)?\[(?P<thread>[^\]]*)\] +"
              r"\[(?P<trace_id>[0-9a-f]{16,32})-(?P<span_id>[0-9a-f]{16})\] *(?P<logger>\S+) *: ?"),
        ("A", rf"{_L}(?: *[:|\]-])?(?:\s+|$)"),
        # .NET: fail: Namespace.Class[0]
        ("a", r"(?P<dotnet>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.`+]+)\[\d+\]\s*"),
        ("aA", r"(?P<level>(?i:error|warning|warn|fatal|critical)): +"),
        # SQL Server: spid51      Error: 1205, ...
        ("aA", r"(?P<logger>spid\d+s?|Server|Logon|Backup) {2,}"),
        ("a", rf"{_LI}\t(?P<logger>[\w.$/-]+(?::\d+)?)\t"),
        ("a", rf"{_LI}\t"),
        # Akka: [INFO] [01/01/2024 00:00:00.000] [thread] [logger] ... ; [WARN] [logger] [thread] - ...
        ("[", rf"\[{_LI}\] \[\d\d/\d\d/\d{{4}} [\d:.]+\] \[(?P<thread>[^\]]+)\] \[?(?P<logger>[^\]\s]+)\]? "),
        ("[", rf"\[{_LI} *\] \[(?P<logger>[A-Za-z_][\w.$]*)\] (?:\[[^\]]*\] ){{0,4}}- "),
        # Puppet: [DEBUG 2024-01-01 00:00:00 main] ... ; [12]DEBUG:logger:...
        ("[", rf"\[ *{_L} (?P<at>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<thread>[^\]]+)\] +"),
        ("[", rf"\[(?P<pid>\d+)\]{_L}:(?P<logger>[A-Za-z_][\w.-]*):"),
        # NestJS: [Nest] 1  - 01/01/2024, 12:00:00 PM   ERROR [Class] ...
        ("[", r"\[(?P<service>[\w -]+)\] (?P<pid>\d+) +- \d\d/\d\d/\d{4}, \d\d?:\d\d:\d\d [AP]M +"
              r"(?P<level>LOG|WARN|ERROR|DEBUG|VERBOSE|FATAL) +(?:\[(?P<logger>[^\]]+)\] )?"),
        # CloudWatch agent, Windows events: [System] [ERROR] [7034] [source] [host] ...
        ("[", rf"\[[\w./-]+\] \[{_LI}\] \[(?P<code>\d+)\] \[(?P<logger>[^\]]+)\] "),
        # winston: [label] error: ... ; structlog: [error    ] event      [logger] ... ; log4js: [ERROR] logger - ...
        ("[", r"\[(?P<logger>[\w.-]+)\] (?P<level>error|warn|info|http|verbose|debug|silly): "),
        ("[", rf"\[{_LI} *\] (?=[^\[\n]{{30,400}}\[(?P<logger>[\w.]+)\](?: \w+=|$))"),
        ("[", rf"\[{_LI} *\] +(?P<logger>[A-Za-z_][\w.:$/-]*) +- +"),
        # log4j 1: 12   [main] ERROR com.x.Class  - ...
        ("0", rf"\d+ +\[(?P<thread>[^\]]+)\] +{_L} +(?P<logger>[\w.$]+) +(?:[\w.]+ )?- "),
        # Elasticsearch: [WARN ][o.e.d.z.Zen] [node] ... ; gunicorn: [7] [ERROR] ... ; nginx: [error] 12#12: *1 ...
        ("[", rf"\[{_LI} *\] ?\[(?P<logger>[A-Za-z_][^\]\s]*) *\] *(?:\[(?P<node>[^\]]*)\] ?)?"),
        ("[", rf"\[{_LI}\] \[client (?P<client>[^\] ]+?)(?::(?P<port>\d+))?\] "),
        ("[", rf"\[(?P<pid>\d+)\] \[{_LI}\] "),
        # Lambda for Python: [ERROR]\ttime\trequest-id\t...
        ("[", rf"\[{_LI}\]\t(?P<at>[\d:.TZ-]+)\t(?P<request_id>[0-9a-f-]{{36}})\t"),
        ("[", rf"\[{_LI}\] (?P<pid>\d+)#\d+: (?:\*\d+ )?"),
        # Apache: [core:error] [pid 1:tid 2] [client 10.0.0.1:80] ...
        ("[", rf"\[(?P<logger>\w*):{_LI}\] (?:\[pid (?P<pid>\d+)(?::tid \w+)?\] )?"
              rf"(?:\[(?:client|remote) (?P<client>[^\] ]+?)(?::(?P<port>\d+))?\] )?"),
        # log4j: [main] ERROR c.e.Class - ...
        ("[", rf"\[(?P<thread>[^\]]+)\] +(?:\[[^\]]*\] +)?{_L} +(?P<logger>[A-Za-z_][\w.$/\[\]#-]*)"
              r"(?: +\[[^\]]*\])* *(?: --?|:| \|) +"),
        ("[", rf"\[(?P<thread>[^\]]+)\] +{_L}(?: *[:-])? +"),
        # JVM: [12.345s][info][gc] ... ; Envoy: [7][warning][config] [source/a.cc:12] ...
        ("[", rf"(?:\[\d[\d.,]*(?:ms|ns|s)?\]){{1,4}}\[{_LI} *\]\[(?P<logger>[\w+,]+) *\] ?"
              r"(?:\[(?P<line>[\w./-]+:\d+)\] )?"),
        ("[", rf"\[{_LI} *\](?:\t| *:? *(?:{_DOTTED}(?: - |: ))?)"),
        # PgBouncer: [1] LOG C-0x55: ...
        # PostgreSQL: [12] [3-1] user=u,db=d,... ERROR:  ... ; u d 10.0.0.1(5) [12] ERROR:  ...
        ("[", r"\[(?P<pid>\d+)\] (?P<level>LOG|NOISE|DEBUG|WARNING|ERROR|FATAL) +(?=[CS]-0x)"),
        ("[", r"\[(?P<pid>\d+)(?:-\d+)?\]:? *(?:\[\d+-\d+\] *)?user=(?P<user>[^,\s]*),db=(?P<database>[^,\s]*)"
              rf"(?:,(?:client=(?P<client>[\d.a-fA-F:]*)|\w+=[^,\s]*)){{0,6}} +(?P<level>{_POSTGRES}): +"),
        ("a", r"(?P<user>\w+) (?P<database>\w+) (?P<client>[\d.a-fA-F:]+|\[local\])(?:\((?P<port>\d+)\))? "
              rf"\[(?P<pid>\d+)\]:? +(?P<level>{_POSTGRES}): +"),
        # PostgreSQL: [12] user@db ERROR:  ... ; RDS' prefix %t:%r:%u@%d:[%p]:
        ("[", r"\[(?P<pid>\d+)(?:-\d+)?\]:? *(?:\[\d+-\d+\] *)?(?:(?P<user>[^@\s]*)@(?P<database>\S*) *)?"
              rf"(?P<level>{_POSTGRES}): +"),
        (":", r":(?P<client>[^:(]*)(?:\((?P<port>\d+)\))?:(?P<user>[^@:]*)@(?P<database>[^:]*):\[(?P<pid>\d+)\]:"
              rf"(?P<level>{_POSTGRES}): +"),
        # Android: 1702  2395 D WindowManager: ...
        ("0a", r"(?:\w+ +)?(?P<pid>\d+) +(?P<thread>\d+) (?P<letter>[VDIWEF]) +(?P<logger>[^:\n]{1,80}?) *: ?"),
        ("0", rf"(?P<pid>\d+)\]{_L}:(?P<logger>[A-Za-z_][\w.]*):"),
        # MySQL: 0 [Warning] [MY-010068] [Server] ...
        ("0", r"(?P<thread>\d+) +\[(?P<level>Note|Warning|ERROR|System)\] +"
              r"(?:\[(?P<code>MY-\d+)\] +\[(?P<logger>\w+)\] +)?"),
        # Redis: 1:M 01 Jan 2024 00:00:00.000 # ...
        ("0", r"(?P<pid>\d+):[XCSM] "
              r"(?P<redis_at>\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?:\.\d{3})?) (?P<redis>[.*#-]) "),
        # Lambda for Node.js and Java: (time) request-id ERROR ... ; request-id ERROR Class:12 - ...
        ("0a", rf"(?P<request_id>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})[\t ]+"
               rf"(?:{_L}(?:[\t ]+|$)(?:(?P<logger>[A-Za-z_][\w.$]*):(?P<line>\d+) - )?)?"),
        # Python: - logger - ERROR - ... ; plain separators
        ("-|:,aA", rf"[-|:,]* *{_LOGGER} +[-|] +{_L} +[-|:]+ +"),
        ("-|:,", rf"[-|:,]+ *{_L} *[-|:]+ *"
              r"(?:(?P<logger>[A-Za-z_]\w*(?:\.\w+)+(?=:)|[A-Za-z_][\w.]*(?= *[-|:]+ |\|)) *[-|:]+ *)?"),
        # Python: logger ERROR ... ; logger ERROR: ...
        ("aA", rf"{_DOTTED}(?:\[\d+\])? +{_L}(?: *[:-])? +"),
        ("aA", rf"(?P<logger>[A-Za-z_][\w-]*)(?:\[(?P<pid>\d+)\])? +{_L} *[:-] +"),
        # CBS of Windows: , Info                  CBS    ...
        (",", rf", +{_LI} {{2,}}(?P<logger>\w+) {{2,}}"),
        # Sidekiq before 6: 7 TID-abc OrderJob JID-123 INFO: ...
        ("0", rf"(?P<pid>\d+) TID-(?P<thread>\w+) (?P<logger>[\w:]+)(?: JID-\w+)? {_L}: "),
        # WebSphere: [1/1/24 00:00:00:123 UTC] 00000042 ConnectionMan E   ...
        ("[", r"\[\d{1,2}/\d{1,2}/\d\d \d{1,2}:\d\d:\d\d:\d{3} \w+\] (?P<thread>[0-9a-f]{8}) (?P<logger>\S+) +"
              r"(?P<letter>[FEWID]) +"),
        # Database Migration Service: [SOURCE_CAPTURE  ]E:  ...
        ("[", r"\[(?P<logger>[A-Z][A-Z_]+) *\](?P<letter>[FEWIDTV]): +"),
        # Redshift's user activity: '2024-01-01T00:00:00Z UTC [ db=dev user=app pid=1 userid=1 xid=1 ]' LOG: ...
        ("'", r"'(?P<at>\d{4}-\d\d-\d\dT[\d:]+Z) UTC \[ db=(?P<database>\S*) user=(?P<user>\S*) pid=(?P<pid>\d+) "
              r"[^\]]*\]' (?P<level>LOG): "),
        # Elixir: request_id=FabC [info] ...
        ("a", rf"(?:request_id=(?P<request_id>\S+) |[a-z_]\w*=\S+ ){{1,8}}\[{_LI}\] "),
        # CodeBuild: [Container] 2024/01/01 00:00:00.123456 ...
        ("[", r"\[Container\] (?P<at>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?) "),
        # Airflow: {taskinstance.py:12} ERROR - ...
        ("{", rf"\{{{{1,2}}(?P<logger>[\w./-]+:\d+)\}}{{1,2}} {_L} - "),
        # monolog, Laravel: production.ERROR: ...
        ("aA", rf"(?P<logger>[\w-]+)\.{_L}: "),
        # RabbitMQ before 3.7, Erlang: =ERROR REPORT==== 1-Jan-2024::00:00:00 ===\n...
        ("=", r"=(?P<level>ERROR|WARNING|INFO|CRASH|PROGRESS|SUPERVISOR) REPORT==== [^\n=]*===\s*"),
        # Go: file.go:12: ...
        ("aA", rf"(?P<logger>[\w./-]+\.{_SOURCE}:\d+):? "),
    )
]  # fmt: skip
# Rust, Celery: [2024-01-01T00:00:00Z ERROR crate::module] ... ; [2024-01-01 00:00:00,000: ERROR/MainProcess] ...
INSIDE = re.compile(
    rf"\[(?P<at>\d{{4}}-[^\s\]]+(?: \d\d:\d\d:\d\d[.,]?\d*)?):? +{_L}(?:/(?P<thread>[^\]]+)| +(?P<logger>[\w:.]+))?\] ",
    re.ASCII,
)
# Directly behind a whole date and time, a level may be in lower case and alone.
LOWER = re.compile(
    r"(?P<level>trace|verbose|debug|info|notice|warn(?:ing)?|error|err|crit(?:ical)?|fatal|alert|emerg|severe)"
    r"(?::? +|\t|$)",
    re.ASCII,
)
SERILOG = re.compile(r"\[(?:[^\s\]]+ )?\d\d:\d\d:\d\d(?:\.\d+)? (?P<level>VRB|DBG|INF|WRN|ERR|FTL)\] ", re.ASCII)
# java.util.logging, in two lines: Jan 01, 2024 1:00:00 PM com.x.Class method\nSEVERE: ...
JUL = re.compile(
    rf"[A-Z][a-z]{{2}} \d{{1,2}}, \d{{4}} \d{{1,2}}:\d\d:\d\d [AP]M (?P<logger>\S+)[^\n]*\n{_L}: ", re.ASCII
)
