"""pysignalr 1.3.3 against a hub: python pysignalr_client.py http://127.0.0.1:PORT

One JSON line for each check; the exit code is 1 when one failed. A check with `knownBug` shows what the client itself
does wrong, as its published version does it: it passes while the client still behaves that way.
"""

import asyncio
import contextlib
import sys
import time
from importlib.metadata import version

from pysignalr.client import SignalRClient
from pysignalr.exceptions import AuthorizationError

from checks import CONTRACT, DEADLINE_SECONDS, Hub, Report, hub_exception, is_full, no_such_method, same

hub = Hub(sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__))
report = Report(f"pysignalr {version('pysignalr')}")


async def check(name, body, known_bug=None, seconds=DEADLINE_SECONDS):
    began = time.monotonic()
    try:
        await asyncio.wait_for(body(), seconds)
    except Exception as error:
        report.line(name, began, error, known_bug)
    else:
        report.line(name, began, known_bug=known_bug)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@contextlib.asynccontextmanager
async def connected(path, prepare=lambda client: None, **options):
    client = SignalRClient(hub.path(path), max_size=None, **options)
    client.opened, client.failures = asyncio.Event(), asyncio.Queue()

    async def on_open():
        client.opened.set()

    client.on_open(on_open)
    client.on_error(client.failures.put)
    prepare(client)
    run = asyncio.ensure_future(client.run())
    opened = asyncio.ensure_future(client.opened.wait())
    try:
        done, _ = await asyncio.wait({run, opened}, return_when=asyncio.FIRST_COMPLETED)
        if run in done:
            run.result()
        yield client
    finally:
        run.cancel()
        opened.cancel()
        await asyncio.gather(run, opened, return_exceptions=True)


async def invoke(client, method, *arguments):
    """The result of a call; pysignalr tells errors to one callback for the whole connection."""
    answer = asyncio.get_running_loop().create_future()

    async def completed(message):
        answer.set_result(message)

    await client.send(method, list(arguments), completed)
    message = await answer
    if message.error:
        await client.failures.get()
        raise RuntimeError(message.error)
    return message.result


async def refused(client, text, method, *arguments):
    try:
        result = await invoke(client, method, *arguments)
    except RuntimeError as error:
        same(str(error), text)
    else:
        raise AssertionError(f"did not fail: {result!r}")


async def stream(client, method, *arguments):
    items, end = [], asyncio.get_running_loop().create_future()

    async def item(value):
        items.append(value)

    async def complete(message):
        end.set_result(message)

    await client.stream(method, list(arguments), item, complete, complete)
    message = await end
    return items, message.error


def listen(client, target):
    heard = asyncio.Queue()

    async def on_event(arguments):
        await heard.put(arguments)

    client.on(target, on_event)
    return heard


async def conformance():
    async with connected("/hubs/conformance") as client:
        await check("conformance: Add", lambda: expect(invoke(client, "Add", 2, 40), 42))
        value = {"a": [1, -2.5, None, True, "é \u001e \U0001f980 \"q\" \\"], "b": {}, "c": []}
        await check("conformance: Echo", lambda: expect(invoke(client, "Echo", value), value))
        await check("conformance: Null", lambda: expect(invoke(client, "Null"), None))
        await check("conformance: 1 MB result", lambda: expect_length(invoke(client, "Payload", 1_000_000), 1_000_000))

        async def many():
            same(await asyncio.gather(*(invoke(client, "Echo", i) for i in range(100))), list(range(100)))

        await check("conformance: 100 calls at once", many)
        await check(
            "conformance: HubException",
            lambda: refused(client, hub_exception("ThrowHubException", "my text"), "ThrowHubException", "my text"),
        )
        await check("conformance: unknown method", lambda: refused(client, no_such_method("Nope"), "Nope"))
        await check(
            "conformance: wrong argument",
            lambda: refused(client, "Failed to invoke 'Add' due to an error on the server.", "Add", "1", 2),
        )
        await check("conformance: stream", lambda: expect(stream(client, "Counter", 5, 1), ([0, 1, 2, 3, 4], None)))
        streaming = "An error occurred on the server while streaming results. HubException: boom"
        await check(
            "conformance: stream that fails",
            lambda: expect(stream(client, "CounterThenThrow", 2, "boom"), ([0, 1], streaming)),
        )

        async def upload():
            async with client.client_stream("Upload") as items:
                for number in range(1, 101):
                    await items.send(number)
            # The client asks for no result of an upload: that nothing broke is all it can see.
            same(await invoke(client, "Echo", "after"), "after")

        await check("conformance: upload", upload)

        back = listen(client, "Back")

        async def send_back():
            await client.send("SendBack", ["Back", [1, "two", None]])
            same(await back.get(), [1, "two", None])

        await check("conformance: SendBack, called without an id", send_back)

        async def client_result():
            async def answer(arguments):
                return {"asked": arguments[0]}

            client.on("Ask", answer)
            same(await invoke(client, "AskMe", "Ask", 7), {"asked": 7})

        await check("conformance: client result", client_result)


async def tokens():
    token = hub.token("ann")

    async def factory_alone():
        try:
            async with connected("/hubs/secure", access_token_factory=lambda: token):
                raise AssertionError("the first connection was authenticated")
        except AuthorizationError:
            pass

    await check(
        "token: the factory alone is refused",
        factory_alone,
        "access_token_factory is asked only once the socket is open, so negotiate and upgrade carry no token",
    )

    async def header():
        async with connected("/hubs/secure", headers=bearer(token)) as client:
            me = await invoke(client, "WhoAmI")
            same((me["userIdentifier"], me["tokenInHeader"]), ("ann", True))

    await check("token: as a header", header)

    async def query():
        async with connected(f"/hubs/secure?access_token={token}") as client:
            me = await invoke(client, "WhoAmI")
            same((me["userIdentifier"], me["tokenInQuery"]), ("ann", True))

    await check("token: in the query", query)

    async def lost():
        async with connected("/hubs/conformance") as client:
            before = (await invoke(client, "WhoAmI"))["connectionId"]
            client.opened.clear()
            hub.drop("tcp", before)
            await client.opened.wait()
            after = (await invoke(client, "WhoAmI"))["connectionId"]
            assert after != before, "the same connection id"

    await check(
        "a dropped socket: back under a new id",
        lost,
        "it returns with the spent id of its first negotiation, is told 404, and only then negotiates again",
    )


async def market():
    heard = {}

    def prepare(client):
        for target in ("GatewayQuote", "GatewayTrade", "GatewayDepth"):
            heard[target] = listen(client, target)

    async with connected("/hubs/market", prepare, headers=bearer(hub.token())) as client:

        async def quotes():
            same(await invoke(client, "SubscribeContractQuotes", CONTRACT), None)
            contract, first = await heard["GatewayQuote"].get()
            same(contract, CONTRACT)
            is_full(first)
            contract, second = await heard["GatewayQuote"].get()
            assert len(second) < len(first), "the second quote is not sparse"
            same(await invoke(client, "UnsubscribeContractQuotes", CONTRACT), None)

        await check("market: a full quote, then sparse ones", quotes)
        for topic, target in (("Trades", "GatewayTrade"), ("MarketDepth", "GatewayDepth")):

            async def rows():
                same(await invoke(client, f"SubscribeContract{topic}", CONTRACT), None)
                contract, batch = await heard[target].get()
                same(contract, CONTRACT)
                assert isinstance(batch, list) and batch, f"no rows: {batch!r}"
                same(await invoke(client, f"UnsubscribeContract{topic}", CONTRACT), None)

            await check(f"market: {target} is an array", rows)
        wrong = "SubscribeContractBars"
        await check("market: no other methods", lambda: refused(client, no_such_method(wrong), wrong, CONTRACT))


async def user():
    orders = None

    def prepare(client):
        nonlocal orders
        orders = listen(client, "GatewayUserOrder")

    token = hub.token()
    async with connected("/hubs/user", prepare, headers=bearer(token)) as client:

        async def events():
            account = 7_000_001
            same(await invoke(client, "SubscribeOrders", account), None)
            event = {"action": 1, "data": {"id": 9_007_199_254_740_993, "status": 2}}
            hub.publish("user", "GatewayUserOrder", [event], group=f"orders/{account}")
            same(await orders.get(), [event])
            same(await invoke(client, "UnsubscribeOrders", account), None)

        await check("user: an order of a followed account, its id exact", events)

        async def trade():
            same(await invoke(client, "SubscribeOrders", account), None)
            placed = hub.buy_one(account, token)
            statuses = []
            while 2 not in statuses:
                [event] = await orders.get()
                if event["data"]["id"] == placed:
                    statuses.append(event["data"]["status"])
            same(statuses, [6, 2])

        if account := hub.account(token):
            await check("user: an order placed by REST is pending, then filled", trade)
        text = "Failed to invoke 'SubscribeOrders' due to an error on the server."
        await check("user: an account is a number", lambda: refused(client, text, "SubscribeOrders", "7000001"))
        await check("user: accounts", lambda: expect(invoke(client, "SubscribeAccounts"), None))


async def expect(awaitable, value):
    same(await awaitable, value)


async def expect_length(awaitable, length):
    same(len(await awaitable), length)


async def main():
    for suite in (conformance, tokens, market, user):
        # A suite that cannot connect or end must not pass unseen.
        await check(f"{suite.__name__}: began and ended", suite, seconds=60)
    sys.exit(1 if report.failed else 0)


asyncio.run(main())
