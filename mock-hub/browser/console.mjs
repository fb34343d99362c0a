// The live console, in Chromium: node console.mjs http://127.0.0.1:PORT [DIRECTORY for screenshots]

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { check, finish, holds, hubUrl, launch, until } from "./chromium.mjs";
import { guests } from "./guests.mjs";

const url = hubUrl();
const pictures = process.argv[3];
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const DESK = { width: 1440, height: 1560 };
const PHONE = { width: 375, height: 812 };

const browser = await launch();
const complaints = [];

/** Opens the console; whatever the browser complains of is a failure, but for what a fault is meant to cause. */
async function open(options = {}) {
  const context = await browser.newContext({ viewport: DESK, colorScheme: "dark", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(`${message.text()} ${message.location().url}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
  });
  await page.goto(url);
  return page;
}

const text = (page, selector) => page.textContent(selector);
const state = (page, name) => page.getAttribute(`[data-link="${name}"]`, "data-state");
const connected = (page) =>
  until(
    async () => (await Promise.all(["console", "market", "user"].map((name) => state(page, name)))).every((one) => one === "connected"),
    "not all three connections came up",
  );

/** Remembers every state that one of the page's connections goes through. */
const record = (page, name) =>
  page.evaluate((name) => {
    const sign = document.querySelector(`[data-link="${name}"]`);
    globalThis.states = [];
    new MutationObserver(() => globalThis.states.push(sign.dataset.state)).observe(sign, { attributeFilter: ["data-state"] });
  }, name);

const states = (page) => page.evaluate(() => globalThis.states);
const cameBack = (page) =>
  until(async () => (await states(page)).join().includes("reconnecting,connected"), async () => `went through ${await states(page)}`);

/** The size of the first position, negative when it is short. */
const held = async (page) => {
  const sizes = await page.locator("#positions td:nth-child(2)").allTextContents();
  return Number((sizes[0] ?? "0").replace("−", "-"));
};

async function isAccessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.filter(({ impact }) => impact !== "minor").map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes[0].html.slice(0, 120)}`);
  holds(told.length === 0, `${what}: ${told.join("; ")}`);
}

const isNotTooWide = async (page) => {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  holds(content <= window, `the page is ${content} wide, its window ${window}`);
};

const visitors = await guests(browser, url);
const page = await open();

await check("the page comes up and connects", () => connected(page));

await check("live values: a quote, a book, trades, rates", async () => {
  const first = await until(async () => /^\d/.test(await text(page, "#last")) && (await text(page, "#last")), "no price");
  await until(async () => (await text(page, "#volume")) !== "–", "no volume");
  await until(async () => (await page.locator("#ladder tr").count()) >= 8, "no book");
  await until(async () => (await page.locator("#tape tr").count()) >= 3, "no trades");
  const quotes = () => page.locator("#rate-rows li", { hasText: "GatewayQuote" }).locator("b").textContent();
  await until(async () => parseFloat(await quotes()) > 0, "no rate of quotes");
  await until(async () => (await text(page, "#last")) !== first, `the price stays at ${first}`);
});

await check("other connections are listed with what they follow", async () => {
  await until(async () => (await page.locator("#connection-rows tr").count()) >= visitors.count, "too few rows");
  await until(async () => (await text(page, "#connection-rows")).includes("quotes/"), "no subscriptions");
});

await check("an order by keyboard alone is placed and filled", async () => {
  await until(async () => (await page.locator("#account option").count()) > 0, "no accounts");
  const before = await held(page);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("b");
  await page.keyboard.press("o");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("2");
  await page.keyboard.press("Enter");
  await until(async () => (await text(page, "#order-answer")).includes("is in"), () => text(page, "#order-answer"));
  await until(async () => (await text(page, "#orders")).includes("filled"), () => text(page, "#orders"));
  await until(async () => (await held(page)) === before + 2, "the position is not larger by 2");
});

await check("a limit order waits, and is cancelled by keyboard", async () => {
  await page.keyboard.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("s");
  await page.selectOption("#type", "1");
  const ask = parseFloat(await text(page, "#ask"));
  await page.fill("#limitPrice", String(ask + 50));
  await page.focus("#size");
  await page.fill("#size", "1");
  // What the order before this one was told must not be taken for its answer.
  await page.evaluate(() => (document.getElementById("order-answer").textContent = ""));
  await page.keyboard.press("Enter");
  const [, id] = await until(async () => (await text(page, "#order-answer")).match(/Order (\d+) is in/), () => text(page, "#order-answer"));
  const order = page.locator("#orders tr", { hasText: id });
  await until(async () => (await order.textContent()).includes("limit") && (await order.textContent()).includes("open"), () => order.textContent());
  await order.locator("button").focus();
  await page.keyboard.press("Enter");
  await until(async () => (await order.textContent()).includes("cancelled"), () => order.textContent());
  await page.selectOption("#type", "2");
});

await check("help opens and closes by keyboard, and the focus returns", async () => {
  await page.focus("#theme");
  await page.keyboard.press("?");
  holds(await page.locator("#help[open]").count(), "no help");
  await isAccessible(page, "help");
  await page.keyboard.press("Escape");
  holds(!(await page.locator("#help[open]").count()), "help stays");
  holds(await page.evaluate(() => document.activeElement.id === "theme"), "the focus went elsewhere");
});

await check("every control can be reached with Tab, and shows it", async () => {
  await page.evaluate(() => document.activeElement.blur());
  const reached = new Set();
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    const id = await page.evaluate(() => {
      // Behind the last control comes the browser's own frame.
      if (document.activeElement === document.body) return "";
      const { outlineStyle } = getComputedStyle(document.activeElement.name === "side" ? document.activeElement.nextElementSibling : document.activeElement);
      return outlineStyle === "none" ? `!${document.activeElement.outerHTML.slice(0, 80)}` : document.activeElement.id;
    });
    holds(!id.startsWith("!"), `no outline: ${id}`);
    reached.add(id);
  }
  for (const id of ["contract", "rate", "account", "type", "size", "place", "drop-all", "fault-name", "filter", "pause", "lines"])
    holds(reached.has(id), `${id} is out of reach`);
});

await check("the log can be filtered and paused", async () => {
  await page.fill("#filter", "connection opened");
  const shown = await page.locator("#lines li:visible").allTextContents();
  holds(shown.length > 0 && shown.every((line) => line.includes("connection opened")), `shown: ${shown.slice(0, 3)}`);
  await page.fill("#filter", "");
  await page.click("#pause");
  const before = await page.locator("#lines li").count();
  await fetch(`${url}/control/token?user=somebody`, { method: "POST" });
  await until(async () => (await text(page, "#pause")).includes("("), "nothing is held back");
  holds((await page.locator("#lines li").count()) === before, "the log went on");
  await page.click("#pause");
  await until(async () => (await page.locator("#lines li").count()) > before, "the log does not go on");
});

await check("the market's rate follows the slider", async () => {
  await page.focus("#rate");
  await page.keyboard.press("Home");
  const volume = await until(async () => {
    const before = await text(page, "#volume");
    await new Promise((resolve) => setTimeout(resolve, 700));
    return (await text(page, "#volume")) === before && before;
  }, "the market does not stand still");
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  await until(async () => (await text(page, "#volume")) !== volume, "the market does not go on");
});

if (pictures) await take();

await check("the page is accessible, dark and light, large and small", async () => {
  await isAccessible(page, "dark");
  const small = await open({ viewport: PHONE, colorScheme: "light" });
  await connected(small);
  await until(async () => (await small.locator("#ladder tr").count()) >= 8, "no book");
  await isNotTooWide(small);
  await isAccessible(small, "light, small");
  if (pictures) await small.screenshot({ path: `${pictures}/console-phone.png` });
  await small.context().close();
});

await check("nothing so far made the browser complain", async () => holds(complaints.length === 0, [...new Set(complaints)].join("; ")));

await check("a fault's button: the connection is dropped, and comes back", async () => {
  await record(page, "market");
  await page.click("#quick button:has-text('Reset all')");
  await cameBack(page);
  await connected(page);
  await until(async () => (await text(page, "#rules")) !== null, "no rules");
});

await check("the button of one connection drops that one", async () => {
  await connected(page);
  await page.check("#show-own");
  await record(page, "user");
  const row = page.locator("#connection-rows tr", { hasText: "user (this page)" });
  await row.locator("button", { hasText: "Drop" }).click();
  await cameBack(page);
});

await check("a fault from the catalogue's form: the rule is listed, and healed", async () => {
  await page.selectOption("#fault-name", "lost-events");
  await page.fill("#fault-field-group", "quotes/");
  await page.fill("#fault-lasts", "60s");
  await page.click("#fault button[type=submit]");
  await until(async () => (await text(page, "#rules")).includes("lost events"), () => text(page, "#fault-answer"));
  await page.click("#rules button");
  await until(async () => !(await text(page, "#rules")).includes("lost events"), "not healed");
});

await check("closed for good is shown, and a click connects again", async () => {
  await connected(page);
  await page.selectOption("#fault-name", "close-record");
  await page.fill("#fault-field-allow-reconnect", "");
  await page.focus("#fault-scope");
  await page.selectOption("#fault-scope", "hub:market");
  await page.fill("#fault-lasts", "");
  await page.click("#fault button[type=submit]");
  await until(async () => (await state(page, "market")) === "closed", "the market stays connected");
  await page.click('[data-link="market"] button');
  await connected(page);
});

await check("a page of another origin drops nobody", async () => {
  const before = (await (await fetch(`${url}/control/connections`)).json()).present.map((one) => one.connectionId);
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${url.replace("127.0.0.1", "localhost")}/control/connections`);
  await other.evaluate((url) => fetch(`${url}/control/drop?how=tcp`, { method: "POST", mode: "no-cors" }).catch(() => {}), url);
  await other.context().close();
  const after = (await (await fetch(`${url}/control/connections`)).json()).present.map((one) => one.connectionId);
  holds(before.every((id) => after.includes(id)), "connections are gone");
});

await visitors.leave();
await finish(browser);

/** The page with something on it: a bracket that works, and a fault that acts. */
async function take() {
  await page.click('#order label.buy');
  await page.fill("#stopTicks", "60");
  await page.fill("#profitTicks", "80");
  await page.click("#place");
  await page.click("#quick button:has-text('Lose 1 quote')");
  await new Promise((resolve) => setTimeout(resolve, 8_000));
  await page.evaluate(() => (document.activeElement.blur(), scrollTo(0, 0)));
  await page.screenshot({ path: `${pictures}/console.png` });
}
