"""Checks a file with pandas and pandera as validate does, and prints the outcome and its peak memory as JSON."""

import hashlib
import json
import resource
import sys
import time

import numpy as np
import pandas as pd
import pandera.pandas as pa

BINS = 10
FLOOR = 1e-6


def shares(values, bounds):
    counts = np.bincount(np.searchsorted(bounds, values, side="right"), minlength=len(bounds) + 1)
    return np.maximum(counts / len(values), FLOOR)


def psi(baseline, fresh):
    expected, actual = np.array(baseline["shares"]), fresh
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def drift(frame, baseline):
    scores = {}
    for name, known in baseline.items():
        if "bounds" in known:
            scores[name] = psi(known, shares(frame[name].to_numpy(), np.array(known["bounds"])))
        else:
            counts = frame[name].value_counts(normalize=True)
            actual = np.array([max(counts.get(value, 0), FLOOR) for value in known["values"]])
            scores[name] = psi(known, actual)
    return scores


def profile(frame):
    """What drift is measured against, of the columns that validate compares."""
    known = {}
    for name in ("delay", "distance"):
        bounds = np.unique(frame[name].quantile(np.arange(1, BINS) / BINS).to_numpy())
        known[name] = {"bounds": bounds.tolist(), "shares": shares(frame[name].to_numpy(), bounds).tolist()}
    for name in ("origin", "destination"):
        counts = frame[name].value_counts(normalize=True)
        known[name] = {"values": counts.index.tolist(), "shares": counts.tolist()}
    return known


def read(path):
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    frame = pd.read_csv(
        path,
        dtype={"delay": "int64", "distance": "float64", "origin": "str", "destination": "str", "date": "str"},
        keep_default_na=False,
        na_values={"delay": [""], "distance": [""], "origin": [""], "destination": [""], "date": [""]},
    )
    frame["date"] = pd.to_datetime(frame["date"], format="ISO8601")
    return frame


SCHEMA = pa.DataFrameSchema(
    {
        "date": pa.Column("datetime64[us]", nullable=False),
        "delay": pa.Column("int64", pa.Check.in_range(-2000, 2000), nullable=False),
        "distance": pa.Column("float64", pa.Check.in_range(0, 6000), nullable=False),
        "origin": pa.Column(str, pa.Check.str_matches("^[A-Z]{3}$"), nullable=False),
        "destination": pa.Column(str, pa.Check.str_matches("^[A-Z]{3}$"), nullable=False),
    },
    strict=True,
)


def main(path, baseline_path):
    started = time.perf_counter()
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    frame = read(path)
    SCHEMA.validate(frame, lazy=True)
    nulls = frame.isna().mean()
    duplicates = int(frame.duplicated().sum())
    accepted = bool((nulls <= 0.01).all()) and duplicates <= 0.001 * len(frame)
    with open(baseline_path) as file:
        scores = drift(frame, json.load(file))
    fresh = profile(frame)
    seconds = time.perf_counter() - started
    print(
        json.dumps(
            {
                "rows": len(frame),
                "duplicates": duplicates,
                "accepted": accepted,
                "sha256": sha256,
                "drift": max(scores.values()),
                "profiled": len(fresh),
                "seconds": seconds,
                "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if sys.argv[1] == "baseline":
    with open(sys.argv[3], "w") as file:
        json.dump(profile(read(sys.argv[2])), file)
else:
    main(sys.argv[1], sys.argv[2])
