import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Simulator, startSimulator } from "@pf/tws-sim";
import { describe, expect, it, type TestContext } from "vitest";

// The worker as it is installed: the built program in a process of its own, against a simulated broker.

const program = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const built = (name: string) => new URL(`../dist/${name}`, import.meta.url).href;
const token = "a-token-that-nobody-guesses";

/** What a test starts, which ends with it: each has its own, so that they run beside each other. */
function worldOf({ onTestFinished }: TestContext) {
  const home = mkdtempSync(join(tmpdir(), "pf-process-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return {
    home,
    async brokerAt(time: string): Promise<Simulator> {
      const simulator = await startSimulator({ startUtcMs: Date.parse(time), speed: 1, pacing: "off" });
      onTestFinished(() => simulator.close());
      return simulator;
    },
    start(words: readonly string[], port?: number, started = program): WorkerProcess {
      const worker = startIn(home, words, port, started);
      onTestFinished(async () => {
        worker.child.kill("SIGKILL");
        await worker.ended;
      });
      return worker;
    },
    async webhookAt(port: number): Promise<Webhook> {
      const webhook = await openWebhook(port);
      onTestFinished(webhook.close);
      return webhook;
    },
  };
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

interface Webhook {
  readonly port: number;
  readonly messages: readonly Message[];
  close(): Promise<void>;
}

/** Takes messages as a webhook does, until it is closed. */
async function openWebhook(port: number): Promise<Webhook> {
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
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Message {
  readonly key: string;
  readonly level: string;
  readonly title: string;
  readonly message: string;
}

function settingsOf(home: string): readonly string[] {
  const set = [
    "page.port=0",
    `page.token=${token}`,
    "ibkr.market_mode=live",
    "ibkr.start=2024-06-03",
    "universe=[SPY, QQQ, TLT, GLD, BITO]",
    "rebalance.min_weight_change=0",
    "selection.corr_cap=1",
  ].flatMap((setting) => ["--set", setting]);
  const folders = ["data-dir", "out", "state-dir"].flatMap((name) => [`--${name}`, join(home, name)]);
  return [...set, ...folders];
}

function startIn(
  home: string,
  words: readonly string[],
  port: number | undefined,
  started: string,
): WorkerProcess {
  const broker = port === undefined ? [] : ["--set", `ibkr.port=${port}`];
  const child = spawn(process.execPath, [started, ...settingsOf(home), ...broker, ...words], {
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new WorkerProcess(child);
}

/** The exit code and the error that the program, called again and again within a process, has for each of its arguments. */
async function answersTo(calls: readonly (readonly string[])[], home: string): Promise<unknown> {
  const all = calls.map((words) => [...settingsOf(home), ...words]);
  const text = `
    import { main } from ${JSON.stringify(built("main.js"))};
    const exit = process.exit;
    process.exit = () => {};
    const answers = [];
    for (const words of ${JSON.stringify(all)}) {
      let said = "";
      process.exitCode = 0;
      process.stderr.write = (part) => { said += part; return true; };
      await main(words, new URL(${JSON.stringify(new URL("../", import.meta.url).href)}));
      answers.push([process.exitCode, JSON.parse(said).error.code]);
    }
    process.stdout.write(JSON.stringify(answers), () => exit(0));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", text], {
    cwd: home,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let answers = "";
  for await (const part of child.stdout.setEncoding("utf8")) answers += part as string;
  return JSON.parse(answers);
}

describe("a worker's process", () => {
  it.concurrent("is ready with its page, trades within the window, and ends when asked to", async (test) => {
    const { home, brokerAt, start } = worldOf(test);
    const simulator = await brokerAt("2025-07-08T19:55:20Z");
    const worker = start(["--clock", "broker"], simulator.port);
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

  it.concurrent("killed in the middle of its rebalance is followed by one that finishes it, with every order once", async (test) => {
    const { brokerAt, start } = worldOf(test);
    const simulator = await brokerAt("2025-07-11T19:55:20Z");
    const taken = new Map<string, Set<string>>();
    const first = start(["--clock", "broker"], simulator.port);
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
    const second = start(["--clock", "broker"], simulator.port);
    expect(await second.line("session done with")).toMatchObject({ session: "2025-07-11", result: "traded" });
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect([...taken.values()].map((ids) => ids.size)).toEqual([...taken].map(() => 1));
    expect(taken.size).toBeGreaterThan(0);
  });

  it.concurrent("killed with -9 is told of by the next one, and what reached nobody by the one after that, once", async (test) => {
    const { home, brokerAt, start, webhookAt } = worldOf(test);
    const simulator = await brokerAt("2025-07-08T15:00:00Z");
    const secret = "aWebhookThatNobodyKnows";
    const before = await webhookAt(0);
    await before.close();
    const hook = ["--set", `alerts.webhook=http://127.0.0.1:${before.port}/${secret}`];
    const words = ["--clock", "broker", ...hook];
    // At rest, as the second one is when it is killed: one that dies in the middle of a step is told of apart.
    const first = start(words, simulator.port);
    await first.line("ready for the session");
    first.child.kill("SIGKILL");
    await first.ended;

    const second = start(words, simulator.port);
    expect(await second.line("The worker was ended from outside")).toMatchObject({ level: 40 });
    expect(await second.line("an alarm could not be delivered")).toMatchObject({ attempts: 4 });
    const { page } = await second.line("ready");
    await second.line("ready for the session");
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
      const third = start(words, simulator.port);
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
  });

  it.concurrent("that hangs is ended by its watchdog, and the next one raises the alarm", async (test) => {
    const { home, brokerAt, start } = worldOf(test);
    const simulator = await brokerAt("2025-07-08T15:00:00Z");
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
       process.once("SIGUSR2", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
       await main(process.argv.slice(2), new URL("./", import.meta.url));`,
    );
    const first = start(["--clock", "broker"], simulator.port, hanging);
    await first.line("ready");
    first.child.kill("SIGUSR2");
    expect(await first.ended).toBeNull();
    expect(first.stderr).toContain("the main thread hangs");
    const second = start(["--clock", "broker"], simulator.port);
    expect(await second.line("The worker hung, and was ended")).toMatchObject({ level: 50 });
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect(readdirSync(join(home, "state-dir", "worker")).filter((name) => name.endsWith(".hung"))).toEqual(
      [],
    );
  });

  it.concurrent("trades without its page where the address is taken, and shows it as soon as it is free", async (test) => {
    const { brokerAt, start, webhookAt } = worldOf(test);
    const simulator = await brokerAt("2025-07-08T19:55:20Z");
    const taken = await webhookAt(0);
    const where = ["--clock", "broker", "--set", `page.port=${taken.port}`];
    const worker = start(where, simulator.port);
    expect((await worker.line("ready")).page).toBeNull();
    await worker.line("the page cannot be served there yet, and is tried again");
    expect(await worker.line("session done with")).toMatchObject({ result: "traded", outcome: "filled" });
    await taken.close();
    let answer: Response | undefined;
    while (!answer?.ok) {
      answer = await fetch(`http://127.0.0.1:${taken.port}/healthz`).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await answer.json()).toMatchObject({ status: "ok" });
    worker.child.kill("SIGTERM");
    expect(await worker.ended).toBe(0);
    expect(worker.stderr).toBe("");
  });

  it.concurrent("beside another worker of the account is never ready, and says why it ends", async (test) => {
    const { brokerAt, start } = worldOf(test);
    const simulator = await brokerAt("2025-07-08T15:00:00Z");
    const first = start(["--clock", "broker"], simulator.port);
    await first.line("ready");
    const second = start(["--clock", "broker"], simulator.port);
    expect(await second.ended).toBe(5);
    expect(second.stderr).toContain("PF_STATE_LOCKED");
    expect(second.lines).toEqual([]);
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
  });

  it.concurrent("says what is wrong with how it was started, and does nothing", async (test) => {
    const { home, start } = worldOf(test);
    const live = ["--live", "--set", "ibkr.account_live=U1234567"];
    const wrong: readonly (readonly [words: readonly string[], code: string])[] = [
      [["--role", "both"], "PF_USAGE"],
      [["--paper", "--live"], "PF_USAGE"],
      [["--rebalance"], "PF_USAGE"],
      [["--workers", "2"], "PF_USAGE"],
      [["--live"], "PF_USAGE"],
      [live, "PF_LIVE_LOCKED"],
      // Nobody listens at the broker's port, and nobody was asked: that would be another error.
      [["--clock", "broker", "--set", "ibkr.timeframe=1 hour"], "PF_HOURLY_BARS"],
      [[...live, "--set", "execution.live=true"], "PF_LIVE_LOCKED"],
      [["--set", "page.host=0.0.0.0", "--set", "page.token="], "PF_PAGE_OPEN"],
      [["--role", "research"], "PF_USAGE"],
    ];
    const [[words, code], ...others] = wrong as [(typeof wrong)[number], ...typeof wrong];
    const worker = start(words);
    expect(await worker.ended).toBe(2);
    expect(JSON.parse(worker.stderr)).toMatchObject({ error: { code } });
    // What one process says of one, another says of all the others in turn: most of its time goes to its start.
    expect(
      await answersTo(
        others.map((one) => one[0]),
        home,
      ),
    ).toEqual(others.map((one) => [2, one[1]]));
    expect(readdirSync(home)).toEqual([]);
  });
});
