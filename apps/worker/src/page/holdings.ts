import type { AccountHistory, StatusDocument } from "@pf/app";
import { html } from "hono/html";
import type { WorkerView } from "../view.js";
import { decimal, dollars, newYorkTime, percent, sessionText, shares, words } from "./format.js";
import type { Html } from "./html.js";
import { longTable, type Mood, mark, nothing, part, table } from "./pieces.js";

/** What is held beside what is wanted. */
export function positions({ status, history }: WorkerView): Html {
  return part(
    "positions",
    "Positions and targets",
    history ? heldBesideWanted(history) : bareHoldings(status.positions),
    { size: "twothirds" },
  );
}

function heldBesideWanted({ positions: held, decision }: AccountHistory): Html {
  const named = new Set(held.map(({ symbol }) => symbol));
  const wanted = Object.entries(decision?.weights ?? {}).filter(([symbol]) => !named.has(symbol));
  const rows = [
    ...held,
    ...wanted.map(([symbol, target]) => ({
      symbol,
      shares: 0,
      cost: 0,
      price: null,
      value: 0,
      weight: 0,
      target,
    })),
  ].sort((a, b) => Math.max(b.target, b.weight ?? 0) - Math.max(a.target, a.weight ?? 0));
  if (rows.length === 0) return nothing("Nothing is held and nothing is wanted: all of it is cash.");
  // A little more than the largest, so that the line of a target there is seen whole.
  const full = 1.02 * Math.max(0.05, ...rows.map(({ weight, target }) => Math.max(weight ?? 0, target)));
  const cash = 1 - rows.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  return html`${table(
    html`Shares of the account's worth; the bar is what is held, <span class="nowrap">the line | across it</span> what is wanted`,
    [
      { head: "Symbol" },
      { head: "Held", kind: "number" },
      { head: "Value", kind: "number" },
      { head: "Weight", kind: "number" },
      { head: "Target", kind: "number" },
      { head: html`<span class="unseen">Weight beside target</span>`, kind: "grow" },
    ],
    rows.map(({ symbol, shares: quantity, price, value, weight, target }) => ({
      cells: [
        symbol,
        html`${shares(quantity)}${price !== null && quantity !== 0 && html`<small class="under">at ${dollars(price)}</small>`}`,
        dollars(value, 0),
        percent(weight),
        percent(target),
        weightBar(weight ?? 0, target, full),
      ],
    })),
  )}
<p class="note">Not in positions: ${percent(rows.some(({ weight }) => weight === null) ? null : cash)} of the account.</p>`;
}

/** What is held as a bar, what is wanted as a line across it; the numbers stand beside it. */
function weightBar(weight: number, target: number, full: number): Html {
  const width = (fraction: number) => `${((100 * Math.max(0, fraction)) / full).toFixed(1)}%`;
  return html`<svg class="bar" aria-hidden="true"><rect class="rail" width="100%" height="10" y="5"/><rect class="fill" width="${width(weight)}" height="10" y="5"/>${
    target > 0 && html`<line class="aim" x1="${width(target)}" x2="${width(target)}" y1="1" y2="19"/>`
  }</svg>`;
}

function bareHoldings(held: StatusDocument["positions"]): Html {
  if (held.length === 0) return nothing("Nothing is held.");
  return table(
    "What the journal says is held",
    [{ head: "Symbol" }, { head: "Shares", kind: "number" }, { head: "Paid", kind: "number" }],
    held.map(({ symbol, quantity, cost }) => ({ cells: [symbol, shares(quantity), dollars(cost)] })),
  );
}

/** What can be spent, and when the rest of it can. */
export function cash({ status }: WorkerView): Html {
  const { settled, coming } = status.cash;
  return part(
    "cash",
    "Cash",
    html`${table(
      "Only settled cash buys",
      [{ head: "When" }, { head: "Dollars", kind: "number" }],
      [
        { cells: ["Settled, can be spent", dollars(settled)] },
        ...coming.map(({ amount, settles }) => ({
          cells: [html`Settles ${sessionText(settles)}`, dollars(amount)],
        })),
        ...(coming.length > 0
          ? [
              {
                kind: "sum",
                cells: ["Together", dollars(coming.reduce((sum, { amount }) => sum + amount, settled))],
              },
            ]
          : []),
      ],
    )}${status.restrictedUntil !== null && html`<p>${mark("watch", `Restricted to settled cash until ${sessionText(status.restrictedUntil)}.`)}</p>`}`,
    { size: "third" },
  );
}

const orderMoods: Readonly<Record<string, Mood>> = {
  filled: "good",
  rejected: "bad",
  unknown: "bad",
  cancelled: "watch",
};

/** What was sent and what became of it. */
export function orders({ history }: WorkerView): Html {
  const sent = history?.orders ?? [];
  return part(
    "orders",
    "Orders and fills",
    html`${
      sent.length === 0
        ? nothing("No order was sent yet.")
        : longTable(
            "orders",
            "Newest first",
            [
              { head: "Order" },
              { head: "Why", kind: "grow" },
              { head: "Filled", kind: "number" },
              { head: "Became", kind: "aside" },
            ],
            sent.map((order) => ({
              cells: [
                html`<span class="nowrap">${words(order.side)} ${shares(order.shares)} ${order.symbol}</span><small class="under">${sessionText(order.session)}, <span class="nowrap">${newYorkTime(order.atUtcMs)}</span></small>`,
                order.reason,
                fillsOf(order),
                html`${mark(orderMoods[order.status] ?? "calm", words(order.status))}${order.detail !== "" && html`<small class="under">${order.detail}</small>`}`,
              ],
            })),
            8,
          )
    }${history?.plan && waiting(history.plan)}`,
    { size: "full" },
  );
}

function fillsOf({ fills, filled, shares: ordered, reference }: AccountHistory["orders"][number]): Html {
  if (fills.length === 0) return html`<span>none</span>`;
  const paid = fills.reduce((sum, fill) => sum + fill.shares * fill.price, 0);
  const known = fills.every(({ commission }) => commission !== null);
  const fees = known ? fills.reduce((sum, { commission }) => sum + commission!, 0) : null;
  const each = fills.map(
    (fill) =>
      html`<li>${shares(fill.shares)} at ${dollars(fill.price)}, fee ${fill.commission === null ? "not known yet" : dollars(fill.commission)} <small>${fill.execId}</small></li>`,
  );
  return html`${filled < ordered && html`${shares(filled)} of ${shares(ordered)} `}at ${dollars(paid / fills.reduce((sum, fill) => sum + fill.shares, 0))}<small class="under">fee ${fees === null ? "not known yet" : dollars(fees)}</small>
<details id="fills-${reference}"><summary>${fills.length} ${fills.length === 1 ? "fill" : "fills"}</summary><ul>${each}</ul></details>`;
}

/** What the last plan could not do in its session. */
function waiting({ session, symbols }: NonNullable<AccountHistory["plan"]>): Html | false {
  const deferred = symbols.filter((line) => line.deferred !== null);
  return (
    deferred.length > 0 &&
    table(
      `Left over by the plan of ${sessionText(session)}`,
      [
        { head: "Symbol" },
        { head: "Shares", kind: "number" },
        { head: "Why", kind: "grow" },
        { head: "Waits", kind: "short" },
      ],
      deferred.map(({ symbol, deferred: left, detail }) => ({
        cells: [
          symbol,
          decimal(left!.quantity, Number.isInteger(left!.quantity) ? 0 : 4),
          html`${words(left!.reason)}<small class="under">${detail}</small>`,
          left!.until ? html`until ${sessionText(left!.until)}` : "for as long as it takes",
        ],
      })),
    )
  );
}
