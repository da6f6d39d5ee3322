export type { Cents, OrderEvent, OrderIntent, OrderType, Quantity, Side } from "./vocabulary.js";
