"""signalrcore 1.0.2 against a hub: python signalrcore_client.py http://127.0.0.1:PORT

One JSON line for each check; the exit code is 1 when one failed. A check with `knownBug` shows what the client itself
does wrong, as its published version does it: it passes while the client still behaves that way.
"""

import contextlib
import logging
import queue
import socket
import sys
import threading
import time
import urllib.error
from importlib.metadata import version

from signalrcore.hub_connection_builder import HubConnectionBuilder
from signalrcore.subject import Subject

from checks import CONTRACT, DEADLINE_SECONDS, Hub, Report, hub_exception, is_full, no_such_method, same

hub = Hub(sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__))
report = Report(f"signalrcore {version('signalrcore')}")


def check(name, body, known_bug=None):
    began = time.monotonic()
    try:
        body()
    except Exception as error:
        report.line(name, began, error, known_bug)
    else:
        report.line(name, began, known_bug=known_bug)


def heard(from_queue, what):
    try:
        return from_queue.get(timeout=DEADLINE_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"{what} not heard of in {DEADLINE_SECONDS} s") from None


def build(path, reconnect=False, **options):
    if "token" in options:
        token = options.pop("token")
        options["access_token_factory"] = lambda: token
    builder = HubConnectionBuilder().with_url(hub.path(path), options=options).configure_logging(logging.CRITICAL)
    if reconnect:
        builder.with_automatic_reconnect({"type": "raw", "reconnect_interval": 0.2, "max_attempts": 5})
    return builder.build()


@contextlib.contextmanager
def connected(path, prepare=lambda client: None, **options):
    client = build(path, **options)
    opened, client.failures, client.reopened = threading.Event(), queue.Queue(), threading.Event()
    client.on_open(opened.set)
    client.on_reconnect(client.reopened.set)
    client.on_error(client.failures.put)
    prepare(client)
    client.start()
    try:
        assert opened.wait(DEADLINE_SECONDS), "not connected in time"
        yield client
    finally:
        stop(client)


def stop(client):
    """Stops at once: the client's own stop waits in a blocked read until something arrives, a ping for example."""
    with contextlib.suppress(AttributeError, OSError):
        spare = client.transport._client.sock.dup()
        stopping = threading.Thread(target=client.stop, daemon=True)
        stopping.start()
        while client.transport._client.sock.fileno() >= 0:
            time.sleep(0.001)
        spare.shutdown(socket.SHUT_RDWR)
        spare.close()
        stopping.join(DEADLINE_SECONDS)


def invoke(client, method, *arguments):
    """The result of a call; signalrcore tells errors to one callback for the whole connection."""
    answer = queue.Queue()
    client.on_error(answer.put)
    client.send(method, list(arguments), answer.put)
    message = heard(answer, f"the completion of {method}")
    if message.error:
        raise RuntimeError(message.error)
    return message.result


def refused(client, text, method, *arguments):
    try:
        result = invoke(client, method, *arguments)
    except RuntimeError as error:
        same(str(error), text)
    else:
        raise AssertionError(f"did not fail: {result!r}")


def stream(client, method, *arguments):
    items, end = [], queue.Queue()
    client.on_error(end.put)
    client.stream(method, list(arguments)).subscribe({"next": items.append, "complete": end.put, "error": end.put})
    message = heard(end, f"the end of {method}")
    return items, message.error


def listen(client, target):
    events = queue.Queue()
    client.on(target, events.put)
    return events


def conformance():
    with connected("/hubs/conformance") as client:
        check("conformance: Add", lambda: same(invoke(client, "Add", 2, 40), 42))
        value = {"a": [1, -2.5, None, True, "é \u001e \U0001f980 \"q\" \\"], "b": {}, "c": []}
        check("conformance: Echo", lambda: same(invoke(client, "Echo", value), value))
        check("conformance: Null", lambda: same(invoke(client, "Null"), None))
        check("conformance: 1 MB result", lambda: same(len(invoke(client, "Payload", 1_000_000)), 1_000_000))
        check(
            "conformance: HubException",
            lambda: refused(client, hub_exception("ThrowHubException", "my text"), "ThrowHubException", "my text"),
        )
        check("conformance: unknown method", lambda: refused(client, no_such_method("Nope"), "Nope"))
        check(
            "conformance: wrong argument",
            lambda: refused(client, "Failed to invoke 'Add' due to an error on the server.", "Add", "1", 2),
        )
        check("conformance: stream", lambda: same(stream(client, "Counter", 5, 1), ([0, 1, 2, 3, 4], None)))
        streaming = "An error occurred on the server while streaming results. HubException: boom"
        check(
            "conformance: stream that fails",
            lambda: same(stream(client, "CounterThenThrow", 2, "boom"), ([0, 1], streaming)),
        )

        def upload():
            numbers = Subject()
            client.send("Upload", numbers)
            for number in range(1, 101):
                numbers.next(number)
            numbers.complete()
            # The client asks for no result of an upload: that nothing broke is all it can see.
            same(invoke(client, "Echo", "after"), "after")

        check("conformance: upload", upload)

        def send_back():
            back = listen(client, "Back")
            client.send("SendBack", ["Back", [1, "two", None]])
            same(heard(back, "Back"), [1, "two", None])

        check("conformance: SendBack", send_back)


def client_results():
    """Not possible with this client; the hub must bear it, and end the call with the connection."""
    with connected("/hubs/conformance") as client:
        asked = listen(client, "Ask")
        client.send("AskMe", ["Ask", 7])
        same(heard(asked, "Ask"), [7])
        same(invoke(client, "Echo", "after"), "after")


def tokens():
    token = hub.token("ann")

    def header():
        with connected("/hubs/secure", token=token) as client:
            me = invoke(client, "WhoAmI")
            same((me["userIdentifier"], me["tokenInHeader"]), ("ann", True))

    check(
        "token: from the factory",
        header,
        "the token stands in the headers of every invocation too, so no message body belongs in a log",
    )

    def query():
        with connected(f"/hubs/secure?access_token={token}") as client:
            me = invoke(client, "WhoAmI")
            same((me["userIdentifier"], me["tokenInQuery"]), ("ann", True))

    check("token: in the query", query)

    def none():
        client = build("/hubs/secure")
        try:
            client.start()
        except urllib.error.HTTPError as error:
            return same(error.code, 401)
        client.stop()
        raise AssertionError("was let in")

    check("token: none is refused", none)


def ways_in():
    def direct():
        with connected("/hubs/conformance", skip_negotiation=True) as client:
            same(invoke(client, "Add", 1, 1), 2)

    check("skip_negotiation", direct, "its handshake names version 0 and its upgrade carries ?connectionId=")

    def lost():
        with connected("/hubs/conformance", reconnect=True) as client:
            before = invoke(client, "WhoAmI")["connectionId"]
            hub.drop("tcp", before)
            assert client.reopened.wait(DEADLINE_SECONDS), "not reconnected in time"
            after = invoke(client, "WhoAmI")["connectionId"]
            assert after != before, "the same connection id"

    check("a dropped socket: back under a new id", lost)

    def gone():
        client = build("/hubs/conformance")
        opened = threading.Event()
        client.on_open(opened.set)
        client.start()
        assert opened.wait(DEADLINE_SECONDS), "not connected in time"
        mine = invoke(client, "WhoAmI")["connectionId"]
        stopping = threading.Thread(target=client.stop, daemon=True)
        stopping.start()
        while client.transport._client.running:
            time.sleep(0.001)
        # Anything will do that ends its blocked read.
        hub.publish("conformance", "Wake", [], connectionId=mine)
        stopping.join(DEADLINE_SECONDS)
        assert not stopping.is_alive(), "stop() did not return"
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not any(one["connectionId"] == mine for one in hub.connections()["departed"]):
            assert time.monotonic() < deadline, "the hub still holds a connection whose client has stopped"
            time.sleep(0.01)

    check("stop", gone, "no WebSocket close, no Close record, and stop() blocks until the hub sends something")


def market():
    events = {}

    def prepare(client):
        for target in ("GatewayQuote", "GatewayTrade", "GatewayDepth"):
            events[target] = listen(client, target)

    with connected("/hubs/market", prepare, token=hub.token()) as client:

        def quotes():
            same(invoke(client, "SubscribeContractQuotes", CONTRACT), None)
            contract, first = heard(events["GatewayQuote"], "a quote")
            same(contract, CONTRACT)
            is_full(first)
            contract, second = heard(events["GatewayQuote"], "a second quote")
            assert len(second) < len(first), "the second quote is not sparse"
            same(invoke(client, "UnsubscribeContractQuotes", CONTRACT), None)

        check("market: a full quote, then sparse ones", quotes)
        for topic, target in (("Trades", "GatewayTrade"), ("MarketDepth", "GatewayDepth")):

            def rows():
                same(invoke(client, f"SubscribeContract{topic}", CONTRACT), None)
                contract, batch = heard(events[target], target)
                same(contract, CONTRACT)
                assert isinstance(batch, list) and batch, f"no rows: {batch!r}"
                same(invoke(client, f"UnsubscribeContract{topic}", CONTRACT), None)

            check(f"market: {target} is an array", rows)
        wrong = "SubscribeContractBars"
        check("market: no other methods", lambda: refused(client, no_such_method(wrong), wrong, CONTRACT))


def user():
    orders = None

    def prepare(client):
        nonlocal orders
        orders = listen(client, "GatewayUserOrder")

    token = hub.token()
    with connected("/hubs/user", prepare, token=token) as client:

        def events():
            account = 7_000_002
            same(invoke(client, "SubscribeOrders", account), None)
            event = {"action": 1, "data": {"id": 9_007_199_254_740_993, "status": 2}}
            hub.publish("user", "GatewayUserOrder", [event], group=f"orders/{account}")
            same(heard(orders, "the order"), [event])
            same(invoke(client, "UnsubscribeOrders", account), None)

        check("user: an order of a followed account, its id exact", events)

        def trade():
            same(invoke(client, "SubscribeOrders", account), None)
            placed = hub.buy_one(account, token)
            statuses = []
            while 2 not in statuses:
                [event] = heard(orders, "the order's next status")
                if event["data"]["id"] == placed:
                    statuses.append(event["data"]["status"])
            same(statuses, [6, 2])

        if account := hub.account(token):
            check("user: an order placed by REST is pending, then filled", trade)
        text = "Failed to invoke 'SubscribeOrders' due to an error on the server."
        check("user: an account is a number", lambda: refused(client, text, "SubscribeOrders", "7000002"))
        check("user: accounts", lambda: same(invoke(client, "SubscribeAccounts"), None))


check("conformance: began and ended", conformance)
check(
    "conformance: a question to the client",
    client_results,
    "it knows no client results: the handler runs, its answer is never sent",
)
for suite in (tokens, ways_in, market, user):
    check(f"{suite.__name__}: began and ended", suite)
sys.stdout.flush()
sys.exit(1 if report.failed else 0)
