// Microsoft's JavaScript client talks to a hub: node conversation.mjs http://127.0.0.1:PORT
//
// Everything checked here holds for ASP.NET Core's own server and for mock-hub alike, so the same run against both
// says where they differ. One line for each check; the exit code is 1 when one failed.

import * as signalR from "@microsoft/signalr";
import { randomUUID } from "node:crypto";

const base = process.argv[2]?.replace(/\/$/, "");
if (!base) {
  console.error("usage: node conversation.mjs URL");
  process.exit(2);
}

const CHECK_TIMEOUT_MS = 10_000;
let passed = 0;
let failed = 0;

async function check(name, body) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([body(), late]);
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error?.message ?? error}`);
  } finally {
    clearTimeout(timer);
  }
}

function same(actual, expected) {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new Error(`expected ${e}, received ${a}`);
}

function holds(condition, problem) {
  if (!condition) throw new Error(problem);
}

async function fails(promise, text) {
  let error;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  if (!error) throw new Error("did not fail");
  const message = error.message ?? String(error);
  if (text !== undefined && message !== text) throw new Error(`expected "${text}", failed with "${message}"`);
  return message;
}

function build(path, options = {}) {
  return new signalR.HubConnectionBuilder()
    .withUrl(base + path, { transport: signalR.HttpTransportType.WebSockets, ...options })
    .configureLogging(signalR.LogLevel.None)
    .build();
}

async function connected(path, options, use) {
  const hub = build(path, options);
  await hub.start();
  try {
    return await use(hub);
  } finally {
    await hub.stop();
  }
}

const closed = (hub) => new Promise((resolve) => hub.onclose((error) => resolve(error)));

const collect = (stream) =>
  new Promise((resolve, reject) => {
    const items = [];
    stream.subscribe({
      next: (item) => items.push(item),
      error: (error) => reject(Object.assign(error, { items })),
      complete: () => resolve(items),
    });
  });

function heard(hub, target, count = 1) {
  return new Promise((resolve) => {
    const all = [];
    const handler = (...args) => {
      all.push(args);
      if (all.length === count) {
        hub.off(target, handler);
        resolve(all);
      }
    };
    hub.on(target, handler);
  });
}

async function post(path, body) {
  return fetch(base + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

async function login() {
  const answer = await (await post("/api/Auth/loginKey", { userName: "ann", apiKey: "key" })).json();
  holds(answer.success && answer.token, `no token: ${JSON.stringify(answer)}`);
  return answer.token;
}

const withToken = (token, more = {}) => ({ accessTokenFactory: () => token, ...more });
const direct = { skipNegotiation: true };

// Invocations

await connected("/hubs/conformance", {}, async (hub) => {
  await check("negotiated connection has an id", async () => {
    holds(hub.connectionId, "no connection id");
    same((await hub.invoke("WhoAmI")).connectionId, hub.connectionId);
  });
  await check("Add", async () => same(await hub.invoke("Add", 2, 40), 42));
  await check("method names ignore case", async () => same(await hub.invoke("aDD", 1, 2), 3));
  await check("Echo of everything", async () => {
    const value = { a: [1, -2.5, null, true, "é \u001e \ud83e\udd80 \"q\" \\"], b: {}, c: [], d: "" };
    same(await hub.invoke("Echo", value), value);
  });
  await check("void is null", async () => same(await hub.invoke("Void"), null));
  await check("null is null", async () => same(await hub.invoke("Null"), null));
  await check("send gets no answer and does no harm", async () => {
    await hub.send("Throw", "unheard");
    same(await hub.invoke("Echo", 1), 1);
  });
  await check("100 at once, each its own answer", async () => {
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    same(await Promise.all(numbers.map((i) => hub.invoke("Echo", i))), numbers);
  });
  await check("a slow call holds up the next", async () => {
    const order = [];
    await Promise.all([
      hub.invoke("Delay", 100).then(() => order.push("slow")),
      hub.invoke("Add", 1, 1).then(() => order.push("quick")),
    ]);
    same(order, ["slow", "quick"]);
  });
  await check("1 MB result", async () => same((await hub.invoke("Payload", 1_000_000)).length, 1_000_000));
  await check("Dates", async () => same((await hub.invoke("Dates")).utc, "2026-11-20T14:30:00.1234567Z"));
  await check("Decimals", async () => same((await hub.invoke("Decimals")).price, 5023.25));

  // Failures

  await check("HubException is told", () =>
    fails(
      hub.invoke("ThrowHubException", "my text"),
      "An unexpected error occurred invoking 'ThrowHubException' on the server. HubException: my text",
    ));
  await check("another exception is not", () =>
    fails(hub.invoke("Throw", "secret"), "An unexpected error occurred invoking 'Throw' on the server."));
  await check("unknown method", () =>
    fails(
      hub.invoke("NoSuchMethod", 1),
      "Failed to invoke 'NoSuchMethod' due to an error on the server. HubException: Method does not exist.",
    ));
  const refused = "Failed to invoke 'Add' due to an error on the server.";
  await check("too few arguments", () => fails(hub.invoke("Add", 1), refused));
  await check("too many arguments", () => fails(hub.invoke("Add", 1, 2, 3), refused));
  await check("wrong type of argument", () => fails(hub.invoke("Add", "1", 2), refused));
  await check("fraction for an integer", () => fails(hub.invoke("Add", 1.5, 2), refused));
  await check("stream without its upload", () =>
    fails(
      hub.invoke("Upload"),
      "An unexpected error occurred invoking 'Upload' on the server. HubException: Client sent 0 stream(s), Hub method expects 1.",
    ));

  // Streams from the hub

  await check("Counter", async () => same(await collect(hub.stream("Counter", 5, 1)), [0, 1, 2, 3, 4]));
  await check("Counter of none", async () => same(await collect(hub.stream("Counter", 0, 0)), []));
  await check("5000 items in order", async () => {
    const items = await collect(hub.stream("CounterChannel", 5000, 0));
    same(items, Array.from({ length: 5000 }, (_, i) => i));
  });
  await check("stream fails after its items", async () => {
    const error = await collect(hub.stream("CounterThenThrow", 2, "boom")).catch((caught) => caught);
    same(error.items, [0, 1]);
    same(error.message, "An error occurred on the server while streaming results. HubException: boom");
  });
  await check("stream is cancelled", async () => {
    const key = randomUUID();
    await new Promise((resolve, reject) => {
      let count = 0;
      const subscription = hub.stream("Forever", key).subscribe({
        next: () => ++count === 3 && (subscription.dispose(), resolve()),
        error: reject,
        complete: () => {},
      });
    });
    while (!(await hub.invoke("WasCancelled", key))) await new Promise((resolve) => setTimeout(resolve, 10));
  });
  await check("calls go on beside a stream", async () => {
    const items = collect(hub.stream("Counter", 20, 5));
    same(await hub.invoke("Add", 1, 1), 2);
    same((await items).length, 20);
  });
  await check("invoke of a stream", () =>
    fails(
      hub.invoke("Counter", 1, 0),
      "The client attempted to invoke the streaming 'Counter' method with a non-streaming invocation.",
    ));
  await check("stream of a plain method", () =>
    fails(
      collect(hub.stream("Add", 1, 2)),
      "The client attempted to invoke the non-streaming 'Add' method with a streaming invocation.",
    ));

  // Streams to the hub

  await check("Upload", async () => {
    const numbers = new signalR.Subject();
    const sum = hub.invoke("Upload", numbers);
    for (let i = 1; i <= 100; i++) numbers.next(i);
    numbers.complete();
    same(await sum, 5050);
  });
  await check("Upload that fails", async () => {
    const numbers = new signalR.Subject();
    const sum = hub.invoke("Upload", numbers);
    numbers.next(1);
    numbers.error(new Error("client stream broke"));
    await fails(
      sum,
      "An unexpected error occurred invoking 'Upload' on the server. HubException: client stream broke",
    );
  });
  await check("Upload of the wrong type", async () => {
    const numbers = new signalR.Subject();
    const sum = hub.invoke("Upload", numbers);
    numbers.next("one");
    await fails(
      sum,
      "An unexpected error occurred invoking 'Upload' on the server. HubException: Failed to bind Stream message.",
    );
  });
  await check("Pipe", async () => {
    const words = new signalR.Subject();
    const items = collect(hub.stream("Pipe", words));
    ["one", "zwei", "três"].forEach((word) => words.next(word));
    words.complete();
    same(await items, ["ONE", "ZWEI", "TRÊS"]);
  });

  // Invocations of the client

  await check("SendBack", async () => {
    const back = heard(hub, "Back");
    await hub.invoke("SendBack", "Back", [1, "two", null, { three: 3 }]);
    same(await back, [[1, "two", null, { three: 3 }]]);
  });
  await check("Flood, in order and before its completion", async () => {
    let count = 0;
    hub.on("Drop", (i) => (i === count ? count++ : (count = NaN)));
    await hub.invoke("Flood", 1000, "Drop");
    same(count, 1000);
  });
  await check("client result", async () => {
    hub.on("Ask", (question) => ({ asked: question }));
    same(await hub.invoke("AskMe", "Ask", 7), { asked: 7 });
  });
  await check("client result, handler throws", async () => {
    hub.on("AskFails", () => {
      throw new Error("client says no");
    });
    await fails(
      hub.invoke("AskMe", "AskFails", 7),
      "An unexpected error occurred invoking 'AskMe' on the server. HubException: Error: client says no",
    );
  });
  await check("client result, nobody home", () =>
    fails(
      hub.invoke("AskMe", "NobodyHome", 7),
      "An unexpected error occurred invoking 'AskMe' on the server. HubException: Client didn't provide a result.",
    ));
  await check("client result, asked from outside", async () => {
    const answer = await post(`/control/ask?connectionId=${hub.connectionId}&target=Ask`, { deep: [1] });
    same(await answer.json(), { asked: { deep: [1] } });
  });

  // Groups

  await check("groups", () =>
    connected("/hubs/conformance", {}, async (member) => {
      const group = randomUUID();
      const strays = [];
      hub.on("News", (text) => strays.push(text));
      await member.invoke("JoinGroup", group);
      const first = heard(member, "News");
      await hub.invoke("SendToGroup", group, "News", ["hello"]);
      same(await first, [["hello"]]);
      same(strays, []);
      await member.invoke("LeaveGroup", group);
      let late = false;
      member.on("News", () => (late = true));
      await hub.invoke("SendToGroup", group, "News", ["gone"]);
      // What had been sent would have come before this answer.
      await member.invoke("Echo", 1);
      holds(!late, "received news after leaving");
    }));
  await check("SendToAll reaches the sender too", async () => {
    const target = `All-${randomUUID()}`;
    const mine = heard(hub, target);
    await hub.invoke("SendToAll", target, [1]);
    same(await mine, [[1]]);
  });
});

// Ends

await check("server aborts: the client stops for good, without an error", async () => {
  const hub = new signalR.HubConnectionBuilder()
    .withUrl(`${base}/hubs/conformance`)
    .withAutomaticReconnect([0, 0])
    .configureLogging(signalR.LogLevel.None)
    .build();
  await hub.start();
  let reconnecting = false;
  hub.onreconnecting(() => (reconnecting = true));
  const end = closed(hub);
  await hub.send("Abort");
  same(await end, undefined);
  holds(!reconnecting, "tried to reconnect");
});
await check("a dropped socket: the client reconnects under a new id", async () => {
  const hub = new signalR.HubConnectionBuilder()
    .withUrl(`${base}/hubs/conformance`)
    .withAutomaticReconnect([0, 100, 500])
    .configureLogging(signalR.LogLevel.None)
    .build();
  await hub.start();
  const before = hub.connectionId;
  const back = new Promise((resolve) => hub.onreconnected(resolve));
  await post(`/control/drop?how=tcp&connectionId=${before}`);
  const after = await back;
  holds(after && after !== before, `the id was ${before} and is ${after}`);
  same(await hub.invoke("Add", 1, 1), 2);
  await hub.stop();
});
await check("the book of connections", async () => {
  const id = await connected("/hubs/conformance", {}, async (hub) => {
    const book = await (await fetch(`${base}/control/connections`)).json();
    const entry = book.present.find((one) => one.connectionId === hub.connectionId);
    same([entry?.hub, entry?.transport], ["ConformanceHub", "WebSockets"]);
    return hub.connectionId;
  });
  for (;;) {
    const book = await (await fetch(`${base}/control/connections`)).json();
    if (book.departed.some((one) => one.connectionId === id)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

// Ways in

await check("skipNegotiation", () =>
  connected("/hubs/conformance", direct, async (hub) => {
    holds(!hub.connectionId, "has a connection id");
    same((await hub.invoke("WhoAmI")).path, "/hubs/conformance");
  }));
await check("negotiate, version 0", async () => {
  const answer = await (await post("/hubs/conformance/negotiate")).json();
  holds(answer.connectionId && !("connectionToken" in answer), JSON.stringify(answer));
});
await check("negotiate, not an integer", async () => {
  const answer = await (await post("/hubs/conformance/negotiate?negotiateVersion=x")).json();
  same(answer, { error: "The client requested a non-integer protocol version." });
});
await check("unknown id", async () => {
  const message = await fails(build("/hubs/conformance?id=nonsense", direct).start());
  holds(message.startsWith("WebSocket failed to connect."), message);
});
await check("redirect", () =>
  connected("/redirect/conformance", {}, async (hub) => same(await hub.invoke("Add", 1, 1), 2)));
await check("redirect with a token", () =>
  connected("/redirect-with-token/secure", {}, async (hub) => {
    const me = await hub.invoke("WhoAmI");
    same([me.userIdentifier, me.tokenInHeader], ["redirected", true]);
  }));
await check("redirect for ever", () =>
  fails(build("/redirect-forever").start(), "Negotiate redirection limit exceeded."));
await check("negotiate error", () => fails(build("/negotiate-error").start(), "no seats left"));
await check("negotiate with HTML", async () => {
  const message = await fails(build("/negotiate-html").start());
  holds(message.includes("Failed to complete negotiation"), message);
});
await check("negotiate with 503", async () => {
  const message = await fails(build("/negotiate-status/503").start());
  holds(message.includes("503"), message);
});
await check("no token: 401", async () => {
  same((await post("/hubs/secure/negotiate?negotiateVersion=1")).status, 401);
  await fails(build("/hubs/secure", direct).start());
});
await check("a token in the header, and one in the query", async () => {
  const token = await login();
  await connected("/hubs/secure", withToken(token), async (hub) => same((await hub.invoke("WhoAmI")).userIdentifier, "ann"));
  await connected(`/hubs/secure?access_token=${encodeURIComponent(token)}`, direct, async (hub) => {
    const me = await hub.invoke("WhoAmI");
    same([me.userIdentifier, me.tokenInQuery, me.tokenInHeader], ["ann", true, false]);
  });
});

// Stateful reconnect, where the hub was started with it

const negotiated = await post("/hubs/conformance/negotiate?negotiateVersion=1&useStatefulReconnect=true");
if ((await negotiated.json()).useStatefulReconnect) {
  await check("a lost socket is replaced, and nothing of a stream and no call is lost", async () => {
    const hub = new signalR.HubConnectionBuilder()
      .withUrl(`${base}/hubs/conformance`, { transport: signalR.HttpTransportType.WebSockets })
      .withStatefulReconnect()
      .configureLogging(signalR.LogLevel.None)
      .build();
    await hub.start();
    let ended = false;
    hub.onclose(() => (ended = true));
    const before = (await hub.invoke("WhoAmI")).connectionId;
    const drop = () => post(`/control/drop?how=tcp&connectionId=${encodeURIComponent(before)}`);
    const calls = [];
    const items = await new Promise((resolve, reject) => {
      const items = [];
      hub.stream("Counter", 100, 5).subscribe({
        next: (item) => {
          items.push(item);
          if (item === 20 || item === 60) {
            drop();
            calls.push(hub.invoke("Echo", item));
          }
        },
        error: reject,
        complete: () => resolve(items),
      });
    });
    same(items, Array.from({ length: 100 }, (_, item) => item));
    same(await Promise.all(calls), [20, 60]);
    same((await hub.invoke("WhoAmI")).connectionId, before);
    holds(!ended, "the connection was closed");
    await hub.stop();
  });
} else {
  console.log("skip  stateful reconnect: the hub does not offer it");
}

// The market

await check("quotes: a full one before the completion, then sparse ones, serials without a hole", async () => {
  const token = await login();
  await connected("/hubs/market", withToken(token, direct), async (hub) => {
    const contract = `CON.F.US.EP.${randomUUID().slice(0, 4)}`;
    const quotes = [];
    const enough = new Promise((resolve) => {
      hub.on("GatewayQuote", (id, quote) => {
        quotes.push([id, quote]);
        if (quotes.length === 4) resolve();
      });
    });
    same(await hub.invoke("SubscribeContractQuotes", contract), null);
    same(quotes.length, 1);
    const [id, first] = quotes[0];
    same(id, contract);
    for (const member of ["symbol", "lastPrice", "bestBid", "bestAsk", "open", "high", "low", "volume", "lastUpdated"])
      holds(member in first, `the first quote has no ${member}`);
    same(first.symbol, "F.US.EP");
    await enough;
    same(quotes.slice(0, 4).map(([, quote]) => quote.volume), [0, 1, 2, 3].map((i) => first.volume + i));
    holds(!("open" in quotes[1][1]), "the second quote is not sparse");
    same(await hub.invoke("UnsubscribeContractQuotes", contract), null);
    const before = quotes.length;
    await hub.invoke("SubscribeContractTrades", contract);
    await heard(hub, "GatewayTrade");
    same(quotes.length, before);
  });
});
await check("the market has its methods and no others", async () => {
  const token = await login();
  await connected("/hubs/market", withToken(token), async (hub) => {
    await fails(
      hub.invoke("SubscribeContractBars", "CON.F.US.EP.Z26"),
      "Failed to invoke 'SubscribeContractBars' due to an error on the server. HubException: Method does not exist.",
    );
    await fails(
      hub.invoke("SubscribeContractQuotes"),
      "Failed to invoke 'SubscribeContractQuotes' due to an error on the server.",
    );
  });
});
await check("user events of one account", async () => {
  const token = await login();
  await connected("/hubs/user", withToken(token), async (hub) => {
    const account = 1_000_000 + Math.floor(Math.random() * 1_000_000);
    const orders = [];
    hub.on("GatewayUserOrder", (order) => orders.push(order.data.id));
    await hub.invoke("SubscribeOrders", account);
    await fails(
      hub.invoke("SubscribeOrders", String(account)),
      "Failed to invoke 'SubscribeOrders' due to an error on the server.",
    );
    const event = (id) => ({ hub: "user", target: "GatewayUserOrder", arguments: [{ action: 1, data: { id } }] });
    await post("/control/publish", { ...event(8), group: `orders/${account + 1}` });
    await post("/control/publish", { ...event(9), group: `orders/${account}` });
    while (orders.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    same(orders, [9]);
    same(await hub.invoke("UnsubscribeOrders", account), null);
  });
});
await check("a bad token at the lenient hub: let in, then closed for good", async () => {
  const hub = build("/hubs/lenient-market", withToken("bad", direct));
  const end = closed(hub);
  // The close may come before the client calls itself connected: then it is the start that fails.
  const started = await hub.start().then(() => true, () => false);
  if (started) same(await end, undefined);
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
