"""What schemathesis is told of Rowlock, by SCHEMATHESIS_HOOKS: what JSON Schema can't say, and what there is in the store."""

import json
import re

import schemathesis

# Seats of a show. One of a million takes seconds, and is tested elsewhere.
SEATS = 40

# Shows and bookings that there soon are.
ROWS = 30

# What a time may begin with, and nothing that only looks like one.
TIME = re.compile(
    r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
    r"([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?|T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))"
)

# What was asked under each Idempotency-Key.
asked = {}


@schemathesis.hook
def before_call(_context, case, _kwargs):
    case.body = with_plain_integers(case.body)
    if isinstance(case.body, dict):
        make_sense(case.body, edits=case.path.endswith("/edit"))
    ask_once(case)


def with_plain_integers(value):
    """To JSON Schema 5.0 is an integer; Rowlock takes 5 only."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, list):
        return [with_plain_integers(item) for item in value]
    if isinstance(value, dict):
        return {name: with_plain_integers(item) for name, item in value.items()}
    return value


def make_sense(body, edits):
    """No limit is shorter than the hold, no sale ends before it begins, also together with what is not edited; no seat is added and
    removed at once; whoever books says who it is; and most rows asked for are there."""
    seats, hold, limit = (body.get(name) for name in ("total_seats", "hold_seconds", "hold_limit_seconds"))
    if isinstance(seats, int) and 1 < seats <= 1_000_000:
        body["total_seats"] = SEATS
    if isinstance(hold, int) and isinstance(limit, int) and 0 < limit < hold <= 86_400:
        body["hold_seconds"], body["hold_limit_seconds"] = limit, hold
    for name, of_all in (("hold_seconds", 1), ("hold_limit_seconds", 86_400)):
        if edits and isinstance(body.get(name), int) and 0 < body[name] <= 86_400:
            body[name] = of_all
    for name, year in (("on_sale_at", "2001"), ("off_sale_at", "2999")):
        if isinstance(body.get(name), str) and TIME.fullmatch(body[name]):
            body[name] = year + body[name][4:]
    if "showId" in body and body.get("customerId") is None:
        body["customerId"] = "somebody"
    for name in ("showId", "bookingId"):
        if name in body:
            body[name] = within(body[name], ROWS)
    for name in ("seats", "add", "remove"):
        if isinstance(body.get(name), list) and len(set(map(str, body[name]))) == len(body[name]) < SEATS:
            body[name] = list({str(seat): seat for seat in (within(seat, SEATS) for seat in body[name])}.values())
    add, remove = body.get("add"), body.get("remove")
    if isinstance(add, list) and isinstance(remove, list) and remove:
        body["add"] = [seat for seat in add if seat not in remove]


def within(number, count):
    """Numbers near the limits of their type stay what they are."""
    is_some = isinstance(number, int) and not isinstance(number, bool) and count < number < 2**62
    return number % count + 1 if is_some else number


def ask_once(case):
    """A key is for one request; that another one under it is refused is tested elsewhere."""
    key = (case.headers or {}).get("Idempotency-Key")
    if not isinstance(key, str) or not key:
        return
    request = json.dumps([case.method, case.formatted_path, case.body], sort_keys=True, default=repr)
    if asked.setdefault(key, request) != request:
        case.headers["Idempotency-Key"] = f"{key[:-8]}{len(asked):08}" if len(key) > 240 else f"{key}-{len(asked)}"
        asked[case.headers["Idempotency-Key"]] = request
