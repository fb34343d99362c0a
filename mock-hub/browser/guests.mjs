// Some other clients of the hub, so that the console has connections to show: Microsoft's client in a page of its own.

import { fileURLToPath } from "node:url";

const CONTRACTS = ["CON.F.US.EP.Z26", "CON.F.US.ENQ.Z26", "CON.F.US.MNQ.Z26"];

export async function guests(browser, url) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${url}/control/connections`);
  await page.addScriptTag({ path: fileURLToPath(new URL("../console/vendor/signalr.min.js", import.meta.url)) });
  const count = await page.evaluate(async (contracts) => {
    const { HubConnectionBuilder, HttpTransportType, LogLevel } = globalThis.signalR;
    const token = await (await fetch("/control/token?user=guest", { method: "POST" })).text();
    const options = { transport: HttpTransportType.WebSockets, accessTokenFactory: () => token };
    const connect = async (hub) => {
      const connection = new HubConnectionBuilder().withUrl(`/hubs/${hub}`, options).withAutomaticReconnect().configureLogging(LogLevel.None).build();
      for (const target of ["Quote", "Trade", "Depth"]) connection.on(`Gateway${target}`, () => {});
      await connection.start();
      return connection;
    };
    for (const contract of contracts) {
      const market = await connect("market");
      for (const topic of ["Quotes", "Trades"]) await market.invoke(`SubscribeContract${topic}`, contract);
    }
    await (await connect("user")).invoke("SubscribeAccounts");
    await connect("conformance");
    return contracts.length + 2;
  }, CONTRACTS);
  return { count, leave: () => page.context().close() };
}
