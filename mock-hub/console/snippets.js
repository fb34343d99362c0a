// Lines to paste into a terminal or a program.

import { $, announce, el } from "./dom.js";

export function snippets(user) {
  const base = location.origin;
  const list = [
    ["Hubs", `${base}/hubs/market  ${base}/hubs/user`],
    ["Token", `TOKEN=$(curl -sX POST '${base}/control/token?user=${encodeURIComponent(user)}')`],
    ["Accounts", `curl -s ${base}/api/Account/search -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"onlyActiveAccounts":true}'`],
    ["What is true", `curl -s '${base}/control/truth'`],
    ["A fault", `curl -s ${base}/control/faults -H 'Content-Type: application/json' -d '{"fault":{"drop":{"how":"reset"}},"scope":{"hub":"market"}}'`],
    ["Stand still", `curl -sX POST '${base}/control/market?rate=0'`],
    ["Metrics", `curl -s ${base}/metrics`],
  ];
  $("snippet-rows").append(...list.map(([name, text]) => {
    const copy = el("button", { type: "button", className: "small", textContent: "Copy" });
    copy.setAttribute("aria-label", `Copy: ${name}`);
    copy.onclick = async () => {
      await navigator.clipboard.writeText(text).then(() => announce(`${name} copied`), () => announce("the clipboard is closed to this page"));
    };
    return el("li", {}, el("span", { textContent: name }), el("code", { textContent: text }), copy);
  }));
}
