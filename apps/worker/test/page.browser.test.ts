import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WorkerView } from "../src/view.js";
import { pageOf, token } from "./page.js";
import { fresh, halted, healthy, troubled } from "./views.js";

const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!program)
  process.stderr.write("the page was not looked at: Chromium is not installed (apt install chromium)\n");

/** Set to a folder to keep the pictures. */
const album = process.env.PF_SCREENSHOTS;

describe.runIf(program)("the page in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: program!,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });
  afterAll(() => browser?.close());

  const phone = { width: 360, height: 740 };
  const desk = { width: 1360, height: 900 };
  const accounts: readonly (readonly [string, () => WorkerView])[] = [
    ["a year of sessions", healthy],
    ["an account that never traded", fresh],
    ["a halted live account", halted],
    ["an account whose past cannot be told", troubled],
  ];

  describe.each(accounts)("with %s", (name, shows) => {
    const ends: (() => unknown)[] = [];
    let [page, complaints]: [Page, readonly string[]] = [undefined!, []];
    beforeAll(async () => {
      const atEnd = (end: () => unknown) => void ends.unshift(end);
      const outFolder = reports(atEnd);
      const { url } = await pageOf({ token: "", shows: shows(), outFolder }, atEnd);
      ({ page, complaints } = await opened({ viewport: desk, colorScheme: "light" }, url, atEnd));
      for (const summary of await page.locator(".pictures > summary").all()) await summary.click();
    });
    afterAll(async () => {
      for (const end of ends) await end();
    });

    it.each([
      ["a phone", phone],
      ["a desk", desk],
    ])("reads well on %s, light and dark", async (where, viewport) => {
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize(viewport);
      await page.waitForFunction(() =>
        [...document.images].every((image) => image.complete || image.loading === "lazy"),
      );
      await keepPicture(page, `${name} ${where} light`);
      expect(await sidewaysIn(page)).toEqual([]);
      expect(await faultsOfAccess(page)).toEqual([]);
      // Dark are the colours alone, so that nothing else has to be looked for again.
      const moved = await movedSince(page);
      await page.emulateMedia({ colorScheme: "dark" });
      await keepPicture(page, `${name} ${where} dark`);
      expect(await moved()).toEqual([]);
      expect(await sidewaysIn(page)).toEqual([]);
      expect(await faultsOfAccess(page, ["color-contrast", "link-in-text-block"])).toEqual([]);
      expect(complaints).toEqual([]);
    });

    it("needs no scrolling sideways at any width", async () => {
      for (const width of [320, 360, 420, 580, 700, 820, 1000, 1100, 1920, 2560]) {
        await page.setViewportSize({ width, height: 800 });
        expect([width, ...(await sidewaysIn(page))]).toEqual([width]);
      }
    });
  });

  it.concurrent("asks nobody but the worker for anything, and offends no policy", async ({
    onTestFinished,
  }) => {
    const { url, origin } = await pageOf(
      { shows: healthy(), outFolder: reports(onTestFinished) },
      onTestFinished,
    );
    const { page, complaints, asked } = await opened({ viewport: desk }, url, onTestFinished);
    expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Equity" }).waitFor();
    await page.locator("#backtest-pictures > summary").click();
    await page.locator("img").first().waitFor();
    await page.locator(".chart.wide").hover();
    expect([...new Set(asked.map((one) => new URL(one).origin))]).toEqual([origin]);
    expect(asked.some((one) => one.endsWith("/research/equity.png") || one.includes("equity.png?v="))).toBe(
      true,
    );
    expect(asked.join(" ")).not.toContain(token);
    expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
  });

  it.concurrent("can be signed in to, halted and resumed with the keyboard alone", async ({
    onTestFinished,
  }) => {
    const worker = await pageOf({ shows: healthy(20) }, onTestFinished);
    const { page } = await opened({ viewport: desk }, worker.url, onTestFinished);
    // The field is where one types at once; a wrong token says so.
    await focusOn(page, "token");
    await page.keyboard.type("not the token at all");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toBe("That is not the token.");
    await focusOn(page, "token");
    await keepPicture(page, "signing in");
    await page.keyboard.type(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Account DUK200445" }).waitFor();

    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the content");
    await expectVisibleFocus(page);
    expect(await tabTo(page, "Halt trading…")).toBeLessThanOrEqual(2);
    await expectVisibleFocus(page);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Halt trading?" }).waitFor();
    expect(await faultsOfAccess(page)).toEqual([]);
    await keepPicture(page, "halting");
    await focusOn(page, "reason");
    await page.keyboard.type("the plan looks odd");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Halt trading now");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Trading is halted" }).waitFor();
    expect(worker.done).toEqual(["halt: the plan looks odd"]);
    expect(await page.title()).toMatch(/^Halted · PAPER DUK200445/);

    await page.keyboard.press("Tab");
    await tabTo(page, "Resume trading…");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Resume trading?" }).waitFor();
    expect(await faultsOfAccess(page)).toEqual([]);
    await focusOn(page, "reason");
    await page.keyboard.type("it was only me");
    await page.keyboard.press("Tab");
    await page.keyboard.type("DU-not-this-one");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    expect(worker.done).toHaveLength(1);
    await keepPicture(page, "resuming");
    // What was typed is still there; only the account is asked for again.
    expect(await page.getByLabel("What was found").inputValue()).toBe("it was only me");
    await focusOn(page, "reason");
    await page.keyboard.press("Tab");
    await page.keyboard.type("DUK200445");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Resume trading");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Account DUK200445" }).waitFor();
    expect(worker.done).toEqual(["halt: the plan looks odd", "resume: it was only me"]);
    expect(await page.getByRole("heading", { name: "Trading is halted" }).count()).toBe(0);

    expect(await tabTo(page, "Sign out")).toBeLessThan(5);
    await page.keyboard.press("Enter");
    await page.getByLabel("Token").waitFor();
    await page.goto(worker.url);
    expect(await page.getByLabel("Token").count()).toBe(1);
  });

  it.concurrent("reaches everything that can be opened by Tab, in the order of reading", async ({
    onTestFinished,
  }) => {
    const { url } = await pageOf(
      { token: "", shows: halted(), outFolder: reports(onTestFinished) },
      onTestFinished,
    );
    const { page } = await opened({ viewport: desk }, url, onTestFinished);
    const places: number[] = [];
    for (let presses = 0; presses < 80; presses++) {
      await page.keyboard.press("Tab");
      const place = await page.evaluate(() => {
        const active = document.activeElement;
        const all = [...document.querySelectorAll("a[href], button, input, summary")];
        return active ? all.indexOf(active) : -1;
      });
      if (place < 0) break;
      places.push(place);
    }
    const reachable = await page.evaluate(
      () =>
        [...document.querySelectorAll("a[href], button, input, summary")].filter((one) =>
          one.checkVisibility(),
        ).length,
    );
    expect(places).toHaveLength(reachable);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  it.concurrent("shows what changed by itself, and leaves a reader where they were", async ({
    onTestFinished,
  }) => {
    const worker = await pageOf({ token: "", shows: healthy(60) }, onTestFinished);
    const { page, complaints } = await opened({ viewport: phone }, worker.url, onTestFinished);
    await page.locator("#sessions-more > summary").click();
    await page.locator("#sessions-more > summary").focus();
    const before = await page.evaluate(() => scrollY);
    expect(before).toBeGreaterThan(500);

    const view = healthy(60);
    const [last, ...earlier] = view.history!.sessions;
    worker.state.view = {
      ...view,
      activity: { ...view.activity, kind: "working", detail: "placing 2 orders" },
      status: { ...view.status, state: "open" },
      history: {
        ...view.history!,
        sessions: [{ ...last!, outcome: "open", detail: "it has just begun" }, ...earlier],
      },
    };
    worker.changed();
    await page.getByText("it has just begun").waitFor();
    expect(await page.title()).toMatch(/^Rebalancing · /);
    expect(await page.locator("#head .activity").textContent()).toContain("placing 2 orders");
    expect(await page.locator("#news").textContent()).toBe("Rebalancing, paper account DUK200445");
    expect(await page.locator("#sessions-more").getAttribute("open")).not.toBeNull();
    expect(await focused(page)).toMatch(/earlier$/);
    expect(Math.abs((await page.evaluate(() => scrollY)) - before)).toBeLessThan(60);
    expect(complaints).toEqual([]);
  });

  it.concurrent("counts down by the worker's clock, and shows the reader's time beside New York's", async ({
    onTestFinished,
  }) => {
    const { url } = await pageOf({ token: "", shows: healthy(5) }, onTestFinished);
    const { page } = await opened(
      { viewport: desk, timezoneId: "Asia/Tokyo", locale: "en-GB" },
      url,
      onTestFinished,
    );
    const timer = page.getByRole("timer");
    expect(await timer.textContent()).toMatch(/^1 h 3[45] min$/);
    const left = Number(await timer.getAttribute("data-until")) - healthy(5).atUtcMs;
    expect(left).toBe(95 * 60_000);
    const rebalance = page.getByRole("row", { name: /Rebalance/ });
    expect(await rebalance.textContent()).toMatch(/Mon\s+15:55\s*Tue 05:55/);
    expect(await page.getByRole("columnheader", { name: "Your time" }).count()).toBe(1);
  });

  it.concurrent("ticks: the seconds of the last hour go by", async ({ onTestFinished }) => {
    const view = healthy(5);
    const { url } = await pageOf(
      {
        token: "",
        shows: { ...view, atUtcMs: view.next!.opensUtcMs - 5 * 60_000 },
      },
      onTestFinished,
    );
    const { page } = await opened({ viewport: desk }, url, onTestFinished);
    const timer = page.getByRole("timer");
    const first = await timer.textContent();
    expect(first).toMatch(/^[45]:\d\d$/);
    await page.waitForFunction((text) => document.querySelector("[role=timer]")?.textContent !== text, first);
    expect(await timer.textContent()).toMatch(/^4:\d\d$/);
  });

  it.concurrent("says that the worker does not answer and how old it is what one sees, and stops saying so", async ({
    onTestFinished,
  }) => {
    const worker = await pageOf({ token: "", shows: healthy(5) }, onTestFinished);
    const { page } = await opened(
      { viewport: phone, timezoneId: "America/New_York", locale: "en-US" },
      worker.url,
      onTestFinished,
    );
    await page.context().setOffline(true);
    worker.changed();
    const banner = page.locator("#connection");
    await banner.waitFor({ timeout: 20_000 });
    expect(await banner.textContent()).toMatch(
      /^The worker does not answer\. What you see is as of 11\/23\/2026, 2:20/,
    );
    await page.context().setOffline(false);
    await banner.waitFor({ state: "hidden", timeout: 20_000 });
  });

  it.concurrent("says that one is signed out, with the way back", async ({ onTestFinished }) => {
    const worker = await pageOf({ shows: healthy(5) }, onTestFinished);
    const { page } = await opened({ viewport: phone }, worker.url, onTestFinished);
    await page.getByLabel("Token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Equity" }).waitFor();
    await page.context().clearCookies();
    worker.changed();
    const banner = page.locator("#connection");
    await banner.waitFor();
    expect(await banner.textContent()).toContain("You are signed out.");
    await banner.getByRole("link", { name: "Sign in again" }).click();
    await page.getByLabel("Token").waitFor();
  });

  it.concurrent("shows under the pointer what the table says of that session", async ({ onTestFinished }) => {
    const view = healthy(60);
    const { url } = await pageOf({ token: "", shows: view }, onTestFinished);
    const { page } = await opened({ viewport: desk }, url, onTestFinished);
    const chart = page.locator(".chart.wide");
    const [box, left, right] = [
      (await chart.boundingBox())!,
      Number(await chart.getAttribute("data-left")),
      Number(await chart.getAttribute("data-right")),
    ];
    await page.mouse.move(box.x + (box.width * left) / 860 + 1, box.y + 50);
    expect(await page.locator("[data-series=account]").textContent()).toBe(
      `$${Math.round(view.history!.curve.equity[0]!).toLocaleString("en-US")}`,
    );
    await page.mouse.move(box.x + (box.width * right) / 860, box.y + 50);
    expect(await page.locator(".legend-when").textContent()).toBe("Fri 20 Nov 2026");
    await page.mouse.move(box.x, box.y - 300);
    expect(await page.locator(".cursor").first().getAttribute("visibility")).toBe("hidden");
  });

  it.concurrent("works without a script: reading, signing in, halting, resuming", async ({
    onTestFinished,
  }) => {
    const worker = await pageOf({ shows: healthy(40), outFolder: reports(onTestFinished) }, onTestFinished);
    const { page, complaints } = await opened(
      { viewport: phone, javaScriptEnabled: false },
      worker.url,
      onTestFinished,
    );
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    expect(await page.locator("noscript meta[http-equiv=refresh], meta[http-equiv=refresh]").count()).toBe(1);
    expect(await page.getByRole("row", { name: /Rebalance/ }).textContent()).toMatch(/15:55\s*Mon 20:55/);
    await page.getByText("As a table, 40 sessions").click();
    expect(await page.locator("#curve tbody tr").count()).toBe(40);
    await page.getByRole("link", { name: "Halt trading…" }).click();
    await page.getByRole("button", { name: "Halt trading now" }).click();
    expect(worker.done).toEqual(["halt: somebody asked on the page"]);
    await page.locator("#attention").getByRole("link", { name: "Resume trading…" }).click();
    await page.getByLabel("What was found").fill("nothing");
    await page.getByLabel(/To confirm/).fill("DUK200445");
    await page.getByRole("button", { name: "Resume trading" }).click();
    expect(worker.done).toEqual(["halt: somebody asked on the page", "resume: nothing"]);
    expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
  });

  async function keepPicture(page: Page, name: string): Promise<void> {
    if (album)
      await page.screenshot({ path: join(album, `${name.replaceAll(" ", "-")}.png`), fullPage: true });
  }

  /** A page with everything it complained of and every address it asked for. */
  async function opened(
    options: BrowserContextOptions,
    url: string,
    atEnd: (close: () => Promise<void>) => void,
  ) {
    const context = await browser.newContext(options);
    atEnd(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(url);
    return { page, complaints, asked };
  }
});

/**
 * What axe finds wrong for readers who see, hear or move otherwise; rules of WCAG 2.2 A and AA and best practices.
 *
 * @param rules - these alone; all where nobody says
 */
async function faultsOfAccess(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source);
  // What passes is not gathered with everything about it, which would take longer than to find what does not.
  const options: axe.RunOptions = {
    resultTypes: ["violations"],
    ...(rules ? { runOnly: { type: "rule", values: [...rules] } } : {}),
  };
  const run = `axe.run(${JSON.stringify(options)}).then(({ violations, passes }) => ({ violations, passed: passes.length }))`;
  const { violations, passed } = (await page.evaluate(run)) as Pick<axe.AxeResults, "violations"> & {
    readonly passed: number;
  };
  expect(passed).toBeGreaterThan(0);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help} at ${node.target.join(" ")}: ${node.failureSummary}`),
  );
}

/** Remembers where everything stands; what it gives says what has come, gone, or stands elsewhere since. */
async function movedSince(page: Page): Promise<() => Promise<readonly string[]>> {
  const places = await page.evaluateHandle(
    () => new Map([...document.querySelectorAll("*")].map((one) => [one, one.getBoundingClientRect()])),
  );
  return () =>
    places.evaluate((before) => {
      const now = [...document.querySelectorAll("*")];
      const moved = now.filter((one) => {
        const [was, is] = [before.get(one), one.getBoundingClientRect()];
        return !was || was.x !== is.x || was.y !== is.y || was.width !== is.width || was.height !== is.height;
      });
      const gone = [...before.keys()].filter((one) => !one.isConnected);
      return [...moved, ...gone].map(({ tagName, id, className }) => `${tagName} ${id} ${className}`);
    });
}

/** What can only be read by scrolling sideways. */
function sidewaysIn(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const tables = [...document.querySelectorAll(".scroll")].filter(
      (box) => box.clientWidth > 0 && box.scrollWidth > box.clientWidth,
    );
    const texts = [...document.querySelectorAll(".chart text.end")].filter(
      (text) => text.getBoundingClientRect().right > text.closest("svg")!.getBoundingClientRect().right,
    );
    return [
      ...(document.documentElement.scrollWidth > innerWidth ? ["the page"] : []),
      ...tables.map((box) => `the table "${box.querySelector("caption")?.textContent}"`),
      ...texts.filter((text) => text.checkVisibility()).map((text) => `the label "${text.textContent}"`),
    ];
  });
}

function focused(page: Page): Promise<string | null | undefined> {
  return page.evaluate(() => document.activeElement?.textContent);
}

/** Waits for the field that a page lets one type into at once; it gets the focus with the page's first frame. */
async function focusOn(page: Page, id: string): Promise<void> {
  await page.waitForFunction((wanted) => document.activeElement?.id === wanted, id);
}

/** Presses Tab until something is reached, and says how often. */
async function tabTo(page: Page, text: string): Promise<number> {
  for (let presses = 1; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    if ((await focused(page)) === text) return presses;
  }
  throw new Error(`Tab does not reach "${text}"`);
}

async function expectVisibleFocus(page: Page): Promise<void> {
  const outline = await page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement!);
    return { outlineStyle, outlineWidth };
  });
  expect(outline).toEqual({ outlineStyle: "solid", outlineWidth: "3px" });
}

/** A folder of reports with a picture, or the one that PF_REPORTS names. */
function reports(atEnd: (remove: () => void) => void): string {
  if (process.env.PF_REPORTS) return process.env.PF_REPORTS;
  const folder = mkdtempSync(join(tmpdir(), "pf-page-reports-"));
  atEnd(() => rmSync(folder, { recursive: true }));
  const manifest = { first: "2015-01-02", last: "2025-12-31", data: { SPY: { source: "ibkr" } } };
  const metrics = {
    CAGR: 0.0521,
    Sharpe: 0.4426,
    Sortino: 0.6,
    Calmar: 0.105,
    MaxDD: 0.4977,
    AnnualVol: 0.136,
  };
  const verdict = {
    headline: "No test made can tell the strategy from luck.",
    findings: [
      { passed: false, line: "Deflated Sharpe ratio: 0.858 probability; 0.95 is the usual demand." },
    ],
    limits: ["All of it is about these bars at these costs."],
  };
  const put = (name: string, document: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(document));
  put("metrics.json", {
    metrics,
    benchmarks: { SPY: metrics, equal_weight: metrics, "60_40": metrics },
    literal: metrics,
    manifest,
  });
  put("walkforward.json", {
    objective: "Calmar",
    folds: [],
    comparison: { walkForward: metrics, fixed: metrics, spy: metrics, efficiency: 0.31, gainingFolds: 0.55 },
    verdict,
    manifest,
  });
  put("permutation.json", { runs: 200, overall: { pPlusOne: 0.004975, windows: 32 }, verdict, manifest });
  // One grey dot.
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
  writeFileSync(join(folder, "equity.png"), Buffer.from(dot, "base64"));
  return folder;
}
