// A headless Chromium for the tests, and one line for each check.

import { chromium } from "playwright-core";

const CHECK_TIMEOUT_MS = 30_000;
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync",
];

let passed = 0;
let failed = 0;

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });

export async function check(name, body) {
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

export function holds(condition, problem) {
  if (!condition) throw new Error(problem);
}

/** Asks again and again until the answer is true; the page's own waiting has the deadline. */
export async function until(ask, problem) {
  const deadline = Date.now() + CHECK_TIMEOUT_MS - 5_000;
  let answer;
  while (!(answer = await ask())) {
    if (Date.now() > deadline) throw new Error(typeof problem === "function" ? await problem() : problem);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return answer;
}

export async function finish(browser) {
  await browser.close();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

export function hubUrl() {
  const url = process.argv[2]?.replace(/\/$/, "");
  if (url) return url;
  console.error(`usage: node ${process.argv[1]} URL`);
  process.exit(2);
}
