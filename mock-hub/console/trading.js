// The order ticket, and the account as the user hub and REST tell it.

import { $, announce, answer, el, onceAFrame, put, rows } from "./dom.js";
import { contractOf, currentContract, formatter, hold, quoteOf } from "./market.js";
import { api } from "./rest.js";

const STATUS = ["none", "open", "filled", "cancelled", "expired", "rejected", "pending", "cancelling", "suspended"];
const LIVE = new Set([1, 6, 7, 8]);
const TYPE = { 1: "limit", 2: "market", 3: "stop limit", 4: "stop", 5: "trailing", 6: "join bid", 7: "join ask" };
const KEPT_DONE = 6;
const LONG = 1;

const accounts = new Map();
const orders = new Map();
const positions = new Map();
let link;

const account = () => Number($("account").value);

export function trading(userLink) {
  link = userLink;
  link.on("GatewayUserAccount", (event) => keep(accounts, (one) => one.id, bare(event)));
  link.on("GatewayUserOrder", (event) => order(bare(event)));
  link.on("GatewayUserPosition", (event) => position(bare(event)));
  link.onUp(() => follow());
  $("account").onchange = () => draw();
  const form = $("order");
  form.oninput = () => showTicket();
  form.onsubmit = (event) => {
    event.preventDefault();
    place(new FormData(form));
  };
  showTicket();
}

/** Events come as `{action,data}`, or bare. */
const bare = (event) => event?.data ?? event;

/** What is true now comes from REST; what changes, from the hub, which is asked first so that nothing falls between. */
async function follow() {
  const found = (await tried(api("Account/search", { onlyActiveAccounts: false })))?.accounts ?? [];
  accounts.clear();
  found.forEach((one) => accounts.set(one.id, one));
  const chosen = $("account").value;
  $("account").replaceChildren(...found.map(({ id, name }) => el("option", { value: String(id), textContent: name })));
  if (accounts.has(Number(chosen))) $("account").value = chosen;
  await link.tell("SubscribeAccounts");
  for (const { id } of found)
    for (const topic of ["Orders", "Positions", "Trades"]) await link.tell(`Subscribe${topic}`, id);
  positions.clear();
  for (const [id, one] of orders) if (LIVE.has(one.status)) orders.delete(id);
  for (const { id } of found) {
    const open = await tried(api("Order/searchOpen", { accountId: id }));
    open?.orders?.forEach((one) => orders.set(one.id, one));
    const now = await tried(api("Position/searchOpen", { accountId: id }));
    now?.positions?.forEach(position);
  }
  draw();
}

async function tried(promise) {
  try {
    return await promise;
  } catch (error) {
    announce(error.message);
    return undefined;
  }
}

function keep(map, key, value) {
  if (value?.id === undefined) return;
  map.set(key(value), value);
  draw();
}

function order(one) {
  const was = orders.get(one.id)?.status;
  keep(orders, (value) => value.id, one);
  if (one.status === was) return;
  const price = one.filledPrice ?? one.limitPrice ?? one.stopPrice;
  const at = price === undefined || price === null ? "" : ` at ${formatter(one.contractId)(price)}`;
  if (!LIVE.has(one.status)) announce(`Order ${one.id} ${STATUS[one.status] ?? one.status}${at}`);
}

function position(one) {
  const key = `${one.accountId}/${one.contractId}`;
  if (one.size > 0) positions.set(key, one);
  else positions.delete(key);
  hold([...positions.values()].map((held) => held.contractId));
  draw();
}

/** A side's word: the ticket, its button and the signs of its brackets follow it. */
function ticket() {
  const data = new FormData($("order"));
  return { side: Number(data.get("side")), type: Number(data.get("type")), size: Number(data.get("size")), data };
}

function showTicket() {
  const { side, type, size } = ticket();
  for (const field of document.querySelectorAll("#order [data-for]")) {
    const isWanted = Number(field.dataset.for) === type;
    const input = field.querySelector("input");
    field.hidden = !isWanted;
    input.required = isWanted;
    if (isWanted && !input.value) input.value = suggestion(type, side) ?? "";
  }
  const button = $("place");
  button.className = `main ${side === 0 ? "buy" : "sell"}`;
  put(button, `${side === 0 ? "Buy" : "Sell"} ${size || ""} ${type === 2 ? "at market" : TYPE[type]}`);
}

function suggestion(type, side) {
  const quote = quoteOf(currentContract());
  const tick = contractOf(currentContract())?.tickSize;
  if (!quote?.bestBid || !tick) return undefined;
  const away = 8 * tick * (side === 0 ? 1 : -1);
  const price = type === 1 ? (side === 0 ? quote.bestBid : quote.bestAsk) : quote.lastPrice + away * (type === 5 ? -1 : 1);
  return formatter(currentContract())(Math.round(price / tick) * tick);
}

async function place(data) {
  const { side, type, size } = ticket();
  const price = (name) => (data.get(name) && !$(name).closest("[hidden]") ? Number(data.get(name)) : null);
  const sign = side === 0 ? 1 : -1;
  // Bracket ticks are signed from the entry: a long position's stop lies below it.
  const bracket = (name, direction, kind) => (data.get(name) ? { ticks: direction * sign * Number(data.get(name)), type: kind } : null);
  const request = {
    accountId: account(), contractId: currentContract(), type, side, size,
    limitPrice: price("limitPrice"), stopPrice: price("stopPrice"), trailPrice: price("trailPrice"),
    stopLossBracket: bracket("stopTicks", -1, 4), takeProfitBracket: bracket("profitTicks", 1, 1),
  };
  $("place").disabled = true;
  const told = await outcome(api("Order/place", request));
  $("place").disabled = false;
  // A disabled button loses the focus that the keyboard needs for the next order.
  $("place").focus();
  answer($("order-answer"), told.good ? `Order ${told.body.orderId} is in.` : told.text, told.good);
}

async function outcome(promise) {
  try {
    const body = await promise;
    const text = `Refused (${body.errorCode})${body.errorMessage ? `: ${body.errorMessage}` : ""}`;
    return { good: body.success, body, text };
  } catch (error) {
    return { good: false, text: error.message };
  }
}

const perform = (path, request, done) => async () => {
  const told = await outcome(api(path, request));
  answer($("order-answer"), told.good ? done : told.text, told.good);
};

export const redraw = () => draw();

const draw = onceAFrame(() => {
  const own = account();
  const balance = accounts.get(own)?.balance;
  put($("balance"), balance === undefined ? "" : `$ ${balance.toLocaleString("en-US", { minimumFractionDigits: 2 })}`);
  const mine = (map) => [...map.values()].filter((one) => one.accountId === own);
  drawPositions(mine(positions));
  const byAge = mine(orders).sort((a, b) => b.id - a.id);
  const done = byAge.filter((one) => !LIVE.has(one.status));
  done.slice(KEPT_DONE).forEach((one) => orders.delete(one.id));
  drawOrders([...byAge.filter((one) => LIVE.has(one.status)), ...done.slice(0, KEPT_DONE)]);
});

function drawPositions(list) {
  const create = (one) => {
    const request = { accountId: one.accountId, contractId: one.contractId };
    const button = el("button", { type: "button", textContent: "Close", onclick: perform("Position/closeContract", request, "Closing order is in.") });
    button.setAttribute("aria-label", `Close the position in ${nameOf(one.contractId)}`);
    const cells = ["contract", "size", "average", "P&L"].map((label) => el("td", { data: { label } }));
    return el("tr", {}, ...cells, el("td", { className: "row-actions" }, button));
  };
  rows($("positions"), list, (one) => one.contractId, create, (row, one) => {
    const [contract, size, average, profit] = row.children;
    put(contract, nameOf(one.contractId));
    put(size, `${one.type === LONG ? "+" : "−"}${one.size}`);
    size.className = one.type === LONG ? "buy" : "sell";
    put(average, formatter(one.contractId)(one.averagePrice));
    const value = profitOf(one);
    put(profit, value === undefined ? "–" : value.toFixed(2));
    profit.className = value < 0 ? "sell" : "buy";
  });
}

function profitOf({ contractId, type, size, averagePrice }) {
  const last = quoteOf(contractId)?.lastPrice;
  const contract = contractOf(contractId);
  if (last === undefined || !contract) return undefined;
  return ((last - averagePrice) / contract.tickSize) * contract.tickValue * size * (type === LONG ? 1 : -1);
}

function drawOrders(list) {
  const create = (one) => {
    const cancel = el("button", { type: "button", textContent: "Cancel" });
    cancel.onclick = perform("Order/cancel", { accountId: one.accountId, orderId: one.id }, `Order ${one.id} is being cancelled.`);
    cancel.setAttribute("aria-label", `Cancel order ${one.id}`);
    const cells = ["order", "", "price", "status"].map((label) => el("td", { className: label ? "tight" : "", data: label ? { label } : {} }));
    return el("tr", {}, ...cells, el("td", { className: "row-actions" }, cancel));
  };
  rows($("orders"), list, (one) => one.id, create, (row, one) => {
    const [id, what, price, status, action] = row.children;
    put(id, String(one.id));
    put(what, `${one.side === 0 ? "buy" : "sell"} ${one.size} ${nameOf(one.contractId)} ${TYPE[one.type] ?? one.type}`);
    what.className = one.side === 0 ? "buy" : "sell";
    put(price, formatter(one.contractId)(one.filledPrice ?? one.limitPrice ?? one.stopPrice));
    put(status, STATUS[one.status] ?? String(one.status));
    action.firstChild.hidden = !LIVE.has(one.status);
  });
}

const nameOf = (contract) => contractOf(contract)?.name ?? contract;
