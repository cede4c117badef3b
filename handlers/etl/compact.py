"""Compacts accepted data to Parquet: what is new since the last run, with the declared types, in files of a useful size.

Bookmarks remember what was read. A run writes below its own folder and replaces it when it is tried again, so that nothing is
missed and nothing is written twice.
"""

import json
import re
import sys

import boto3
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as sql

ARGUMENTS = ["JOB_NAME", "source", "target", "parameter_prefix"]

# Of one output file, before compression.
ROWS_PER_FILE = 1_000_000

# Small files are read together, in groups of this size.
GROUPED_BYTES = 128 * 1024 * 1024

READERS = {
    "csv": ("csv", {"withHeader": True, "separator": ",", "quoteChar": '"'}),
    "jsonl": ("json", {}),
    "parquet": ("parquet", {}),
}

SPARK_TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


def load_schema(parameter_prefix):
    """The document of the data set's columns: one parameter, or parts that are joined in the order of their numbers."""
    name = f"{parameter_prefix}/dataset/schema"
    store = boto3.client("ssm")
    found = store.get_parameters(Names=[name])["Parameters"]
    if found:
        return json.loads(found[0]["Value"])
    pages = store.get_paginator("get_parameters_by_path").paginate(Path=name)
    parts = [part for page in pages for part in page["Parameters"]]
    if not parts:
        raise LookupError(f"there is no parameter {name}, and none below it")
    parts.sort(key=lambda part: int(part["Name"].rsplit("/", 1)[1]))
    return json.loads("".join(part["Value"] for part in parts))


def read_new(context, source, data_format):
    """Accepted objects that no earlier run has read."""
    name, options = READERS[data_format]
    connection = {"paths": [source], "recurse": True}
    if data_format != "parquet":
        connection |= {"groupFiles": "inPartition", "groupSize": str(GROUPED_BYTES)}
    frame = context.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options=connection,
        format=name,
        format_options=options,
        transformation_ctx="accepted",
    )
    return frame.toDF()


def with_declared_types(rows, columns):
    """Exactly the declared columns, in their order. A column that no row of this run has is null."""
    present = {name.lower(): name for name in rows.columns}

    def declared(column):
        kind = SPARK_TYPES[column["type"]]
        name = present.get(column["name"].lower())
        if name is None:
            return sql.lit(None).cast(kind).alias(column["name"])
        value = rows[f"`{name}`"]
        if dict(rows.dtypes)[name] == "string" and kind != "string":
            # Text formats write null as nothing.
            value = sql.when(sql.trim(value) == "", None).otherwise(value)
        return value.cast(kind).alias(column["name"])

    return rows.select([declared(column) for column in columns])


def run_folder(target, run_id):
    """The folder of a run: the same for every attempt at it."""
    run = re.sub(r"_attempt_\d+$", "", run_id)
    return f"{target}run={run}/"


def main():
    options = getResolvedOptions(sys.argv, ARGUMENTS)
    context = GlueContext(SparkContext.getOrCreate())
    job = Job(context)
    job.init(options["JOB_NAME"], options)
    schema = load_schema(options["parameter_prefix"])
    rows = read_new(context, options["source"], schema["format"])
    count = rows.count() if rows.columns else 0
    if count > 0:
        folder = run_folder(options["target"], options["JOB_RUN_ID"])
        files = -(-count // ROWS_PER_FILE)
        typed = with_declared_types(rows, schema["columns"])
        typed.repartition(files).write.mode("overwrite").parquet(folder)
    context.get_logger().info(f"compacted {count} rows")
    # Only now does the bookmark move on.
    job.commit()


main()
