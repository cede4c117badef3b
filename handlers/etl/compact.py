"""Compacts accepted data to Parquet: what is new since the last run, with the declared types, in files of a useful size.

Bookmarks remember what was read. A run writes below its own folder and replaces it when it is tried again, so that nothing is
missed and nothing is written twice. Values are read as validation reads them (docs/validation.md); a run that would lose one fails.
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

# A quoted field may hold line ends. AWS's documents spell that option both ways. Quotes are doubled and nothing else is escaped, which is
# what the reader does without an "escaper".
READERS = {
    "csv": (
        "csv",
        {"withHeader": True, "separator": ",", "quoteChar": '"', "multiLine": True, "multiline": True},
    ),
    "jsonl": ("json", {}),
    "parquet": ("parquet", {}),
}

SPARK_SETTINGS = {
    # What names no zone is in UTC.
    "spark.sql.session.timeZone": "UTC",
    # Days before 1582 are written as they are, instead of failing the run: some stand for "unknown" in data.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
}

BYTE_ORDER_MARK = "\ufeff"

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


def declared_name(name):
    """The name of a column as it was declared. A reader may take a file's byte order mark, and quotes behind it, for a part of its first name."""
    return name[1:].strip('"') if name.startswith(BYTE_ORDER_MARK) else name


def alternatives(rows):
    """By the declared name in small letters, what a column may stand in: under several names, or by type where its rows differ in theirs."""
    found = {}
    for field in rows.schema.fields:
        value = rows[f"`{field.name}`"]
        kinds = getattr(field.dataType, "fields", None)
        typed = (
            [(value, field.dataType.simpleString())]
            if kinds is None
            # The columns of a data set hold no structures: that is how Glue hands over what it found in several types.
            else [(value.getField(kind.name), kind.dataType.simpleString()) for kind in kinds]
        )
        found.setdefault(declared_name(field.name).lower(), []).extend(typed)
    return found


def moment(text):
    """Without a zone in UTC. Spark knows no zone after minutes alone, and none beyond eighteen hours."""
    zone = r"([+-])(\d\d):?(\d\d)?$"
    local = sql.regexp_replace(text, r"(Z|[+-]\d\d:?(\d\d)?)$", "").cast("timestamp")
    sign = sql.regexp_extract(text, zone, 1)
    hours, minutes = (
        sql.coalesce(sql.concat(sign, sql.regexp_extract(text, zone, group)).cast("int"), sql.lit(0))
        for group in (2, 3)
    )
    return local - sql.make_dt_interval(sql.lit(0), hours, minutes)


def typed(value, stored, kind):
    """A value in its declared type."""
    if stored == "string" and kind == "bigint":
        # Spark reads no exponents in whole numbers. As a decimal each of 64 bits is exact.
        return sql.coalesce(value.cast("bigint"), value.cast("decimal(38,18)").cast("bigint"))
    if stored == "string" and kind == "timestamp":
        return moment(value)
    if kind == "double":
        number = value.cast("double")
        return sql.when(~sql.isnan(number), number)
    return value.cast(kind)


def present(value, stored, kind, data_format):
    """A value, or null where its format writes a null otherwise: as an empty field of CSV, as a number that is none."""
    if stored == "string" and data_format == "csv":
        value = sql.when(value != "", value)
    if stored == "string" and kind in ("bigint", "double"):
        return sql.when(~sql.lower(value).rlike("^[+-]?nan$"), value)
    if stored in ("float", "double"):
        return sql.when(~sql.isnan(value), value)
    return value


def with_declared_types(rows, columns, data_format):
    """
    Exactly the declared columns, in their order, and for each by its name whether a value of a row is lost in its type. A column that no row of
    this run has is null.
    """
    found = alternatives(rows)
    selected = []
    lost = {}
    for column in columns:
        name, kind = column["name"], SPARK_TYPES[column["type"]]
        pairs = [
            (given, typed(given, stored, kind))
            for given, stored in (
                (present(value, stored, kind, data_format), stored)
                for value, stored in found.get(name.lower(), [])
            )
        ]
        none = sql.lit(None).cast(kind)
        selected.append(sql.coalesce(*(made for _, made in pairs), none).alias(name))
        lost[name] = sql.lit(False)
        for given, made in pairs:
            lost[name] = lost[name] | (given.isNotNull() & made.isNull())
    return rows.select(selected), lost


class ValuesLost(Exception):
    """Accepted values that would be null in their declared type."""


def checked_count(rows, lost):
    """How many rows there are. Raises ValuesLost, which names columns and no values."""
    counts = [sql.count(sql.when(is_lost, 1)) for is_lost in lost.values()]
    total, *numbers = rows.agg(sql.count(sql.lit(1)), *counts).first()
    told = [f"{name}: {number}" for name, number in zip(lost, numbers) if number > 0]
    if told:
        raise ValuesLost(
            f"of {total} rows, these have a value that is none of the declared type ({', '.join(told)}). Where a type was "
            "changed since that data was accepted, give the column its old type, run the compaction, and change it again"
        )
    return total


def run_folder(target, run_id):
    """The folder of a run: the same for every attempt at it."""
    run = re.sub(r"_attempt_\d+$", "", run_id)
    return f"{target}run={run}/"


def main():
    options = getResolvedOptions(sys.argv, ARGUMENTS)
    context = GlueContext(SparkContext.getOrCreate())
    for setting, value in SPARK_SETTINGS.items():
        context.spark_session.conf.set(setting, value)
    job = Job(context)
    job.init(options["JOB_NAME"], options)
    schema = load_schema(options["parameter_prefix"])
    rows = read_new(context, options["source"], schema["format"])
    compacted, lost = with_declared_types(rows, schema["columns"], schema["format"])
    count = checked_count(rows, lost) if rows.columns else 0
    if count > 0:
        folder = run_folder(options["target"], options["JOB_RUN_ID"])
        files = -(-count // ROWS_PER_FILE)
        compacted.repartition(files).write.mode("overwrite").parquet(folder)
    context.get_logger().info(f"compacted {count} rows")
    # Only now does the bookmark move on.
    job.commit()


main()
