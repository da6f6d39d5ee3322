import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Simulator, startSimulator } from "@pf/tws-sim";
import { afterEach, describe, expect, it } from "vitest";

// The worker as it is installed: the built program in a process of its own, against a simulated broker.

const program = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const built = (name: string) => new URL(`../dist/${name}`, import.meta.url).href;
const token = "a-token-that-nobody-guesses";
const homes: string[] = [];
const children: ChildProcess[] = [];
const simulators: Simulator[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const simulator of simulators.splice(0)) await simulator.close();
  for (const server of servers.splice(0)) await close(server);
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), "pf-process-"));
  homes.push(home);
  return home;
}

async function brokerAt(time: string): Promise<Simulator> {
  const simulator = await startSimulator({ startUtcMs: Date.parse(time), speed: 1, pacing: "off" });
  simulators.push(simulator);
  return simulator;
}

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly page?: string;
  readonly [fact: string]: unknown;
}

class WorkerProcess {
  readonly lines: Line[] = [];
  stderr = "";
  private rest = "";
  private told = () => {};
  readonly ended: Promise<number | null>;

  constructor(
    readonly child: ChildProcess,
    private readonly waits = new Set<() => void>(),
  ) {
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const parts = (this.rest + text).split("\n");
      this.rest = parts.pop()!;
      this.lines.push(...parts.map((part) => JSON.parse(part) as Line));
      for (const check of this.waits) check();
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.on("exit", (code) => {
        resolve(code);
        for (const check of this.waits) check();
      });
    });
    this.told();
  }

  /** The first line that says so; rejects when the process ends without it. */
  async line(message: string): Promise<Line> {
    for (;;) {
      const found = this.lines.find(({ msg }) => msg === message);
      if (found) return found;
      if (this.child.exitCode !== null)
        throw new Error(`it ended without "${message}": ${this.stderr} ${JSON.stringify(this.lines)}`);
      await new Promise<void>((resolve) => {
        const check = () => {
          this.waits.delete(check);
          resolve();
        };
        this.waits.add(check);
      });
    }
  }
}

/** Takes messages as a webhook does, or none of them; `null` for one that nobody serves. */
async function webhookAt(port: number): Promise<{ readonly port: number; readonly messages: Message[] }> {
  const messages: Message[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      messages.push(JSON.parse(body) as Message);
      response.end("ok");
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, messages };
}

interface Message {
  readonly key: string;
  readonly level: string;
  readonly title: string;
  readonly message: string;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function start(home: string, words: readonly string[], port?: number, started = program): WorkerProcess {
  const set = [
    "page.port=0",
    `page.token=${token}`,
    "ibkr.market_mode=live",
    "ibkr.start=2024-06-03",
    "universe=[SPY, QQQ, TLT, GLD, BITO]",
    "rebalance.min_weight_change=0",
    "selection.corr_cap=1",
    ...(port === undefined ? [] : [`ibkr.port=${port}`]),
  ].flatMap((setting) => ["--set", setting]);
  const folders = ["data-dir", "out", "state-dir"].flatMap((name) => [`--${name}`, join(home, name)]);
  const child = spawn(process.execPath, [started, ...set, ...folders, ...words], {
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  return new WorkerProcess(child);
}

describe("a worker's process", () => {
  it("is ready with its page, trades within the window, and ends when asked to", async () => {
    const simulator = await brokerAt("2025-07-08T19:55:20Z");
    const home = newHome();
    const worker = start(home, ["--clock", "broker"], simulator.port);
    const { page, mode, account } = await worker.line("ready");
    expect([mode, account]).toEqual(["paper", "DUK200445"]);
    expect(await (await fetch(`${page}healthz`)).json()).toMatchObject({ status: "ok" });
    expect((await fetch(`${page}view.json`)).status).toBe(401);
    expect(await worker.line("session done with")).toMatchObject({ result: "traded", outcome: "filled" });
    const asReader = { headers: { authorization: `Bearer ${token}` } };
    const view = (await (await fetch(`${page}view.json`, asReader)).json()) as {
      history: { orders: readonly { status: string }[] };
    };
    expect(view.history.orders.map(({ status }) => status)).toEqual(["filled"]);
    const metrics = await (await fetch(`${page}metrics`, asReader)).text();
    expect(metrics).toContain('pf_sessions_total{outcome="filled"} 1');
    worker.child.kill("SIGTERM");
    expect(await worker.ended).toBe(0);
    expect(worker.stderr).toBe("");
    expect(worker.lines.map(({ msg }) => msg)).toContain("stopping at the next safe point");
    // What it keeps is its user's alone, and its secret is nowhere.
    for (const name of readdirSync(home, { recursive: true, encoding: "utf8" })) {
      const path = join(home, name);
      if (name.startsWith("state-dir")) expect(statSync(path).mode & 0o077, name).toBe(0);
      if (statSync(path).isFile()) expect(readFileSync(path).includes(token), name).toBe(false);
    }
    expect(JSON.stringify(worker.lines)).not.toContain(token);
  });

  it("killed in the middle of its rebalance is followed by one that finishes it, with every order once", async () => {
    const simulator = await brokerAt("2025-07-11T19:55:20Z");
    const taken = new Map<string, Set<string>>();
    const home = newHome();
    const first = start(home, ["--clock", "broker"], simulator.port);
    const ordered = new Promise<void>((resolve) => {
      simulator.venue.onEvent((event) => {
        const { order, permId } =
          event.kind === "status" || event.kind === "error" ? event.state : event.execution.order;
        taken.set(order.orderRef, (taken.get(order.orderRef) ?? new Set()).add(permId));
        first.child.kill("SIGKILL");
        resolve();
      });
    });
    await ordered;
    expect(await first.ended).toBeNull();
    const second = start(home, ["--clock", "broker"], simulator.port);
    expect(await second.line("session done with")).toMatchObject({ session: "2025-07-11", result: "traded" });
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect([...taken.values()].map((ids) => ids.size)).toEqual([...taken].map(() => 1));
    expect(taken.size).toBeGreaterThan(0);
  });

  it("killed with -9 is told of by the next one, and what reached nobody by the one after that, once", async () => {
    const simulator = await brokerAt("2025-07-08T15:00:00Z");
    const home = newHome();
    const secret = "aWebhookThatNobodyKnows";
    const before = await webhookAt(0);
    await close(servers.pop()!);
    const hook = ["--set", `alerts.webhook=http://127.0.0.1:${before.port}/${secret}`];
    const words = ["--clock", "broker", ...hook];
    const first = start(home, words, simulator.port);
    await first.line("ready");
    first.child.kill("SIGKILL");
    await first.ended;

    const second = start(home, words, simulator.port);
    expect(await second.line("The worker was ended from outside")).toMatchObject({ level: 40 });
    expect(await second.line("an alarm could not be delivered")).toMatchObject({ attempts: 4 });
    const { page } = await second.line("ready");
    const asReader = { headers: { authorization: `Bearer ${token}` } };
    expect(await (await fetch(`${page}metrics`, asReader)).text()).toMatch(/^pf_alerts_waiting [1-9]/m);
    const shown = await (
      await fetch(page!, { headers: { ...asReader.headers, accept: "text/html" } })
    ).text();
    expect(shown).toContain("reached nobody yet");
    second.child.kill("SIGKILL");
    await second.ended;

    const { messages } = await webhookAt(before.port);
    const told = () => messages.filter(({ key }) => key === "life");
    for (let life = 0; life < 2; life++) {
      const third = start(home, words, simulator.port);
      await third.line("ready");
      while (told().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      third.child.kill("SIGTERM");
      expect(await third.ended).toBe(0);
    }
    expect(told()).toMatchObject([{ level: "warning", title: "The worker was ended from outside" }]);
    expect(told()[0]!.message).toMatch(/^told first on 2025-07-08 at 11:0\d New York time/);
    const titles = messages.map(({ title, message }) => `${title} ${message}`);
    expect(new Set(titles).size).toBe(titles.length);
    for (const name of readdirSync(home, { recursive: true, encoding: "utf8" })) {
      const path = join(home, name);
      if (statSync(path).isFile()) expect(readFileSync(path).includes(secret), name).toBe(false);
    }
  }, 60_000);

  it("that hangs is ended by its watchdog, and the next one raises the alarm", async () => {
    const simulator = await brokerAt("2025-07-08T15:00:00Z");
    const home = newHome();
    // The program as it is, but that it can be asked to hang, with a watchdog that has less patience.
    mkdirSync(join(home, "program", "dist"), { recursive: true });
    writeFileSync(join(home, "program", "package.json"), '{ "version": "0.0.0", "type": "module" }');
    writeFileSync(
      join(home, "program", "dist", "watchdog-thread.js"),
      `import { workerData } from "node:worker_threads";
       workerData.mostSilent = 2;
       await import(${JSON.stringify(built("watchdog-thread.js"))});`,
    );
    const hanging = join(home, "program", "run.js");
    writeFileSync(
      hanging,
      `import { main } from ${JSON.stringify(built("main.js"))};
       process.once("SIGUSR2", () => { for (;;); });
       await main(process.argv.slice(2), new URL("./", import.meta.url));`,
    );
    const first = start(home, ["--clock", "broker"], simulator.port, hanging);
    await first.line("ready");
    first.child.kill("SIGUSR2");
    expect(await first.ended).toBeNull();
    expect(first.stderr).toContain("the main thread hangs");
    const second = start(home, ["--clock", "broker"], simulator.port);
    expect(await second.line("The worker hung, and was ended")).toMatchObject({ level: 50 });
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect(readdirSync(join(home, "state-dir", "worker")).filter((name) => name.endsWith(".hung"))).toEqual(
      [],
    );
  }, 60_000);

  it("trades without its page where the address is taken, and shows it as soon as it is free", async () => {
    const simulator = await brokerAt("2025-07-08T19:55:20Z");
    const taken = await webhookAt(0);
    const home = newHome();
    const where = ["--clock", "broker", "--set", `page.port=${taken.port}`];
    const worker = start(home, where, simulator.port);
    expect((await worker.line("ready")).page).toBeNull();
    await worker.line("the page cannot be served there yet, and is tried again");
    expect(await worker.line("session done with")).toMatchObject({ result: "traded", outcome: "filled" });
    await close(servers.pop()!);
    let answer: Response | undefined;
    while (!answer?.ok) {
      answer = await fetch(`http://127.0.0.1:${taken.port}/healthz`).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await answer.json()).toMatchObject({ status: "ok" });
    worker.child.kill("SIGTERM");
    expect(await worker.ended).toBe(0);
    expect(worker.stderr).toBe("");
  }, 60_000);

  it("beside another worker of the account is never ready, and says why it ends", async () => {
    const simulator = await brokerAt("2025-07-08T15:00:00Z");
    const home = newHome();
    const first = start(home, ["--clock", "broker"], simulator.port);
    await first.line("ready");
    const second = start(home, ["--clock", "broker"], simulator.port);
    expect(await second.ended).toBe(5);
    expect(second.stderr).toContain("PF_STATE_LOCKED");
    expect(second.lines).toEqual([]);
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
  });

  it("says what is wrong with how it was started, and does nothing", async () => {
    const home = newHome();
    const said = async (words: readonly string[]) => {
      const worker = start(home, words);
      const code = await worker.ended;
      return [code, (JSON.parse(worker.stderr) as { error: { code: string } }).error.code];
    };
    expect(await said(["--role", "both"])).toEqual([2, "PF_USAGE"]);
    expect(await said(["--paper", "--live"])).toEqual([2, "PF_USAGE"]);
    expect(await said(["--rebalance"])).toEqual([2, "PF_USAGE"]);
    expect(await said(["--workers", "2"])).toEqual([2, "PF_USAGE"]);
    expect(await said(["--live"])).toEqual([2, "PF_USAGE"]);
    expect(await said(["--live", "--set", "ibkr.account_live=U1234567"])).toEqual([2, "PF_LIVE_LOCKED"]);
    // Nobody listens at the broker's port, and nobody was asked: that would be another error.
    expect(await said(["--clock", "broker", "--set", "ibkr.timeframe=1 hour"])).toEqual([
      2,
      "PF_HOURLY_BARS",
    ]);
    expect(
      await said(["--live", "--set", "ibkr.account_live=U1234567", "--set", "execution.live=true"]),
    ).toEqual([2, "PF_LIVE_LOCKED"]);
    expect(await said(["--set", "page.host=0.0.0.0", "--set", "page.token="])).toEqual([2, "PF_PAGE_OPEN"]);
    expect(await said(["--role", "research"])).toEqual([2, "PF_USAGE"]);
    expect(readdirSync(home)).toEqual([]);
  });
});
