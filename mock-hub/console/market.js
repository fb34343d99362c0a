// One contract in detail: the merged quote, the depth ladder, the tape. And the quotes of whatever else is held.

import { $, announce, el, onceAFrame, put, rows, spark, whole } from "./dom.js";
import { control } from "./rest.js";

const RATES = [0, 1, 4, 10, 42, 100, 500, 2000, 10_000, 50_000];
const LEVELS = 6;
const KEPT_PRICES = 240;
const KEPT_TRADES = 12;
const ASK = new Set([1, 3, 10]);
const BID = new Set([2, 4, 9]);
const RESET = 6;

const quotes = new Map();
const contracts = new Map();
const held = new Set();
const book = { bids: new Map(), asks: new Map() };
let link;
let current;
let prices = [];
let trades = [];
let onQuote = () => {};

/** The merged quote of a contract that is followed. */
export const quoteOf = (contract) => quotes.get(contract);
export const contractOf = (id) => contracts.get(id);
export const currentContract = () => current;

export function market(marketLink, changed) {
  link = marketLink;
  onQuote = changed;
  link.on("GatewayQuote", quote);
  link.on("GatewayTrade", (contract, data) => each(contract, data, trade));
  link.on("GatewayDepth", (contract, data) => each(contract, data, depth));
  link.onUp(() => {
    forget();
    if (current) subscribe(current);
    held.forEach((contract) => link.tell("SubscribeContractQuotes", contract));
  });
  $("contract").onchange = () => choose($("contract").value);
  const rate = $("rate");
  rate.oninput = () => showRate();
  rate.onchange = async () => {
    await control(`market?rate=${RATES[rate.value]}`).catch((error) => announce(`rate: ${error.message}`));
  };
  showRate();
}

export function offer(list) {
  list.forEach((contract) => contracts.set(contract.id, contract));
  const options = list.map(({ id, name, description }) => {
    const what = description?.split(":")[0];
    return el("option", { value: id, textContent: what ? `${name} · ${what}` : name });
  });
  $("contract").replaceChildren(...options);
  const first = list.find(({ id }) => id.startsWith("CON.F.US.EP.")) ?? list[0];
  if (first) choose(first.id);
}

/** Shows the rate that the hub has, where it is one of those the slider knows. */
export function rateIs(value) {
  if (document.activeElement === $("rate")) return;
  const nearest = RATES.reduce((best, rate, index) => (Math.abs(rate - value) < Math.abs(RATES[best] - value) ? index : best), 0);
  $("rate").value = nearest;
  showRate();
}

/** Follows the quotes of the contracts that positions are in. */
export function hold(wanted) {
  for (const contract of wanted) {
    if (held.has(contract)) continue;
    held.add(contract);
    if (contract !== current) link.tell("SubscribeContractQuotes", contract);
  }
}

async function choose(contract) {
  if (current === contract) return;
  const old = current;
  current = contract;
  forget();
  $("contract").value = contract;
  if (old) {
    for (const topic of ["Trades", "MarketDepth"]) await link.tell(`UnsubscribeContract${topic}`, old);
    if (!held.has(old)) await link.tell("UnsubscribeContractQuotes", old);
  }
  await subscribe(contract);
  onQuote();
}

async function subscribe(contract) {
  for (const topic of ["Quotes", "Trades", "MarketDepth"]) await link.tell(`SubscribeContract${topic}`, contract);
}

function forget() {
  book.bids.clear();
  book.asks.clear();
  prices = [];
  trades = [];
  draw();
}

function showRate() {
  const rate = RATES[$("rate").value];
  const text = rate === 0 ? "standing still" : `${whole(rate)} quotes/s`;
  put($("rate-value"), text);
  $("rate").setAttribute("aria-valuetext", text);
}

/** Quotes are sparse: what is missing or null stands as it was. */
function quote(contract, data) {
  const merged = quotes.get(contract) ?? {};
  for (const part of Array.isArray(data) ? data : [data])
    for (const [member, value] of Object.entries(part ?? {})) if (value !== null) merged[member] = value;
  quotes.set(contract, merged);
  if (contract === current && merged.lastPrice !== undefined) {
    prices.push(merged.lastPrice);
    if (prices.length > KEPT_PRICES) prices.shift();
  }
  draw();
}

function each(contract, data, use) {
  if (contract !== current) return;
  for (const row of Array.isArray(data) ? data : [data]) if (row) use(row);
  draw();
}

function trade(row) {
  trades.unshift(row);
  if (trades.length > KEPT_TRADES) trades.pop();
}

function depth({ type, price, volume }) {
  if (type === RESET) {
    book.bids.clear();
    book.asks.clear();
  }
  const side = ASK.has(type) ? book.asks : BID.has(type) ? book.bids : undefined;
  if (!side) return;
  if (volume > 0) side.set(price, volume);
  else side.delete(price);
}

const draw = onceAFrame(() => {
  const q = quotes.get(current) ?? {};
  const form = formatter(current);
  put($("last"), form(q.lastPrice));
  const change = $("change");
  change.className = `change ${q.change < 0 ? "sell" : "buy"}`;
  const percent = q.changePercent === undefined ? "" : ` (${q.changePercent.toFixed(2)} %)`;
  put(change, q.change === undefined ? "" : `${q.change < 0 ? "" : "+"}${form(q.change)}${percent}`);
  for (const [id, value] of [["bid", q.bestBid], ["ask", q.bestAsk], ["high", q.high], ["low", q.low]]) put($(id), form(value));
  put($("volume"), q.volume === undefined ? "–" : whole(q.volume));
  if (prices.length > 1) spark($("price-line"), prices, false);
  drawLadder(form);
  drawTape(form);
  onQuote();
});

function drawLadder(form) {
  const asks = [...book.asks].sort(([a], [b]) => a - b).slice(0, LEVELS);
  const bids = [...book.bids].sort(([a], [b]) => b - a).slice(0, LEVELS);
  const most = Math.max(1, ...asks.map(([, size]) => size), ...bids.map(([, size]) => size));
  const levels = [
    ...asks.reverse().map(([price, size], index) => ({ price, size, isAsk: true, best: index === asks.length - 1 })),
    ...bids.map(([price, size], index) => ({ price, size, isAsk: false, best: index === 0 })),
  ];
  const create = () => el("tr", {}, sized(), el("td"), sized());
  rows($("ladder"), levels.map((level, index) => ({ ...level, index })), (level) => level.index, create, (row, level) => {
    const [bid, price, ask] = row.children;
    row.className = level.best ? "best" : "";
    put(price, form(level.price));
    size(bid, level.isAsk ? 0 : level.size, most);
    size(ask, level.isAsk ? level.size : 0, most);
  });
}

const sized = () => el("td", {}, el("i"), el("span"));

function size(cell, value, most) {
  put(cell.lastChild, value ? whole(value) : "");
  cell.firstChild.style.width = `${Math.round((value / most) * 100)}%`;
}

function drawTape(form) {
  const create = () => el("tr", {}, el("td"), el("td"), el("td"));
  rows($("tape"), trades.map((trade, index) => ({ ...trade, index })), (one) => one.index, create, (row, one) => {
    row.className = one.type === 1 ? "sell" : "buy";
    put(row.children[0], String(one.timestamp ?? "").slice(11, 19));
    put(row.children[1], form(one.price));
    row.children[1].className = one.type === 1 ? "sell" : "buy";
    put(row.children[2], whole(one.volume ?? 0));
  });
}

/** Prices with the decimals of the contract's tick. */
export function formatter(contract) {
  const tick = contracts.get(contract)?.tickSize ?? 0.01;
  const [, exponent = "0"] = tick.toExponential().split("e-");
  const digits = tick.toExponential().split("e")[0].replace(".", "").length - 1 + Number(exponent);
  return (price) => (price === undefined || price === null ? "–" : Number(price).toFixed(Math.min(digits, 10)));
}
