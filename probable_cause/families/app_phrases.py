"""The phrases by which libraries, runtimes and operating systems tell of failures. Pure data."""

from __future__ import annotations

import re

# `kind, category:` and its phrases in lower case, separated by bars. Of several in a message, the earliest here wins.
_TABLE = """
OutOfMemory, memory:
    out of memory | outofmemory | oomkill | oom-kill | oom kill | signal: killed | cannot allocate memory |
    allowed memory size of | memoryerror | exited with code 137 | exit status 137 | exit code 137
TooManyConnections, capacity:
    too many connections | remaining connection slots are reserved | connection pool exhausted |
    connection pool is exhausted | too many clients already | queuepool limit | toomanyconnections
NameResolution, dns:
    enotfound | eai_again | no such host | could not resolve host | could not translate host name |
    name or service not known | temporary failure in name resolution | nodename nor servname |
    unknownhostexception | getaddrinfo failed | nxdomain | host not found in upstream
ConnectionRefused, connectivity:
    connection refused | econnrefused | actively refused
NoRouteToHost, connectivity:
    no route to host | ehostunreach | host is unreachable
NetworkUnreachable, connectivity:
    network is unreachable | enetunreach
ConnectionReset, connectivity:
    connection reset by | econnreset | connection was reset | socketexception: connection reset |
    connection aborted | econnaborted | upstream prematurely closed | socket hang up
BrokenPipe, connectivity:
    broken pipe | epipe
ConnectionClosed, connectivity:
    server closed the connection unexpectedly | communications link failure | lost connection to mysql |
    server has gone away | connection closed by peer | connection closed by foreign host | connection is closed |
    terminating connection due to
ConnectionFailed, connectivity:
    could not connect | unable to connect | failed to connect | cannot connect | can't connect |
    refused. check that the hostname | an i/o error occurred while sending to the backend |
    connection failed | failed to obtain jdbc connection | failed to establish a new connection |
    no live upstreams | connect() failed | connection is not available
Timeout, timeout:
    timed out | timed-out | etimedout | esockettimedout | i/o timeout | deadline exceeded | deadlineexceeded |
    timeout exceeded | timeout expired | timeoutexception | timeouterror | statement timeout | runtime.timeout |
    gateway timeout | gateway time-out | net::readtimeout | net::opentimeout | net::writetimeout |
    handshake_timeout
Throttling, throttling:
    throttlingexception | throttled | rate exceeded | rate limit exceeded | toomanyrequests | too many requests |
    provisionedthroughputexceeded | requestlimitexceeded | slowdown:
TlsError, tls:
    certificate has expired | does not match certificate's altnames | err_tls_cert_altname_invalid |
    certificate is not yet valid | certificate verify failed | certificate is not valid | signed by unknown authority |
    x509:  | sslhandshakeexception | ssl_error | handshake failure | handshake failed | certificate_verify_failed |
    cert_has_expired | self signed certificate in | ssl_connect returned=
AuthenticationFailed, auth:
    authentication failed | login failed | invalid credentials | wrongpass | expiredtoken | invalidclienttokenid |
    authentication failure | signaturedoesnotmatch | access denied for user | noauth authentication
AccessDenied, auth:
    accessdenied | access denied | permission denied | is not authorized to perform | unauthorizedoperation |
    403 forbidden
Deadlock, deadlock:
    deadlock found | deadlock detected | lock wait timeout | was deadlocked | database is locked
NoSpaceLeft, disk:
    no space left on device | enospc | disk full | disk is full | disk quota exceeded | read-only file system
StorageFault, disk:
    ext4-fs error | xfs_force_shutdown | i/o error, dev | buffer i/o error
TooManyOpenFiles, capacity:
    too many open files | emfile
ThreadPoolExhausted, capacity:
    rejectedexecution | thread pool exhausted | thread pool is exhausted | unable to create new native thread
SegmentationFault, crash:
    segmentation fault | sigsegv | core dumped | segfault at | general protection fault
KernelFault, crash:
    kernel panic | soft lockup | blocked for more than 120 seconds
ProcessExited, crash:
    runtime.exiterror | process exited before completing | runtime exited | crashloopbackoff |
    back-off restarting failed | exited with code 1 | exit status 1 | signal: aborted |
    main process exited | failed with result
UnhandledRejection, crash:
    unhandledpromiserejection | err_unhandled_rejection | triggeruncaughtexception
ModuleNotFound, deploy:
    cannot find module | no module named | unable to import module | importmoduleerror | noclassdeffounderror |
    classnotfoundexception | handlernotfound | exec format error | imagepullbackoff | errimagepull |
    cannotpullcontainer
ExecutionFailed, availability:
    execution failed due to
ServiceUnavailable, availability:
    service unavailable | bad gateway | no instances available | no server is available | no servers available |
    circuitbreaker | circuit breaker is open | internal server error
"""
_ROWS = re.findall(r"^(\w+), (\w+):\n((?: {4}.*\n)+)", _TABLE, re.MULTILINE)
# (phrase, kind of failure, its category)
PHRASES = [
    (phrase.strip(), kind, category)
    for kind, category, phrases in _ROWS
    for phrase in re.split(r"\||\n", phrases)
    if phrase.strip()
]
