// Every fault the hub knows, as a form made from its catalogue; the rules that hold; and some buttons for the usual.

import { $, announce, answer, el, put, rows } from "./dom.js";
import { control } from "./rest.js";
import { seen } from "./view.js";

const POLL_MS = 1500;
const HUBS = ["market", "user", "conformance", "secure", "lenient-market", "console"];
const QUICK = [
  ["Reset all", { fault: { drop: { how: "reset" } } }],
  ["Close, come again", { fault: { "close-record": { "allow-reconnect": true } } }],
  ["Close for good", { fault: "close-record" }],
  ["Stall 10 s", { fault: { stall: { direction: "both" } }, scope: { hub: "market" }, lasts: "10s" }],
  ["No new connections 5 s", { fault: "refuse-connections", lasts: "5s" }],
  ["Lose 1 quote in 10", { fault: { "lost-events": { group: "quotes/" } }, share: 0.1, lasts: "10s" }],
  ["Garbage record", { fault: "malformed-record", scope: { hub: "market" }, times: 1 }],
  ["REST 503 × 3", { fault: { "rest-status": { status: 503 } }, times: 3 }],
];

let catalogue = [];

export async function faults() {
  catalogue = (await control("faults/catalogue", undefined, "GET").catch(() => [])) ?? [];
  const groups = catalogue.map(({ group, faults }) => {
    const part = el("optgroup", { label: group });
    part.append(...faults.map(({ name }) => el("option", { value: name, textContent: name.replaceAll("-", " ") })));
    return part;
  });
  $("fault-name").replaceChildren(...groups);
  $("fault-name").onchange = showFields;
  $("fault-scope").onfocus = showScopes;
  $("fault").onsubmit = (event) => {
    event.preventDefault();
    inject(rule());
  };
  $("heal-all").onclick = async () => {
    await control("faults", undefined, "DELETE").catch((error) => announce(error.message));
    announce("everything healed");
    poll();
  };
  $("quick").append(...QUICK.map(([textContent, quick]) => el("button", { type: "button", className: "small", textContent, onclick: () => inject(quick) })));
  showScopes();
  showFields();
  setInterval(poll, POLL_MS);
}

const chosen = () => catalogue.flatMap(({ faults }) => faults).find(({ name }) => name === $("fault-name").value);

function showFields() {
  const fault = chosen();
  if (!fault) return;
  put($("fault-about"), fault.about);
  const fields = (fault.fields ?? []).map((field) => {
    const id = `fault-field-${field.name}`;
    return el("div", {}, el("label", { htmlFor: id, textContent: field.name.replaceAll("-", " ") }), input(field, id));
  });
  $("fault-fields").replaceChildren(...fields);
  $("fault-scope").disabled = Boolean(fault.everyone);
}

function input(field, id) {
  const { kind, required, initial, choices, hint } = field;
  if (choices) {
    const options = choices.map((value) => el("option", { value, textContent: value, selected: value === initial }));
    if (!required) options.unshift(el("option", { value: "", textContent: "default" }));
    return el("select", { id }, ...options);
  }
  const type = kind === "number" ? "number" : "text";
  const made = el("input", { id, type, required: Boolean(required), value: initial ?? "", placeholder: hint ?? "default" });
  if (kind === "number") made.min = "0";
  return made;
}

function showScopes() {
  const before = $("fault-scope").value;
  const choices = [["", "everyone"], ...HUBS.map((hub) => [`hub:${hub}`, `hub ${hub}`])];
  for (const { id, hub } of seen.connections) choices.push([`connection:${id}`, `${hub} ${id.slice(0, 8)}`]);
  $("fault-scope").replaceChildren(...choices.map(([value, textContent]) => el("option", { value, textContent })));
  if (choices.some(([value]) => value === before)) $("fault-scope").value = before;
}

/** The form as a rule. */
function rule() {
  const fault = chosen();
  const settings = {};
  for (const field of fault.fields ?? []) {
    const value = $(`fault-field-${field.name}`).value;
    if (value !== "") settings[field.name] = read(field.kind, value);
  }
  const made = { fault: Object.keys(settings).length ? { [fault.name]: settings } : fault.name };
  const [kind, name] = $("fault-scope").value.split(/:(.*)/);
  if (kind && !fault.everyone) made.scope = { [kind]: name };
  if ($("fault-times").value) made.times = Number($("fault-times").value);
  for (const time of ["after", "lasts"]) if ($(`fault-${time}`).value) made[time] = $(`fault-${time}`).value;
  return made;
}

function read(kind, value) {
  switch (kind) {
    case "number": return Number(value);
    case "flag": return value === "true";
    case "retry": return { seconds: Number(value) };
    case "lines": return value.split("\n");
    case "json":
      try {
        return JSON.parse(value);
      } catch {
        return value;
      }
    default: return value;
  }
}

async function inject(made) {
  try {
    await control("faults", made);
    answer($("fault-answer"), `In: ${describe(made)}`, true);
  } catch (error) {
    answer($("fault-answer"), error.message, false);
  }
  poll();
}

function describe({ fault, scope, times, after, lasts, share }) {
  const [name, settings] = typeof fault === "string" ? [fault, {}] : Object.entries(fault)[0];
  const parts = Object.entries(settings ?? {}).filter(([, value]) => value !== null && value !== "");
  const [kind, whom] = Object.entries(typeof scope === "object" && scope ? scope : {})[0] ?? [];
  return [
    name.replaceAll("-", " "),
    ...parts.map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`),
    kind ? `for ${kind} ${whom.slice(0, 14)}` : "",
    share ? `${share * 100} %` : "",
    after ? `after ${after}` : "",
    lasts ? `for ${lasts}` : "",
    times ? `${times} times` : "",
  ].filter(Boolean).join(", ");
}

async function poll() {
  if (document.hidden) return;
  const reports = await control("faults", undefined, "GET").catch(() => []);
  const list = (Array.isArray(reports) ? reports : (reports?.rules ?? [])).filter(({ phase }) => phase !== "over");
  const create = ({ id }) => {
    const heal = el("button", { type: "button", className: "small", textContent: "Heal" });
    heal.setAttribute("aria-label", `Heal rule ${id}`);
    heal.onclick = async () => {
      await control(`faults/${id}`, undefined, "DELETE").catch((error) => announce(error.message));
      poll();
    };
    return el("li", {}, el("span"), heal);
  };
  rows($("rules"), list, ({ id }) => id, create, (row, { rule, acted, phase }) => {
    put(row.firstChild, `${describe(rule ?? {})} · ${phase}, acted ${acted}×`);
  });
}
