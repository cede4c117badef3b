"""Runs the program of the Glue job, whose path is the first argument, on doubles of Glue and Spark, and prints what it asked them for.

Spark's own functions are not there, so what it makes of values is not seen here.
"""

import json
import runpy
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

for name in ("boto3", "awsglue", "awsglue.context", "awsglue.job", "awsglue.utils", "pyspark", "pyspark.context", "pyspark.sql"):
    sys.modules[name] = MagicMock()

schema = json.loads(sys.argv[2])
header = json.loads(sys.argv[3])


class Field(SimpleNamespace):
    """A column of text."""

    dataType = SimpleNamespace(simpleString=lambda: "string")


class Rows:
    """What a reader found: nothing but a header."""

    columns = []
    schema = SimpleNamespace(fields=[Field(name=name) for name in header])

    def __getitem__(self, name):
        return name

    def select(self, _):
        return self


arguments = {"JOB_NAME": "job", "JOB_RUN_ID": "jr", "source": "s3://validated/data/", "target": "s3://features/"}
sys.modules["awsglue.utils"].getResolvedOptions.return_value = {**arguments, "parameter_prefix": "/aidlc"}
parameters = {"Parameters": [{"Value": json.dumps(schema)}]}
sys.modules["boto3"].client.return_value.get_parameters.return_value = parameters
context = sys.modules["awsglue.context"].GlueContext.return_value
reader = context.create_dynamic_frame.from_options
reader.return_value.toDF.return_value = Rows()

program = runpy.run_path(sys.argv[1], run_name="__main__")

print(
    json.dumps(
        {
            "read": reader.call_args.kwargs,
            "settings": dict(call.args for call in context.spark_session.conf.set.call_args_list),
            "columns": {
                name: [value for value, _ in found] for name, found in program["alternatives"](Rows()).items()
            },
            "committed": sys.modules["awsglue.job"].Job.return_value.commit.called,
        }
    )
)
