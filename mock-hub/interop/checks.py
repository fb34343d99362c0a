"""What the two clients' checks share: one JSON line for each check, HTTP to the hub, and waiting for a condition."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

DEADLINE_SECONDS = 10
CONTRACT = "CON.F.US.EP.Z26"
QUOTE_MEMBERS = (
    "symbol", "lastPrice", "bestBid", "bestAsk", "change", "changePercent", "open", "high", "low", "volume",
    "lastUpdated", "timestamp",
)


class Hub:
    """The hub's address and what is asked of it outside a hub connection."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def path(self, path):
        return self.url + path

    def post(self, path, body=None, token=None):
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if body is not None else {}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.path(path), data=data, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def connections(self):
        with urllib.request.urlopen(self.path("/control/connections"), timeout=DEADLINE_SECONDS) as answer:
            return json.load(answer)

    def token(self, user="user"):
        status, body = self.post("/control/token?user=" + urllib.parse.quote(user))
        assert status == 200, f"/control/token answered {status}"
        return body

    def account(self, token):
        """An account of the user's, or None at a hub without a REST API."""
        status, body = self.post("/api/Account/search", {"onlyActiveAccounts": True}, token)
        return json.loads(body)["accounts"][0]["id"] if status == 200 else None

    def buy_one(self, account, token):
        order = {"accountId": account, "contractId": CONTRACT, "type": 2, "side": 0, "size": 1}
        status, body = self.post("/api/Order/place", order, token)
        answer = json.loads(body) if status == 200 else {}
        assert answer.get("success"), f"/api/Order/place answered {status}: {body}"
        return answer["orderId"]

    def drop(self, how, connection_id):
        query = urllib.parse.urlencode({"how": how, "connectionId": connection_id})
        status, body = self.post("/control/drop?" + query)
        assert status == 200 and json.loads(body)["dropped"] == 1, f"nothing dropped: {status} {body}"

    def publish(self, hub, target, arguments, **where):
        status, body = self.post("/control/publish", {"hub": hub, "target": target, "arguments": arguments, **where})
        assert status == 200, f"/control/publish answered {status}: {body}"


class Report:
    """Prints one line for each check and counts the failures."""

    def __init__(self, client):
        self.client = client
        self.failed = 0

    def line(self, name, began, error=None, known_bug=None):
        line = {"client": self.client, "check": name, "ok": error is None}
        if known_bug:
            line["knownBug"] = known_bug
        if error is not None:
            self.failed += 1
            line["error"] = f"{type(error).__name__}: {error}"
        line["ms"] = round((time.monotonic() - began) * 1000)
        print(json.dumps(line), flush=True)


def same(actual, expected):
    assert actual == expected, f"expected {expected!r}, received {actual!r}"


def is_full(quote):
    missing = [member for member in QUOTE_MEMBERS if member not in quote]
    assert not missing, f"the first quote has no {missing}"
    same(quote["symbol"], "F.US.EP")


def no_such_method(method):
    return f"Failed to invoke '{method}' due to an error on the server. HubException: Method does not exist."


def hub_exception(method, text):
    return f"An unexpected error occurred invoking '{method}' on the server. HubException: {text}"
