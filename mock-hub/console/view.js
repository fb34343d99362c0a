// What the hub says of itself twice a second: totals, connections, event rates, subscriptions.

import { $, announce, bytes, duration, el, put, rows, spark, sparkline, whole } from "./dom.js";
import { control } from "./rest.js";

const INTERVAL_MS = 500;
const KEPT_RATES = 60;

let before;
let own = new Set();
const history = new Map();
export const seen = { connections: [] };

export function watch(link, rateIs, ownIds) {
  link.onUp(() => {
    before = undefined;
    link.hub.stream("Watch", INTERVAL_MS).subscribe({ next, error() {}, complete() {} });
  });
  const next = (view) => {
    rateIs(view.rate);
    show(view, ownIds());
  };
  $("drop-all").onclick = () => act("drop?how=tcp", undefined, "every connection dropped");
}

function show(view, ownIds) {
  own = ownIds;
  const seconds = before ? (view.uptimeMs - before.uptimeMs) / 1000 : 0;
  // A hub that began anew counts anew.
  if (seconds < 0) before = undefined;
  const rate = (now, then) => (seconds > 0 && then !== undefined ? Math.max(0, now - then) / seconds : 0);
  const published = (one) => one?.targets.reduce((sum, target) => sum + target.published, 0);
  put($("total-open"), whole(view.open));
  put($("total-events"), whole(rate(published(view), published(before))));
  put($("total-bytes"), `${bytes(rate(view.bytesOut, before?.bytesOut))}/s`);
  put($("total-uptime"), duration(view.uptimeMs));
  showRates(view, rate);
  showConnections(view, rate);
  showGroups(view);
  seen.connections = view.connections;
  before = view;
}

function showRates(view, rate) {
  const known = new Map(before?.targets.map((target) => [target.target, target.published]));
  for (const { target, published } of view.targets) {
    const rates = history.get(target) ?? [];
    rates.push(rate(published, known.get(target)));
    history.set(target, rates.slice(-KEPT_RATES));
  }
  const shown = view.targets.filter(({ target, published }) => published > 0 || target.startsWith("Gateway"));
  const create = ({ target }) => el("li", {}, el("span", { textContent: target }), sparkline(), el("b"));
  rows($("rate-rows"), shown, (one) => one.target, create, (row, { target }) => {
    const rates = history.get(target);
    spark(row.children[1], rates);
    put(row.children[2], tenths(rates.at(-1)));
  });
}

function showConnections(view, rate) {
  const sent = new Map(before?.connections.map((one) => [one.id, one.recordsOut]));
  const withOwn = $("show-own").checked;
  const shown = view.connections.filter((one) => withOwn || !own.has(one.id));
  $("no-connections").hidden = shown.length > 0;
  const labels = ["", "hub", "user", "age", "transport", "subscriptions", "records/s", "waiting"];
  const create = (one) => {
    const cells = labels.map((label) => el("td", { className: label === "subscriptions" ? "" : "tight", data: label ? { label } : {} }));
    cells[0].append(el("code", { textContent: one.id.slice(0, 8), title: one.id }));
    return el("tr", {}, ...cells, el("td", { className: "row-actions" }, ...actions(one)));
  };
  rows($("connection-rows"), shown, (one) => one.id, create, (row, one) => {
    const [, hub, user, age, transport, subscriptions, records, waiting] = row.children;
    put(hub, own.has(one.id) ? `${one.hub} (this page)` : one.hub);
    put(user, one.user ?? "–");
    put(age, duration(one.ageMs));
    put(transport, one.silent ? "WebSockets, silent" : one.transport);
    const more = one.subscriptionCount - one.subscriptions.length;
    put(subscriptions, one.subscriptions.join(", ") + (more > 0 ? `, ${more} more` : "") || "–");
    put(records, tenths(rate(one.recordsOut, sent.get(one.id))));
    put(waiting, bytes(one.queuedBytes));
  });
}

function actions({ id, hub }) {
  const short = id.slice(0, 8);
  const query = `&connectionId=${encodeURIComponent(id)}`;
  const button = (textContent, label, run) => {
    const made = el("button", { type: "button", textContent, title: label, onclick: run });
    made.setAttribute("aria-label", `${textContent} ${hub} ${short}`);
    return made;
  };
  const stall = { fault: { stall: { direction: "both" } }, scope: { connection: id }, lasts: "10s" };
  return [
    button("Drop", "End the socket without a word", () => act(`drop?how=tcp${query}`, undefined, `${short} dropped`)),
    button("Close", "Say goodbye for good", () => act(`drop?how=close${query}`, undefined, `${short} closed`)),
    button("Stall", "Let nothing through for 10 s", () => act("faults", stall, `${short} stalled for 10 s`)),
  ];
}

async function act(path, body, done) {
  try {
    await control(path, body);
    announce(done);
  } catch (error) {
    announce(`not done: ${error.message}`);
  }
}

function showGroups(view) {
  const name = ({ hub, group }) => `${hub}/${group}`;
  // The part that all of TopstepX's contracts share would hide what tells them apart.
  const create = (one) => el("li", { title: name(one) }, name(one).replace("CON.F.US.", ""), el("b"));
  rows($("group-rows"), view.groups, name, create, (row, { members }) => put(row.lastChild, String(members)));
}

const tenths = (value) => (value < 100 ? value.toFixed(1) : whole(value));
