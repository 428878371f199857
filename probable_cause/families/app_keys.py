"""The keys of JSON log lines and logfmt pairs, in lower case: which is the level, the message, the logger, the error.

Of several in one line, the first here counts. The names are those of the common libraries: ECS, logstash, log4j2,
logback, bunyan, pino, winston, structlog, zap, zerolog, logrus, slog, Serilog, NLog, Monolog, OpenTelemetry, Datadog,
GELF, journald, MongoDB, Caddy, HashiCorp's, Google Cloud's and Azure's, Lambda's JSON format. Pure data.
"""

from __future__ import annotations

from probable_cause.families.values import words

LEVEL = words(
    """leveldisplayname level severity log.level loglevel log_level lvl levelname level_name severitytext severity_text
    severitynumber severity_number @l @level logged_level levelno error_severity syslog.severity priority s label
    detail.eventtype messagetype status"""
)
MESSAGE = words(
    """message msg @message log @m renderedmessage @mt body event short_message text textpayload fullmessage
    full_message messagetemplate resultdescription detail.message detail.reason"""
)
LOGGER = words(
    """logger logger_name loggername logger.name log.logger @module sourcecontext category target record.name
    module component class caller providername provider_name channel c name syslog_identifier subsystem"""
)
TIME = words(
    """@timestamp timestamp time ts t @t datetime date asctime timemillis timeunixnano eventtime event_timestamp
    __realtime_timestamp requesttimeepoch requesttime time_iso8601 time_local start_time query_timestamp timecreated
    stagetimestamp requestreceivedtimestamp lasttimestamp"""
)
TRACE_ID = words(
    """trace_id traceid trace.id dd.trace_id oteltraceid x-b3-traceid logging.googleapis.com/trace xray_trace_id trace
    correlation_id correlationid"""
)
SPAN_ID = words("span_id spanid span.id dd.span_id otelspanid x-b3-spanid logging.googleapis.com/spanid")
SERVICE = words(
    """service service.name service_name servicename dd.service app application app_name kubernetes.container_name
    container_name program syslog_identifier"""
)
THREAD = words("thread thread_name threadname process.thread.name logger.thread_name ctx")
STACK = words(
    """stack_trace stacktrace stack throwableinformation error.stack_trace error.stack err.stack exc_info exception
    @x traceback exception.stacktrace exception.stack_trace thrown.extendedstacktrace trace_back"""
)
ERROR_TYPE = words(
    """error.type error.kind error.name error.class error.code errortype error_type exception.type exception_class
    exception_name context.exception.class exception.exception_class exception.exceptionclass exception.class
    exception.name err.type err.name err.code thrown.name error_class error_code errorcode details.error"""
)
ERROR_TEXT = words(
    """error.message errormessage error_message err.message exception.message exception.exception_message
    context.exception.message thrown.message error err exception details.cause attr.error"""
)
REQUEST_ID = words("request_id requestid awsrequestid aws_request_id record.requestid function_request_id reqid req.id")
REQUESTED = frozenset(
    words(
        """method request requesturi requestpath httpmethod http_method request_method requestmethod routekey
        resourcepath path uri request_uri url http.method http.request.method"""
    )
)
CLIENT = words(
    """client_ip remote_ip client.ip clientip remote_addr remote_host request.client_ip request.remote_ip source.ip
    sourceip ip srcaddr httprequest.clientip sourceips clienthost clientaddress client_address clientaddr
    downstream_remote_address client event.src_ip"""
)
CLIENT_PORT = words("remote_port client_port client.port source.port srcport")
UPSTREAM = words("upstream_host upstream_addr upstreamaddr serviceaddr")  # where a proxy sent the request
OTHER = {
    "pod": ["kubernetes.pod_name", "kubernetes.pod.name", "pod", "pod_name"],
    "namespace": ["kubernetes.namespace_name", "kubernetes.namespace.name", "namespace"],
    "node": ["kubernetes.host", "kubernetes.node.name", "node"],
    "container": ["kubernetes.container_name", "container_name", "container"],
    "host": ["host", "hostname", "host.name", "_hostname"],
    "stream": ["stream"],
    "pid": ["pid", "process.pid"],
    "status": [
        "http.status_code",
        "status_code",
        "statuscode",
        "status",
        "http.response.status_code",
        "responsecode",
        "response_code",
        "downstreamstatus",
    ],
    "environment": ["env", "environment", "dd.env"],
}
# The only keys under which levels and messages hide one level deeper.
NESTED = frozenset(
    words(
        """@fields fields log error err exception process kubernetes service trace span http host dd thrown syslog
    attributes extra context details record resource instant data otel payload request client source properties
    logger jsonpayload detail attr httprequest req event"""
    )
)
