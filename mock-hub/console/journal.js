// The hub's log, line by line, with a filter and a pause.

import { $, announce, el, put } from "./dom.js";

const KEPT_LINES = 500;

let paused = false;
let held = [];

export function journal(link) {
  link.onUp(() => {
    // The hub tells its log from the beginning: it may be another hub on the same port.
    held = [];
    $("line-list").replaceChildren();
    link.hub.stream("Log", 0).subscribe({ next: take, error() {}, complete() {} });
  });
  $("pause").onclick = () => pause();
  $("filter").oninput = () => [...$("line-list").children].forEach(filter);
}

export function pause() {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  showPause();
  announce(paused ? "log paused" : "log goes on");
  if (!paused) held.splice(0).forEach(append);
}

function take(entry) {
  if (!paused) return append(entry);
  held.push(entry);
  if (held.length > KEPT_LINES) held.shift();
  showPause();
}

function showPause() {
  put($("pause"), paused ? `Go on${held.length ? ` (${held.length})` : ""}` : "Pause");
}

function append({ at, level, kind, text }) {
  const [pane, list] = [$("lines"), $("line-list")];
  const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
  const time = el("time", { dateTime: at, textContent: at.slice(11, 23).replace("Z", "") });
  const line = el("li", { className: level }, time, el("span", { className: "kind", textContent: kind.replaceAll("-", " ") }), el("span", { className: "text", textContent: text }));
  filter(line);
  list.append(line);
  if (list.children.length > KEPT_LINES) list.firstChild.remove();
  if (atEnd) pane.scrollTop = pane.scrollHeight;
}

function filter(line) {
  const wanted = $("filter").value.trim().toLowerCase();
  line.hidden = wanted !== "" && !line.textContent.toLowerCase().includes(wanted);
}
