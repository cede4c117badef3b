"""What schemathesis can't learn of the service from its OpenAPI document."""

import os
import re

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse, UseAfterFree

OWN_KEY = os.environ["FUZZ_KEY_ID"]

# Rules that no schema can say: across fields, about what exists, about the day. Method and path, the places they are told at, why.
RULES = [
    (r"GET .*", r"query:/cursor", "a cursor is what the page before gave"),
    (r"GET /v1/audit(/export)?", r"query:/(from|to)", "days of a calendar"),
    (r"GET /v1/audit/verification", r"query:/(sequence|hash)", "both or none"),
    (r"(PUT|DELETE) .*/members/{subject}", r"params:/subject", "the list holds keys, whose roles are fixed"),
    (r"(PUT|POST|PATCH) /v1/teams/{team}/pipelines.*", r"(/.*)?", "the meaning of a spec"),
    (r"PUT /v1/teams/{team}/accounts/{account}", r"/(roleArn|foundation)(/.*)?", "the account's own role; networks"),
    (r"PUT .*/policy-exceptions/{policy}", r"/expiresAt", "within a year from now"),
    (r"POST /sandbox/v1/faults", r"/(type|code|latencyMs)", "types there are; what each kind needs"),
    (r"(POST|PATCH) /sandbox/v1/resources.*", r"(/.*)?", "properties by type"),
]


def is_refused_by_rule(operation, errors):
    return any(
        re.fullmatch(route, operation.label) and all(re.fullmatch(place, error["path"]) for error in errors)
        for route, place, _ in RULES
    )


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if isinstance(failure, UnsupportedMethodResponse):
        # Probes answer without a token; whoever has none learns no more of their paths than of any other.
        return not (response.status_code == 401 and case.operation.path in ("/healthz", "/readyz"))
    if isinstance(failure, UseAfterFree):
        # A key that was revoked opens nothing, and can still be read.
        return not case.operation.label.endswith("/keys/{key}")
    if isinstance(failure, AcceptedNegativeData):
        # Servers pass over headers that they don't know; of those with numbers schemathesis doesn't see that it is only that.
        return "x-schemathesis-unknown-property" not in case.headers
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    errors = response.json().get("errors", [])
    # Its phase of coverage makes headers of letters and digits only, whatever their pattern says.
    if any(error["path"] == "headers:/if-match" for error in errors):
        return re.fullmatch(r'\*|"\d+"', case.headers["if-match"]) is not None
    return not (errors and is_refused_by_rule(case.operation, errors))


@schemathesis.hook
def filter_case(context, case):
    """Everything is asked with one key: it must not revoke itself."""
    return not (case.method != "GET" and OWN_KEY in str((case.path_parameters or {}).values()))


@schemathesis.deserializer("application/x-amz-json-1.0", "application/x-amz-json-1.1")
def deserialize(context, response):
    return response.json()
