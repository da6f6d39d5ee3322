import { renameSync, rmSync, writeFileSync } from "node:fs";
import { newYorkToUtcMs } from "@pf/market";
import type { Draw } from "./draw.js";
import { type Fault, universe, type YearWorld } from "./yearWorld.js";

// Everything that can go wrong around a session. Rules of a scenario are in force from a little before orders go out until
// the evening, unless they say otherwise.

type Times = Parameters<Fault["arrange"]>[1];

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const everything = ["orderStatus", "openOrder", "execDetails", "commissionReport"] as const;

const on = (message: string, act: string, more = "") =>
  `  - { on: { message: ${message}${more} }, do: [${act}] }\n`;
const all = ", times: all";
const early = ({ phases }: Times) => phases.find(({ phase }) => phase === "early")!.atUtcMs;
const dawn = ({ session }: Times) => newYorkToUtcMs(session, "06:30");
const evening = ({ closeUtcMs }: Times) => closeUtcMs + 3 * hourMs;

/** Rules while orders are at work. */
const atWork = (rules: string | ((draw: Draw) => string)) => (year: YearWorld, times: Times, draw: Draw) =>
  year.rules(
    typeof rules === "string" ? rules : rules(draw),
    times.opensUtcMs - secondMs,
    times.closeUtcMs + 90 * minuteMs,
  );

/** Rules for the whole day. */
const allDay = (rules: string | ((draw: Draw) => string)) => (year: YearWorld, times: Times, draw: Draw) =>
  year.rules(typeof rules === "string" ? rules : rules(draw), dawn(times), evening(times));

const orders: readonly Fault[] = [
  {
    name: "no status of an order ever",
    actions: ["drop"],
    arrange: atWork(on("orderStatus", "drop", all) + on("openOrder", "drop", all)),
  },
  {
    name: "an execution that is never told by itself",
    actions: ["drop"],
    arrange: atWork(on("execDetails", "drop")),
  },
  {
    name: "a commission that is never told",
    actions: ["drop"],
    after: 1,
    arrange: atWork(on("commissionReport", "drop", all)),
  },
  {
    name: "a commission minutes after the close",
    actions: ["delay"],
    after: 1,
    arrange: atWork((draw) => on("commissionReport", `{ delay: ${draw.whole(5, 40)}m }`, all)),
  },
  {
    name: "an order that vanishes",
    actions: ["drop"],
    arrange: atWork((draw) => on("placeOrder", "drop", `, nth: ${draw.whole(1, 2)}`)),
  },
  {
    name: "everything told twice",
    actions: ["duplicate"],
    arrange: atWork(everything.map((message) => on(message, "duplicate", all)).join("")),
  },
  {
    name: "everything told late, and in another order",
    actions: ["delay"],
    arrange: atWork((draw) =>
      everything.map((message) => on(message, `{ delay: ${draw.whole(0, 9)}s }`, all)).join(""),
    ),
  },
  {
    name: "an order that arrives half a minute late",
    actions: ["delay"],
    arrange: atWork((draw) => on("placeOrder", `{ delay: ${draw.whole(5, 40)}s }`)),
  },
  {
    name: "shown as cancelled, and filled (10349)",
    actions: ["say", "claim"],
    arrange: atWork(
      on("placeOrder", "{ say: { code: 10349, message: Order TIF was set to DAY } }, { claim: Cancelled }"),
    ),
  },
  {
    name: "an order that is answered with an error and nothing else",
    actions: ["answer"],
    arrange: atWork(on("placeOrder", '{ answer: { code: 201, message: "Order rejected - reason:no" } }')),
  },
  {
    name: "cancelled by the broker (202)",
    actions: ["cancel"],
    arrange: atWork((draw) => on("placeOrder", `{ cancel: { after: ${draw.whole(0, 400)}ms } }`)),
  },
  {
    name: "rejected (201)",
    actions: ["reject"],
    arrange: atWork((draw) =>
      on(
        "placeOrder",
        '{ reject: { message: "Order rejected - reason:Available Funds" } }',
        `, nth: ${draw.whole(1, 2)}`,
      ),
    ),
  },
  {
    name: "fractions refused (10243)",
    actions: ["reject"],
    arrange: atWork(on("placeOrder", '{ reject: { code: 10243, message: "Fractional-sized order" } }')),
  },
  {
    name: "filled in parts",
    actions: ["partial_fills"],
    arrange: atWork((draw) =>
      on(
        "placeOrder",
        `{ partial_fills: { parts: ${draw.whole(2, 5)}, every: ${draw.whole(1, 20)}s } }`,
        all,
      ),
    ),
  },
  {
    name: "filled in part, and not to the end",
    actions: ["partial_fills"],
    arrange: atWork((draw) =>
      on("placeOrder", `{ partial_fills: { parts: 4, every: 1s, stop_after: ${draw.whole(1, 3)} } }`),
    ),
  },
];

const connection: readonly Fault[] = [
  {
    name: "the socket cut when an order was sent",
    actions: ["cut"],
    arrange: atWork((draw) => on("placeOrder", "{ cut: {} }", `, nth: ${draw.whole(1, 2)}`)),
  },
  {
    name: "the socket cut in the middle of a message, and the id taken for a while",
    actions: ["cut"],
    arrange: atWork((draw) =>
      on(
        draw.one(everything),
        `{ cut: { mid_frame: true, ids_held: ${draw.whole(1, 30)}s } }`,
        `, nth: ${draw.whole(1, 3)}`,
      ),
    ),
  },
  {
    name: "the socket cut again and again",
    actions: ["cut"],
    arrange(year, times, draw) {
      for (let cut = 0; cut < 12; cut++)
        year.trigger(early(times) + draw.whole(0, 66 * 60) * secondMs, "cut");
      for (let cut = 0; cut < 6; cut++) year.trigger(times.opensUtcMs + draw.whole(0, 5_000), "cut");
    },
  },
  {
    name: "a restart in the middle of an order",
    actions: ["restart"],
    arrange: atWork((draw) => on("placeOrder", `{ restart: { down: ${draw.whole(1, 90)}s } }`)),
  },
  {
    name: "a restart in the window",
    actions: ["restart"],
    arrange(year, times, draw) {
      const down = draw.whole(10, 240);
      year.trigger(times.opensUtcMs + draw.whole(-60_000, 60_000), { restart: { down } });
    },
  },
  {
    name: "nobody answers the whole window",
    actions: ["restart"],
    arrange(year, times, draw) {
      const from = times.opensUtcMs - draw.whole(1, 90) * minuteMs;
      const until = times.closeUtcMs + draw.whole(0, 100) * minuteMs;
      year.trigger(from, { restart: { down: Math.round((until - from) / secondMs) } });
    },
  },
  {
    name: "the link to the exchanges lost and found again",
    actions: ["link"],
    arrange(year, times, draw) {
      const from = times.opensUtcMs + draw.whole(-120, 60) * secondMs;
      year.trigger(from, { link: "down" });
      year.trigger(from + draw.whole(5, 150) * secondMs, { link: draw.one(["up", "up_data_lost"]) });
    },
  },
  {
    name: "the link lost when an order was sent, and found again",
    actions: ["link"],
    arrange(year, times, draw) {
      atWork(on("placeOrder", "{ link: down }"))(year, times, draw);
      year.trigger(times.opensUtcMs + draw.whole(5, 200) * secondMs, {
        link: draw.one(["up", "up_data_lost"]),
      });
    },
  },
  {
    name: "the link lost when an order was sent, until after the close",
    actions: ["link"],
    arrange(year, times, draw) {
      atWork(on("placeOrder", "{ link: down }"))(year, times, draw);
      year.trigger(times.closeUtcMs + draw.whole(1, 60) * minuteMs, { link: "up" });
    },
  },
  {
    name: "farms that come and go",
    actions: ["farm"],
    arrange(year, times, draw) {
      for (const name of ["market", "history", "secdef"] as const) {
        const from = early(times) + draw.whole(0, 62 * 60) * secondMs;
        year.trigger(from, { farm: { name, up: false } });
        year.trigger(from + draw.whole(1, 600) * secondMs, { farm: { name, up: true } });
      }
    },
  },
  {
    name: "a terminal that greets nobody",
    actions: ["drop"],
    arrange(year, times, draw) {
      const from = early(times) - minuteMs;
      const until = draw.one([times.opensUtcMs + 90 * secondMs, times.closeUtcMs + 20 * minuteMs]);
      year.rules(on("startApi", "drop", all), from, until);
    },
  },
  {
    name: "a slow broker",
    actions: ["delay"],
    arrange: allDay((draw) =>
      ["reqHistoricalData", "reqContractDetails", "reqPositions", "reqAccountSummary", "reqOpenOrders"]
        .map((message) => on(message, `{ delay: ${draw.whole(1, 8)}s }`, all))
        .join(""),
    ),
  },
  {
    name: "a question that is not answered",
    actions: ["drop"],
    arrange(year, times, draw) {
      const message = draw.one([
        ...["reqContractDetails", "reqPositions", "reqAccountSummary", "reqHistoricalData", "reqMktData"],
        ...["openOrderEnd", "execDetailsEnd", "completedOrdersEnd", "positionEnd", "accountSummaryEnd"],
      ]);
      year.rules(
        on(message, "drop", `, times: ${draw.whole(1, 4)}`),
        times.opensUtcMs - secondMs,
        evening(times),
      );
    },
  },
  {
    name: "the API is read-only",
    actions: ["read_only"],
    arrange(year, times, draw) {
      year.trigger(dawn(times), { read_only: true });
      year.trigger(draw.one([times.opensUtcMs + 40 * secondMs, evening(times)]), { read_only: false });
    },
  },
];

const data: readonly Fault[] = [
  {
    name: "bars of a symbol are missing",
    actions: ["answer"],
    arrange: allDay((draw) =>
      on(
        "reqHistoricalData",
        '{ answer: { code: 162, message: "Historical Market Data Service error message:HMDS query returned no data" } }',
        `, symbol: ${draw.one(universe)}${all}`,
      ),
    ),
  },
  {
    name: "too many questions about bars (162), for a while",
    actions: ["answer"],
    arrange: allDay((draw) =>
      on(
        "reqHistoricalData",
        '{ answer: { code: 162, message: "Historical Market Data Service error message:Historical data request pacing violation" } }',
        `, times: ${draw.whole(1, 12)}`,
      ),
    ),
  },
  {
    name: "a contract that nobody knows any more",
    actions: ["answer"],
    arrange: allDay((draw) =>
      on(
        "reqContractDetails",
        '{ answer: { code: 200, message: "No security definition has been found for the request" } }',
        `, symbol: ${draw.one(universe)}${all}`,
      ),
    ),
  },
  {
    name: "no prices at all",
    actions: ["drop"],
    arrange: allDay(on("tickPrice", "drop", all)),
  },
  {
    name: "prices that come late",
    actions: ["delay"],
    arrange: allDay((draw) => on("tickPrice", `{ delay: ${draw.whole(1, 40)}s }`, all)),
  },
  {
    name: "bars that nobody answers",
    actions: ["drop"],
    arrange: allDay((draw) =>
      on("reqHistoricalData", "drop", `, symbol: ${draw.one(universe)}, times: ${draw.whole(1, 30)}`),
    ),
  },
  {
    name: "the subscription ended",
    actions: ["market_data"],
    arrange(year, times, draw) {
      year.trigger(dawn(times), { market_data: draw.one(["delayed", "none"]) });
      year.trigger(draw.one([times.opensUtcMs + minuteMs, evening(times)]), { market_data: "live" });
    },
  },
];

const account: readonly Fault[] = [
  {
    name: "another program trades in the account",
    actions: ["order"],
    after: 1,
    arrange(year, times, draw) {
      const at = times.opensUtcMs + draw.whole(-3 * 3600, 200) * secondMs;
      const symbol = draw.one(universe);
      const quantity = draw.whole(1, 9);
      year.trigger(at, { order: { client: 99, symbol, side: "BUY", quantity } });
    },
  },
  {
    name: "a person sells what is held",
    actions: ["order"],
    after: 1,
    arrange(year, times, draw) {
      year.at(times.opensUtcMs - draw.whole(1, 180) * minuteMs, () => {
        year.sim.trigger({ order: { client: 0, symbol: year.heldSymbol(), side: "SELL", quantity: 1 } });
      });
    },
  },
  {
    name: "money comes in",
    actions: ["cash"],
    isHarmless: true,
    arrange(year, times, draw) {
      // What comes in the evening nobody has seen when the books are looked at.
      year.trigger(dawn(times) + draw.whole(0, 300) * minuteMs, {
        cash: { amount: draw.whole(1, 500_000) / 100 },
      });
    },
  },
  {
    name: "money goes out",
    actions: ["cash"],
    after: 1,
    arrange(year, times, draw) {
      year.trigger(dawn(times) + draw.whole(0, 300) * minuteMs, {
        cash: { amount: -draw.whole(1, 50_000) / 100 },
      });
    },
  },
  {
    name: "a stock splits",
    actions: ["split"],
    isHarmless: true,
    arrange(year, times, draw) {
      year.at(dawn(times), () => {
        const symbol = draw.next() < 0.8 ? year.heldSymbol() : draw.one(universe);
        year.sim.trigger({ split: { symbol, ratio: 2 } });
      });
    },
  },
];

const machine: readonly Fault[] = [
  {
    name: "the worker dies at a step of the rebalance",
    actions: [],
    arrange(year, times, draw) {
      year.killAtStep(times.opensUtcMs - secondMs, "step", draw.whole(1, 14), draw.whole(1, 30) * secondMs);
    },
  },
  {
    name: "the worker dies at a step, and comes back after the close",
    actions: [],
    arrange(year, times, draw) {
      const away = 6 * minuteMs + draw.whole(0, 180) * minuteMs;
      year.killAtStep(times.opensUtcMs - secondMs, "step", draw.whole(1, 12), away);
    },
  },
  {
    name: "the worker dies at a step, and comes back the next day",
    actions: [],
    after: 1,
    arrange(year, times, draw) {
      year.killAtStep(times.opensUtcMs - secondMs, "step", draw.whole(1, 12), draw.whole(9, 17) * hourMs);
    },
  },
  {
    name: "the worker dies at one step after the other",
    actions: [],
    arrange: (year, times) => year.killAtEveryStep(times.opensUtcMs - secondMs, times.closesUtcMs),
  },
  {
    name: "the worker dies at whatever it does next",
    actions: [],
    arrange(year, times, draw) {
      year.killAtStep(early(times) - minuteMs, "activity", draw.whole(1, 60), draw.whole(1, 60) * secondMs);
    },
  },
  {
    name: "the worker dies at any moment of the window",
    actions: [],
    arrange(year, times, draw) {
      year.kill(times.opensUtcMs + draw.whole(0, 4_000), draw.whole(1, 200) * secondMs);
    },
  },
  {
    name: "the worker dies at any moment of the day",
    actions: [],
    arrange(year, times, draw) {
      year.kill(dawn(times) + draw.whole(0, 12 * 3600) * secondMs, draw.whole(1, 3600) * secondMs);
    },
  },
  {
    name: "the worker dies four times within the window",
    actions: [],
    arrange(year, times, draw) {
      let at = times.opensUtcMs;
      for (let death = 0; death < 4; death++) {
        at += draw.whole(100, 8_000);
        year.kill(at, draw.whole(500, 5_000));
      }
    },
  },
  {
    name: "the machine is off when it is time to trade",
    actions: [],
    arrange(year, times, draw) {
      const from = times.opensUtcMs - draw.whole(1, 300) * minuteMs;
      year.kill(from, times.closesUtcMs - from + draw.whole(1, 240) * minuteMs);
    },
  },
  {
    name: "the worker is asked to end in the window",
    actions: [],
    arrange(year, times, draw) {
      year.terminate(times.opensUtcMs + draw.whole(0, 3_000), draw.whole(1, 20) * secondMs);
    },
  },
  {
    name: "a second worker is started by mistake",
    actions: [],
    isHarmless: true,
    arrange(year, times, draw) {
      year.startAnother(early(times) + draw.whole(0, 60) * minuteMs);
      year.startAnother(times.opensUtcMs + draw.whole(0, 1_500));
    },
  },
  {
    name: "the worker is updated at night",
    actions: [],
    isHarmless: true,
    arrange(year, times, draw) {
      year.terminate(evening(times) + draw.whole(2, 5) * hourMs, draw.whole(1, 600) * secondMs);
    },
  },
  {
    name: "the machine's clock goes wrong",
    actions: [],
    arrange(year, times, draw) {
      const skewMs = draw.one([-1, 1]) * draw.whole(31, 240) * secondMs;
      year.at(dawn(times), () => {
        year.skewMs = skewMs;
      });
      year.at(evening(times), () => {
        year.skewMs = 0;
      });
    },
  },
  {
    name: "the machine's clock is hours off",
    actions: [],
    arrange(year, times, draw) {
      const skewMs = draw.one([-1, 1]) * draw.whole(20, 180) * minuteMs;
      year.at(dawn(times), () => {
        year.skewMs = skewMs;
      });
      year.at(evening(times), () => {
        year.skewMs = 0;
      });
    },
  },
  {
    name: "the state cannot be written",
    actions: [],
    arrange: (year, times, draw) => blocked("state", year, times, draw),
  },
  {
    name: "bars cannot be written",
    actions: [],
    arrange: (year, times, draw) => blocked("data", year, times, draw),
  },
  {
    name: "reports cannot be written",
    actions: [],
    arrange: (year, times, draw) => blocked("out", year, times, draw),
  },
];

/** A file stands where a folder should. */
function blocked(which: "state" | "data" | "out", year: YearWorld, times: Times, draw: Draw): void {
  const folder = year.folders[which];
  let isThere = false;
  year.at(times.opensUtcMs - draw.whole(0, 20) * minuteMs, () => {
    try {
      renameSync(folder, `${folder}.away`);
    } catch {
      return;
    }
    writeFileSync(folder, "");
    isThere = true;
  });
  const until = draw.one([
    times.opensUtcMs + draw.whole(10, 200) * secondMs,
    times.closeUtcMs + 40 * minuteMs,
  ]);
  year.at(until, () => {
    if (!isThere) return;
    rmSync(folder);
    renameSync(`${folder}.away`, folder);
  });
}

const people: readonly Fault[] = [
  {
    name: "nothing that is told reaches anybody for hours, also over the end of a process",
    actions: [],
    isHarmless: true,
    arrange(year, times, draw) {
      year.at(dawn(times), () => {
        year.isDeaf = true;
      });
      year.terminate(evening(times) + draw.whole(2, 4) * hourMs, draw.whole(1, 600) * secondMs);
      year.at(evening(times) + draw.whole(1, 8) * hourMs, () => {
        year.isDeaf = false;
      });
    },
  },
  {
    name: "somebody runs pf trade at the same time",
    actions: [],
    arrange(year, times, draw) {
      for (let run = 0; run < 4; run++)
        year.errand(times.opensUtcMs + draw.whole(-2_000, 4_000), (to) => to.trade({ mode: "paper" }));
    },
  },
  {
    name: "somebody runs pf status, pf connect and pf reconcile all afternoon",
    actions: [],
    arrange(year, times, draw) {
      const somewhen = () => early(times) + draw.whole(0, 80 * 60) * secondMs;
      for (let run = 0; run < 4; run++) {
        year.errand(somewhen(), (to) => to.status({ mode: "paper" }));
        year.errand(somewhen(), (to) => to.connect({ mode: "paper" }));
        year.errand(somewhen(), (to) => to.reconcile({ mode: "paper" }));
      }
    },
  },
  {
    name: "somebody runs pf halt",
    actions: [],
    arrange(year, times, draw) {
      const at = draw.one([dawn(times), times.opensUtcMs + draw.whole(0, 2_000)]);
      year.errand(at, (to) => to.halt({ reason: "I want to look at it" }));
    },
  },
  {
    name: "somebody runs pf halt, and pf resume in the window",
    actions: [],
    arrange(year, times, draw) {
      year.errand(early(times), (to) => to.halt({ reason: "I want to look at it" }));
      const at = times.opensUtcMs + draw.whole(1, 120) * secondMs;
      year.errand(at, (to) => to.resume({ reason: "go on" }));
    },
  },
];

/** The whole catalogue. */
export const yearFaults: readonly Fault[] = [
  ...orders,
  ...connection,
  ...data,
  ...account,
  ...machine,
  ...people,
];
