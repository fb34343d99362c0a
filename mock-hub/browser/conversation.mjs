// Microsoft's JavaScript client talks to a hub, in Chromium: node conversation.mjs http://127.0.0.1:PORT
//
// The checks are those of ../js/conversation.mjs, run inside a page of the hub's own origin with the browser bundle of
// the same client. A browser cannot set headers on a WebSocket: there the token travels in the query.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { hubUrl, launch } from "./chromium.mjs";

const TIMEOUT_MS = 180_000;
const url = hubUrl();

/** Where the same check means something else in a browser; each must be there to be changed. */
const DIFFERENCES = [
  ['same([me.userIdentifier, me.tokenInHeader], ["redirected", true]);', 'same([me.userIdentifier, me.tokenInQuery], ["redirected", true]);'],
];

async function checks() {
  let script = await readFile(new URL("../js/conversation.mjs", import.meta.url), "utf8");
  for (const [node, browser] of DIFFERENCES) {
    if (!script.includes(node)) throw new Error(`../js/conversation.mjs has changed; not found: ${node}`);
    script = script.replace(node, browser);
  }
  return script;
}

const files = {
  "conversation.js": await checks(),
  "signalr.js": "export const { HubConnectionBuilder, HttpTransportType, LogLevel, Subject } = globalThis.signalR;",
  "crypto.js": "export const randomUUID = () => crypto.randomUUID();",
};
const MAP = { "@microsoft/signalr": "/conversation/signalr.js", "node:crypto": "/conversation/crypto.js" };

const browser = await launch();
const page = await browser.newPage();
await page.route("**/conversation/*", (route) => {
  const body = files[new URL(route.request().url()).pathname.split("/").at(-1)];
  return body === undefined ? route.abort() : route.fulfill({ contentType: "text/javascript", body });
});
page.on("console", (message) => message.type() === "log" && console.log(message.text()));
page.on("pageerror", (error) => console.log(`FAIL  ${error}`));

// The page itself must be the hub's: Chromium lets no other into the local network.
await page.goto(`${url}/control/connections`);
await page.addScriptTag({ path: fileURLToPath(new URL("../console/vendor/signalr.min.js", import.meta.url)) });
const code = await new Promise((resolve, reject) => {
  setTimeout(() => resolve("time is over"), TIMEOUT_MS).unref();
  page.exposeFunction("done", resolve).then(() => page.evaluate(begin, MAP)).catch(reject);
});
await browser.close();
if (code !== 0) console.log(`FAIL  the conversation ended with ${code}`);
process.exit(code === 0 ? 0 : 1);

/** Runs in the page. */
function begin(imports) {
  globalThis.process = { argv: ["", "", location.origin], exit: (code) => globalThis.done(code) };
  const map = Object.assign(document.createElement("script"), { type: "importmap", textContent: JSON.stringify({ imports }) });
  const script = Object.assign(document.createElement("script"), { type: "module", src: "/conversation/conversation.js" });
  document.head.append(map, script);
}
