// Generated from topstepx.asyncapi.json; do not edit.

export interface Account {
  /** The balance in US dollars. */
  balance?: number | null;
  /** Whether orders can be placed. */
  canTrade?: boolean | null;
  /** Names the account. */
  id: AccountId;
  /** Whether the platform shows the account. */
  isVisible?: boolean | null;
  /** What the platform shows, such as `50KTC-V2-000000-00000002`. */
  name?: string | null;
  /** Whether orders are executed in a simulation; true for practice and for funded simulated accounts. */
  simulated?: boolean | null;
}

export type AccountId = number;

/** Names one contract, such as CON.F.US.EP.U25. Opaque. */
export type ContractId = string;

export interface DepthRow {
  /** The contract once more; never seen on these rows. */
  contractId?: ContractId | null;
  /** On trades and fills, the size; 0 is normal on levels. */
  currentVolume?: number | null;
  /** The level's place in the book; never seen, but other clients accept it. */
  index?: number | null;
  /** The price of the level; 0 on some rows. */
  price: number;
  /** The contract's product; never seen, but other clients accept it. */
  symbolId?: SymbolId | null;
  /** When it was; the year 1 in a snapshot. */
  timestamp?: string | null;
  /** What the row says. */
  type: DomType;
  /** On levels, all that is offered there, 0 taking the level away; on trades and fills, the total traded at the price. */
  volume: number;
}

/** 0 unknown, 1 ask, 2 bid, 3 best ask, 4 best bid, 5 trade, 6 reset, 7 low, 8 high, 9 new best bid, 10 new best ask, 11 fill. Others may come. */
export type DomType = number;

export interface MarketTrade {
  /** The contract once more. Not documented by the venue. */
  contractId?: ContractId | null;
  /** The price. */
  price: number;
  /** The contract's product. */
  symbolId?: SymbolId | null;
  /** When it was, to the millisecond. */
  timestamp?: string | null;
  /** Who took the other's offer. */
  type: TradeLogType;
  /** How many contracts. */
  volume: number;
}

export interface Order {
  /** The account that it belongs to. */
  accountId: AccountId;
  /** The contract. */
  contractId: ContractId;
  /** When the order was created. */
  creationTimestamp?: string | null;
  /** What the client called the order; unique in its account. Children of a bracket add -SL and -TP. */
  customTag?: string | null;
  /** How many contracts were filled. */
  fillVolume?: number | null;
  /** The average price of what was filled. */
  filledPrice?: number | null;
  /** Names the order. */
  id: OrderId;
  /** The limit, of an order that has one. */
  limitPrice?: number | null;
  /** The stop loss beside this take profit; the stop loss does not name its sibling. Not documented by the venue. */
  linkedOrderId?: OrderId | null;
  /** The order whose bracket this is a child of. Not documented by the venue. */
  parentOrderId?: OrderId | null;
  /** Whether it buys or sells. */
  side?: OrderSide | null;
  /** How many contracts it is for. */
  size?: number | null;
  /** What has become of it. */
  status: OrderStatus;
  /** The price that wakes it, of an order that has one. */
  stopPrice?: number | null;
  /** The contract's product. */
  symbolId?: SymbolId | null;
  /** How far a child of a bracket is from the entry, in ticks, with a sign. Not documented by the venue. */
  trailDistance?: number | null;
  /** The same as a difference of prices. Not documented by the venue. */
  trailPrice?: number | null;
  /** How it is executed. */
  type?: OrderType | null;
  /** When the order last changed; later states of an order have a later time, or the same. */
  updateTimestamp?: string | null;
}

export type OrderId = number;

/** 0 buy, 1 sell. Others may come. */
export type OrderSide = number;

/** 0 none, 1 open, 2 filled, 3 cancelled, 4 expired, 5 rejected, 6 pending, 7 pending cancellation, 8 suspended. Others may come. */
export type OrderStatus = number;

/** 0 unknown, 1 limit, 2 market, 3 stop limit, 4 stop, 5 trailing stop, 6 join bid, 7 join ask. Others may come. */
export type OrderType = number;

export interface Position {
  /** The account that holds it. */
  accountId: AccountId;
  /** The average price, which may be finer than a tick. */
  averagePrice?: number | null;
  /** The contract as the platform shows it, such as `MNQU26`. */
  contractDisplayName?: string | null;
  /** The contract. */
  contractId: ContractId;
  /** When the position was opened. */
  creationTimestamp?: string | null;
  /** Names the position; a later position in the same contract has another id. */
  id?: PositionId | null;
  /** How many contracts it holds, whichever way; 0 when it is closed. */
  size: number;
  /** Whether it is long or short; undefined when it is closed. */
  type?: PositionType | null;
}

export type PositionId = number;

/** 0 undefined, 1 long, 2 short. Others may come. */
export type PositionType = number;

export interface Quote {
  /** The lowest price that somebody offers to sell at. */
  bestAsk?: number | null;
  /** The highest price that somebody offers to buy at. */
  bestBid?: number | null;
  /** How far the last price is from the previous session's close. */
  change?: number | null;
  /** The same in relation to the close, as the venue gives it. */
  changePercent?: number | null;
  /** The contract once more: its id, or a short name such as `MNQM6`. Not documented by the venue. */
  contract?: string | null;
  /** The session's highest price. */
  high?: number | null;
  /** The price of the last trade. */
  lastPrice?: number | null;
  /** When the venue last changed this quote; this is the one that moves with every event. */
  lastUpdated?: string | null;
  /** The session's lowest price. */
  low?: number | null;
  /** The session's first price. */
  open?: number | null;
  /** The root, such as `F.US.MNQ`, which several contracts share. */
  symbol?: SymbolId | null;
  /** The exchange's name of the root, such as `/MNQ`; usually absent. */
  symbolName?: string | null;
  /** The venue's other time; it may stand still from the session's close on. */
  timestamp?: string | null;
  /** How many contracts were traded in the session. */
  volume?: number | null;
}

/** 0 create, 1 update, 2 delete. Others may come. */
export type StreamAction = number;

/** Names one product, which several contracts share, such as F.US.EP. */
export type SymbolId = string;

export type TradeId = number;

/** 0 buy, 1 sell. Others may come. */
export type TradeLogType = number;

export interface UserTrade {
  /** The account that traded. */
  accountId: AccountId;
  /** The broker's commissions in US dollars, not part of the fees. Not documented by the venue. */
  commissions?: number | null;
  /** The contract. */
  contractId: ContractId;
  /** When it was. */
  creationTimestamp?: string | null;
  /** The exchange's fees in US dollars. */
  fees?: number | null;
  /** Names the trade. */
  id: TradeId;
  /** The order that was filled. */
  orderId: OrderId;
  /** The price of one contract. */
  price: number;
  /** What closing brought, in US dollars; absent from a trade that opens. */
  profitAndLoss?: number | null;
  /** Whether it bought or sold. */
  side: OrderSide;
  /** How many contracts. */
  size: number;
  /** Whether the exchange took the trade back. */
  voided?: boolean | null;
}

export interface MarketHubEvents {
  /** Rows of the kind DepthRow. */
  GatewayDepth: [contractId: ContractId, data: DepthRow | (DepthRow | null)[]];
  /** The venue ends the session. The arguments are not known. */
  GatewayLogout: unknown[];
  /** Rows of the kind Quote. */
  GatewayQuote: [contractId: ContractId, data: Quote | (Quote | null)[]];
  /** Rows of the kind MarketTrade. */
  GatewayTrade: [contractId: ContractId, data: MarketTrade | (MarketTrade | null)[]];
}

export interface MarketHubMethods {
  /** Begins GatewayDepth. */
  SubscribeContractMarketDepth: [contractId: ContractId];
  /** Begins GatewayQuote. */
  SubscribeContractQuotes: [contractId: ContractId];
  /** Begins GatewayTrade. */
  SubscribeContractTrades: [contractId: ContractId];
  /** Ends GatewayDepth. */
  UnsubscribeContractMarketDepth: [contractId: ContractId];
  /** Ends GatewayQuote. */
  UnsubscribeContractQuotes: [contractId: ContractId];
  /** Ends GatewayTrade. */
  UnsubscribeContractTrades: [contractId: ContractId];
}

export interface UserHubEvents {
  /** The venue ends the session. The arguments are not known. */
  GatewayLogout: unknown[];
  /** Rows of the kind Account. */
  GatewayUserAccount: [data: {
    action: StreamAction;
    data: Account;
  } | Account];
  /** Rows of the kind Order. */
  GatewayUserOrder: [data: {
    action: StreamAction;
    data: Order;
  } | Order];
  /** Rows of the kind Position. */
  GatewayUserPosition: [data: {
    action: StreamAction;
    data: Position;
  } | Position];
  /** Rows of the kind UserTrade. */
  GatewayUserTrade: [data: {
    action: StreamAction;
    data: UserTrade;
  } | UserTrade];
}

export interface UserHubMethods {
  /** Begins GatewayUserAccount. */
  SubscribeAccounts: [];
  /** Begins GatewayUserOrder. */
  SubscribeOrders: [accountId: AccountId];
  /** Begins GatewayUserPosition. */
  SubscribePositions: [accountId: AccountId];
  /** Begins GatewayUserTrade. */
  SubscribeTrades: [accountId: AccountId];
  /** Ends GatewayUserAccount. */
  UnsubscribeAccounts: [];
  /** Ends GatewayUserOrder. */
  UnsubscribeOrders: [accountId: AccountId];
  /** Ends GatewayUserPosition. */
  UnsubscribePositions: [accountId: AccountId];
  /** Ends GatewayUserTrade. */
  UnsubscribeTrades: [accountId: AccountId];
}
