"""The log indexer: the stream's records -> typed documents in OpenSearch, by the job's own decoder and parsers.

documents     records -> documents, each with the index it belongs to
bulk          documents -> _bulk requests; which items to send again, which never
handler       the Lambda
"""
