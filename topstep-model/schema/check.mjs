// Holds the committed schema against the world: AsyncAPI's own parser, a validator of JSON Schema with every golden event, and TypeScript
// with Microsoft's client and the same events. `npm ci --ignore-scripts && node check.mjs`; ends with status 1 at the first thing that does not fit.
import { readFileSync, readdirSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Parser } from "@asyncapi/parser";
import Ajv from "ajv";
import addFormats from "ajv-formats";

const here = dirname(fileURLToPath(import.meta.url));
const fail = (message) => {
  throw new Error(message);
};

// The document, by the official parser.
const text = readFileSync(join(here, "topstepx.asyncapi.json"), "utf8");
const { document, diagnostics } = await new Parser().parse(text);
const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 0);
if (!document || errors.length > 0) fail(`not an AsyncAPI document: ${JSON.stringify(errors, null, 1)}`);
console.log(`AsyncAPI ${document.version()}: ${document.operations().length} operations, ${document.messages().length} messages, no errors`);

// Every golden row, in the form in which the library writes it.
const events = [];
const golden = join(here, "..", "tests", "golden");
for (const file of readdirSync(golden).sort()) {
  const target = file.replace(/\.jsonl$/, "");
  for (const line of readFileSync(join(golden, file), "utf8").trim().split("\n")) {
    const { rows = [] } = JSON.parse(line);
    for (const row of rows) if (Array.isArray(row)) events.push([target, row]);
  }
}
if (events.length < 100) fail(`only ${events.length} golden rows`);

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
for (const name of ["int32", "int64", "decimal"]) ajv.addFormat(name, true);
ajv.addSchema({ $id: "topstepx", components: JSON.parse(text).components });
const validators = new Map();
const validator = (target) => {
  if (!validators.has(target)) {
    validators.set(target, ajv.compile({ $ref: `topstepx#/components/messages/${target}/payload` }));
  }
  return validators.get(target);
};
for (const [target, row] of events) {
  const isValid = validator(target);
  if (!isValid({ type: 1, target, arguments: row })) {
    fail(`${target} ${JSON.stringify(row)}: ${JSON.stringify(isValid.errors)}`);
  }
}
// It must be able to say no.
for (const [target, row] of [
  ["GatewayQuote", ["CON.F.US.EP.U25", { bestBid: "5023.25" }]],
  ["GatewayTrade", ["CON.F.US.EP.U25", { price: 1, volume: 2 }]],
  ["GatewayUserOrder", [{ action: 1, data: { id: 1 } }]],
  ["GatewayDepth", ["CON.F.US.EP.U25"]],
  ["SubscribeOrders", ["1"]],
]) {
  if (validator(target)({ type: 1, target, arguments: row })) fail(`${target} ${JSON.stringify(row)} should not be valid`);
}
console.log(`JSON Schema: ${events.length} golden rows are valid`);

// The types, with Microsoft's client, and with the same rows as literals.
const folder = mkdtempSync(join(here, ".check-"));
try {
  const typed = events.map(([target, row], index) => {
    const hub = target.startsWith("GatewayUser") || target === "GatewayLogout" ? "UserHub" : "MarketHub";
    return `const row${index}: ${hub}Events["${target}"] = ${JSON.stringify(row)};`;
  });
  const imports = `import type { MarketHubEvents, UserHubEvents } from "../topstepx.js";\n`;
  writeFileSync(join(folder, "rows.ts"), `${imports}${typed.join("\n")}\nexport {};\n`);
  const rows = compile([join(folder, "rows.ts"), join(here, "client.ts"), join(here, "topstepx.d.ts")]);
  if (rows.status !== 0) fail(`the types do not fit:\n${rows.stdout}`);
  // They must be able to say no, too.
  writeFileSync(join(folder, "wrong.ts"), `${imports}export const row: MarketHubEvents["GatewayTrade"] = ["C", { price: 1, volume: 2 }];\n`);
  if (compile([join(folder, "wrong.ts")]).status === 0) fail("a trade without its type should not compile");
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`TypeScript: client.ts and ${events.length} golden rows compile`);

function compile(files) {
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext", "--skipLibCheck"];
  return spawnSync(process.execPath, [join(here, "node_modules", "typescript", "bin", "tsc"), ...options, ...files], { encoding: "utf8", cwd: here });
}
