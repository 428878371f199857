"""The memory of the job: Delta tables of what it saw, believed and could not read.

    spool       in the batch: its rows of interest and rejects as Parquet beside the checkpoint, and nothing else
    writer      a thread of the driver: spool -> Delta, and what the tables hold -> Delta
    states      items of the tables <-> rows of the archive, and back after a loss
    delta       the jars, the session's settings, reading and writing a table

A batch never waits for Delta. docs/archive.md says what is kept, and how it is caught up after a failure.
"""
