"""What schemathesis can't learn of the service from its OpenAPI document."""

import os
import re
import uuid

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse, UseAfterFree

# Rules that no schema can say: across fields, about what exists, about the day. Method and path, the places they are told at, why.
RULES = [
    (r"GET .*", r"query:/cursor", "a cursor is what the page before gave"),
    (r"GET /v1/audit(/export)?", r"query:/(from|to)", "days of a calendar"),
    (r"GET /v1/audit/verification", r"query:/(sequence|hash)", "both or none"),
    (r"(PUT|DELETE) .*/members/{subject}", r"params:/subject", "the list holds keys, whose roles are fixed"),
    (r"(PUT|POST|PATCH) /v1/teams/{team}/pipelines.*", r"(/.*)?", "the meaning of a spec"),
    (r"POST /v1/teams/{team}/pipelines/{pipeline}/previews", r"query:/revision", "a spec or a revision, not both"),
    (r"PUT /v1/teams/{team}/accounts/{account}", r"/(roleArn|foundation)(/.*)?", "the account's own role; networks"),
    (r"PUT .*/policy-exceptions/{policy}", r"/expiresAt", "within a year from now"),
    (r"(POST|PATCH) .*/webhooks(/{webhook})?", r"/url", "addresses of the public internet"),
    (r"PUT .*/drift-rules/{rule}", r"/expiresAt", "within a year from now"),
    (r"POST .*/drift/{drift}/decisions", r"/until", "needed to accept, within a year from now, and nowhere else"),
    (r"POST /sandbox/v1/faults", r"/(type|code|latencyMs|moment)", "types there are; what each kind needs"),
    (r"(POST|PATCH) /sandbox/v1/resources.*", r"(/.*)?", "properties by type"),
]

PRECONDITIONS = {"if-match": r'\*|"\d+"', "if-none-match": r'\*|(W/)?"[!#-~]{0,64}"(\s*,\s*(W/)?"[!#-~]{0,64}")*'}


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
    for header, form in PRECONDITIONS.items():
        if any(error["path"] == f"headers:/{header}" for error in errors):
            return re.fullmatch(form, case.headers[header]) is not None
    return not (errors and is_refused_by_rule(case.operation, errors))


# What would keep everything after it from being tested: without its key, its quota or its pipeline all that is left is refusals.
KEPT = {
    "DELETE /v1/keys/{key}": lambda path: path.get("key") == os.environ["FUZZ_KEY_ID"],
    "PUT /v1/teams/{team}/quota": lambda path: path.get("team") in ("fuzz", "spare"),
    "DELETE /v1/teams/{team}/pipelines/{pipeline}": lambda path: path == {"team": "fuzz", "pipeline": "penguins"},
}


@schemathesis.hook
def filter_case(context, case):
    is_kept = KEPT.get(case.operation.label)
    return is_kept is None or not is_kept(case.path_parameters or {})


@schemathesis.hook
def map_headers(context, headers):
    """Nobody uses a key again for another request; short ones that are made up are soon all used."""
    for name in [name for name in headers or {} if name.lower() == "idempotency-key"]:
        if isinstance(headers[name], str) and 0 < len(headers[name]) <= 200:
            headers = {**headers, name: headers[name] + uuid.uuid4().hex}
    return headers


@schemathesis.deserializer("application/x-amz-json-1.0", "application/x-amz-json-1.1")
def deserialize(context, response):
    return response.json()
