// The console: puts the parts together, and listens to the keyboard.

import { $, announce } from "./dom.js";
import { faults } from "./faults.js";
import { journal, pause } from "./journal.js";
import { Link } from "./links.js";
import { market, offer, rateIs } from "./market.js";
import { actAs, api } from "./rest.js";
import { snippets } from "./snippets.js";
import { redraw, trading } from "./trading.js";
import { watch } from "./view.js";

const watching = new Link("console", { insists: true });
const prices = new Link("market", { withToken: true });
const own = new Link("user", { withToken: true });

watch(watching, rateIs, () => new Set([watching, prices, own].map((link) => link.hub.connectionId)));
journal(watching);
market(prices, redraw);
trading(own);
theme(localStorage.getItem("theme"));
begin();

async function begin() {
  await watching.start();
  const about = await watching.hub.invoke("About");
  actAs(about.user);
  snippets(about.user);
  faults();
  prices.start();
  own.start();
  const found = await api("Contract/available", { live: false }).catch((error) => announce(error.message));
  offer(found?.contracts ?? [{ id: "CON.F.US.EP.Z26", name: "ESZ6", tickSize: 0.25, tickValue: 12.5 }]);
}

function theme(name) {
  if (name) document.documentElement.dataset.theme = name;
}

function changeTheme() {
  const isDark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const next = isDark ? "light" : "dark";
  theme(next);
  localStorage.setItem("theme", next);
  announce(`${next} colours`);
}

const side = (value) => () => {
  const radio = document.querySelector(`#order [name="side"][value="${value}"]`);
  radio.checked = true;
  radio.focus();
  radio.dispatchEvent(new Event("input", { bubbles: true }));
};

const go = (id, field) => () => {
  $(id).scrollIntoView({ block: "nearest" });
  $(field ?? id).focus();
};

const keys = {
  m: go("market", "contract"),
  o: go("ticket", "size"),
  b: side(0),
  s: side(1),
  a: go("holdings"),
  c: go("connections"),
  f: go("faults", "fault-name"),
  l: go("journal", "lines"),
  p: pause,
  t: changeTheme,
  "?": () => $("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input:not([type=radio], [type=checkbox], [type=range]), select, textarea");
  if (event.key === "Escape" && isTyping) return event.target.blur();
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const run = keys[event.key];
  if (!run) return;
  event.preventDefault();
  run();
});
$("help-open").onclick = keys["?"];
$("theme").onclick = changeTheme;
