// How the types go with Microsoft's client: it compiles, which is all that it is for.
import { HubConnectionBuilder, type HubConnection } from "@microsoft/signalr";
import type { MarketHubEvents, MarketHubMethods, Order, Quote, UserHubEvents, UserHubMethods } from "./topstepx.js";

/** `on` and `invoke` with the names and arguments of one hub. */
class TypedHub<Events extends { [Target in keyof Events]: unknown[] }, Methods extends { [Name in keyof Methods]: unknown[] }> {
  constructor(private readonly connection: HubConnection) {}

  on<Target extends keyof Events & string>(target: Target, handler: (...args: Events[Target]) => void): void {
    this.connection.on(target, handler as (...args: unknown[]) => void);
  }

  invoke<Name extends keyof Methods & string>(name: Name, ...args: Methods[Name]): Promise<void> {
    return this.connection.invoke(name, ...args);
  }
}

export async function follow(url: string, token: string, show: (line: string) => void): Promise<void> {
  const connect = (hub: string): HubConnection =>
    new HubConnectionBuilder().withUrl(`${url}/hubs/${hub}`, { accessTokenFactory: () => token }).withAutomaticReconnect().build();

  const market = new TypedHub<MarketHubEvents, MarketHubMethods>(connect("market"));
  market.on("GatewayQuote", (contractId, data) => {
    const quotes: (Quote | null)[] = Array.isArray(data) ? data : [data];
    for (const quote of quotes) show(`${contractId} ${quote?.bestBid ?? "?"} ${quote?.bestAsk ?? "?"}`);
  });
  await market.invoke("SubscribeContractQuotes", "CON.F.US.EP.Z26");

  const user = new TypedHub<UserHubEvents, UserHubMethods>(connect("user"));
  user.on("GatewayUserOrder", (data) => {
    const order: Order = "data" in data ? data.data : data;
    show(`${order.id} ${order.status} ${order.limitPrice ?? "-"}`);
  });
  await user.invoke("SubscribeAccounts");
  await user.invoke("SubscribeOrders", 10000001);

  // @ts-expect-error an account's id is a number
  await user.invoke("SubscribeOrders", "10000001");
  // @ts-expect-error there is no such event
  market.on("GatewayQuotes", () => {});
}
