// The page's own connections, through Microsoft's client, and the signs in the bar that show how they are.

import { announce, el } from "./dom.js";
import { accessToken } from "./rest.js";

const RETRY_MS = 400;
const LONGEST_RETRY_MS = 5000;

/** A connection that comes back; `onUp` runs whenever it is there again, for a new connection follows nothing. */
export class Link {
  #sign;
  #up = [];
  #insists;

  constructor(name, { withToken = false, insists = false } = {}) {
    const { HubConnectionBuilder, HttpTransportType, LogLevel } = window.signalR;
    this.name = name;
    this.#insists = insists;
    this.#sign = document.querySelector(`[data-link="${name}"]`);
    const options = { transport: HttpTransportType.WebSockets };
    if (withToken) options.accessTokenFactory = accessToken;
    this.hub = new HubConnectionBuilder()
      .withUrl(`/hubs/${name}`, options)
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: ({ previousRetryCount }) => delay(previousRetryCount) })
      .configureLogging(LogLevel.None)
      .build();
    this.hub.onreconnecting(() => this.#show("reconnecting"));
    this.hub.onreconnected(() => this.#isUp());
    this.hub.onclose(() => this.#isClosed());
  }

  on(target, handler) {
    this.hub.on(target, handler);
  }

  onUp(callback) {
    this.#up.push(callback);
  }

  get isUp() {
    return this.hub.state === window.signalR.HubConnectionState.Connected;
  }

  /** Calls a method if the connection is there; one that is not will be told everything in `onUp`. */
  async tell(method, ...values) {
    if (!this.isUp) return;
    try {
      await this.hub.invoke(method, ...values);
    } catch (error) {
      announce(`${method}: ${error.message}`);
    }
  }

  async start() {
    for (let attempt = 0; this.hub.state === window.signalR.HubConnectionState.Disconnected; attempt++) {
      this.#show("connecting");
      try {
        await this.hub.start();
        return this.#isUp();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, delay(attempt)));
      }
    }
  }

  #isUp() {
    this.#show("connected");
    this.#up.forEach((callback) => callback());
  }

  /** The hub said goodbye for good. Watching goes on by itself; the other two show it, as a trading client would. */
  #isClosed() {
    this.#show("closed");
    if (this.#insists) {
      setTimeout(() => this.start(), RETRY_MS);
      return;
    }
    const again = el("button", { type: "button", className: "small", textContent: "connect" });
    again.setAttribute("aria-label", `Connect ${this.name} again`);
    again.onclick = () => this.start();
    this.#sign.append(again);
  }

  #show(state) {
    this.#sign.dataset.state = state;
    this.#sign.querySelector("b").textContent = state;
    this.#sign.querySelector("button")?.remove();
    if (state !== "connecting") announce(`${this.name} ${state}`);
  }
}

const delay = (attempt) => Math.min(RETRY_MS * 2 ** attempt, LONGEST_RETRY_MS);
