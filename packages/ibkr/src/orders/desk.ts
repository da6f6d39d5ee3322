import type { SessionDate } from "@pf/market";
import type { OrderEvent } from "@pf/orders";
import type { Timers } from "../session/clock.js";
import {
  type BrokerMessage,
  firstReqId,
  type Link,
  type LinkRequest,
  type Requests,
  type WireFields,
} from "../session/link.js";
import {
  type ExecutionFact,
  isAboutShares,
  type OrderMessage,
  readCommission,
  readCompletedOrder,
  readExecution,
  readOpenOrder,
  readOrderStatus,
} from "./messages.js";
import { emptyBook, forgetBefore, type OrderBook, reduce } from "./reduce.js";

/** An order as TWS lists it, open or completed. */
export type ListedOrder = OrderMessage & { readonly kind: "order" };

/** What three questions to TWS said about orders of shares, and which of them were answered. */
export interface Findings {
  /** Of every client of the API. */
  readonly open: readonly ListedOrder[];
  /** Of today. What it says of fills is not to be relied on. */
  readonly completed: readonly ListedOrder[];
  /** Since midnight. */
  readonly executions: readonly ExecutionFact[];
  /** Without all three, that nothing was found means nothing. */
  readonly answered: { readonly open: boolean; readonly completed: boolean; readonly executions: boolean };
}

/** Keeps the book of one account's orders: hears every message, of every connection of a session. */
export class OrderDesk {
  book: OrderBook = emptyBook;
  /** References whose cancellation we asked for. */
  readonly cancelAsked = new Set<string>();
  private nextId = 1;
  private readonly eventListeners = new Set<(event: OrderEvent) => void>();
  private readonly wakers = new Set<() => void>();

  constructor(
    private readonly timers: Timers,
    private readonly account: string,
    /** How long TWS may take to list orders. */
    private readonly askMs: number,
  ) {}

  /** Hears a connection from its beginning. */
  attach(link: Link): void {
    this.usedUpTo(link.firstOrderId - 1);
    link.listen({
      openOrder: (...args) => {
        this.usedUpTo(args[0]);
        // A what-if is a question, not an order.
        if (!args[2].whatIf && this.concerns(link)) this.learn(readOpenOrder(args, link.fields));
      },
      orderStatus: (orderId) => {
        if (orderId > 0) this.learn(readOrderStatus(link.fields));
      },
      execDetails: () => {
        if (this.concerns(link)) this.learn(readExecution(link.fields));
      },
      commissionReport: (...args) => {
        const commission = readCommission(args);
        if (commission) this.learn(commission);
      },
    });
  }

  /** Errors about orders come by the order's id, of the client that sent it. */
  hear({ id, code, message }: BrokerMessage, clientId: number): void {
    if (id > 0 && id < firstReqId) this.learn({ kind: "error", clientId, orderId: id, code, message });
  }

  learn(message: OrderMessage): void {
    const { book, events } = reduce(this.book, message);
    this.book = book;
    for (const event of events) for (const listener of [...this.eventListeners]) listener(event);
    this.wake();
  }

  /** What is over since before a session is not needed any more. */
  forgetBefore(session: SessionDate): void {
    this.book = forgetBefore(this.book, session);
  }

  onEvent(listener: (event: OrderEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  /** An id that no order of this client had. */
  takeOrderId(): number {
    return this.nextId++;
  }

  /** Whoever waits looks again. */
  wake(): void {
    for (const waker of [...this.wakers]) waker();
  }

  /** Resolves at the next thing that is learned, or after a while; throws when aborted. */
  change(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = () => {
        this.wakers.delete(done);
        takeBack();
        signal.removeEventListener("abort", abort);
      };
      const done = () => {
        leave();
        resolve();
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      const takeBack = this.timers.after(ms, done);
      this.wakers.add(done);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Asks TWS for open orders, completed orders and executions, and learns from the answers. */
  async ask(requests: Requests, signal?: AbortSignal): Promise<Findings> {
    const [open, completed, executions] = await Promise.all([
      this.answered(requests, this.openOrdersRequest(signal)),
      this.answered(requests, this.completedOrdersRequest(signal)),
      // Seen live: all executions and no closing message. Once more is cheap, and tells.
      this.answered(requests, this.executionsRequest(signal), 2),
    ]);
    signal?.throwIfAborted();
    return {
      open: open ?? [],
      completed: completed ?? [],
      executions: executions ?? [],
      answered: {
        open: open !== undefined,
        completed: completed !== undefined,
        executions: executions !== undefined,
      },
    };
  }

  openOrdersRequest(signal?: AbortSignal): LinkRequest<readonly ListedOrder[]> {
    return {
      what: "open orders",
      lane: { name: "open orders", limit: 1 },
      timeoutMs: this.askMs,
      signal,
      send: (api) => api.reqAllOpenOrders(),
      receive: (answer, wire) => {
        const listed = new Map<string, ListedOrder>();
        return {
          openOrder: (...args) => {
            if (args[2].whatIf || !this.concerns(wire)) return;
            const order = readOpenOrder(args, wire.fields) as ListedOrder;
            listed.set(order.permId ?? `${order.clientId}:${order.orderId}`, order);
          },
          openOrderEnd: () => answer.resolve([...listed.values()]),
        };
      },
    };
  }

  completedOrdersRequest(signal?: AbortSignal): LinkRequest<readonly ListedOrder[]> {
    return {
      what: "completed orders",
      lane: { name: "completed orders", limit: 1 },
      timeoutMs: this.askMs,
      signal,
      send: (api) => api.reqCompletedOrders(false),
      receive: (answer, wire) => {
        const listed: ListedOrder[] = [];
        return {
          completedOrder: (...args) => {
            if (!this.concerns(wire)) return;
            const order = readCompletedOrder(args, wire.fields) as ListedOrder;
            listed.push(order);
            this.learn(order);
          },
          completedOrdersEnd: () => answer.resolve([...listed]),
        };
      },
    };
  }

  executionsRequest(signal?: AbortSignal): LinkRequest<readonly ExecutionFact[]> {
    return {
      what: "executions",
      timeoutMs: this.askMs,
      signal,
      send: (api, reqId) => api.reqExecutions(reqId, { acctCode: this.account }),
      receive: (answer, wire) => {
        const listed = new Map<string, ExecutionFact>();
        return {
          execDetails: () => {
            if (!this.concerns(wire)) return;
            const execution = readExecution(wire.fields) as ExecutionFact & { kind: "execution" };
            listed.set(execution.execId, execution);
            this.learn(execution);
          },
          execDetailsEnd: () => answer.resolve([...listed.values()]),
        };
      },
    };
  }

  /** `undefined` when it was not answered, which is not the same as an empty answer. */
  private async answered<T>(
    requests: Requests,
    request: LinkRequest<T>,
    attempts = 1,
  ): Promise<T | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await requests.request(request);
      } catch (error) {
        if (request.signal?.aborted) throw error;
        if (attempt >= attempts) return undefined;
      }
    }
  }

  /** Another account's orders are none of ours, whoever sees them, and neither is what is no share. */
  private concerns({ fields }: WireFields): boolean {
    return isAboutShares(this.account, fields);
  }

  private usedUpTo(orderId: number): void {
    if (orderId < firstReqId) this.nextId = Math.max(this.nextId, orderId + 1);
  }
}
