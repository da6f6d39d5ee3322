import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentOf, type Finished, filesIn, pf, smallMarket, temporaryFolder } from "./process.js";
import { startSim } from "./simulator.js";

// Every secret setting is given a text that no machine says by chance, through every source; then everything that a
// program printed and wrote is searched for it.

/** What stands in for the services: it refuses everybody at once. */
let service: Server;
let port: number;
let bars: string;
beforeAll(async () => {
  service = createServer((_, response) => response.writeHead(404).end("no"));
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  port = (service.address() as AddressInfo).port;
  bars = temporaryFolder();
  expect((await pf(["fetch", ...smallMarket, "--data-dir", bars])).code).toBe(0);
});
afterAll(() => new Promise((resolve) => service.close(resolve)));

interface Secrets {
  /** By setting, as it is written. */
  readonly values: Readonly<Record<string, string>>;
  /** What may be found nowhere. */
  readonly texts: readonly string[];
}

function freshSecrets(): Secrets {
  const texts: string[] = [];
  const fresh = () => {
    const text = `s${randomBytes(12).toString("hex")}`;
    texts.push(text);
    return text;
  };
  const values = {
    "research.queue": `redis://:${fresh()}@127.0.0.1:${port}`,
    "page.token": fresh(),
    "alerts.webhook": `http://127.0.0.1:${port}/hooks/${fresh()}?key=${fresh()}`,
    "alerts.ntfy": `http://127.0.0.1:${port}/${fresh()}`,
    "alerts.ntfy_token": fresh(),
    "alerts.email.smtp": `smtps://${fresh()}:${fresh()}@127.0.0.1:${port}`,
    "alerts.ping": `http://${fresh()}:${fresh()}@127.0.0.1:${port}/${fresh()}`,
  };
  return { values, texts };
}

const people = { "alerts.email.from": "pf@example.org", "alerts.email.to": "[me@example.org]" };
const variableOf = (name: string) => `PF_${name.toUpperCase().replaceAll(".", "__")}`;
const yamlOf = (values: Readonly<Record<string, string>>) => {
  const tree: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const path = name.split(".");
    const last = path.pop()!;
    const section = path.reduce<Record<string, unknown>>((inner, key) => {
      inner[key] ??= {};
      return inner[key] as Record<string, unknown>;
    }, tree);
    section[last] = value.startsWith("[") ? JSON.parse(value.replace(/[^[\],]+/g, '"$&"')) : value;
  }
  return JSON.stringify(tree);
};

/** A folder to start in, and what has to be said there, so that the settings come from one source. */
interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly string[];
}
const sources: Readonly<Record<string, (values: Readonly<Record<string, string>>, cwd: string) => Place>> = {
  "config.yaml": (values, cwd) => {
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config", "config.yaml"), yamlOf(values));
    return { cwd, env: {}, words: [] };
  },
  ".env": (values, cwd) => {
    const lines = Object.entries(values).map(([name, value]) => `${variableOf(name)}=${value}`);
    writeFileSync(join(cwd, ".env"), `${lines.join("\n")}\n`);
    return { cwd, env: {}, words: [] };
  },
  environment: (values, cwd) => ({
    cwd,
    env: Object.fromEntries(Object.entries(values).map(([name, value]) => [variableOf(name), value])),
    words: [],
  }),
  "--set": (values, cwd) => ({
    cwd,
    env: {},
    words: Object.entries(values).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
  }),
};

/** Runs commands in a place; nothing they print, and no file but those the person wrote, may hold a secret. */
async function searched(secrets: Secrets, place: Place, commands: readonly (readonly string[])[]) {
  const own = new Set(Object.keys(filesIn(place.cwd)));
  const finished: Finished[] = [];
  for (const words of commands) {
    const env = { ...place.env, PF_DEBUG: "1" };
    const run = await pf([...words, ...place.words], { cwd: place.cwd, env });
    finished.push(run);
    for (const text of secrets.texts) {
      expect(`${run.stdout}${run.stderr}`, `pf ${words.join(" ")}`).not.toContain(text);
    }
  }
  const names = readdirSync(place.cwd, { recursive: true, encoding: "utf8" });
  const written = names.filter((name) => !own.has(name) && statSync(join(place.cwd, name)).isFile());
  for (const name of written) {
    const bytes = readFileSync(join(place.cwd, name));
    for (const text of secrets.texts) expect(bytes.includes(text), name).toBe(false);
  }
  return { finished, written };
}

const cache = () => ["--data-dir", bars, ...smallMarket];

describe.each(Object.keys(sources))("a secret from %s", (source) => {
  it("is used, and found in nothing that a command prints or writes", async () => {
    const secrets = freshSecrets();
    const place = sources[source]!({ ...secrets.values, ...people }, temporaryFolder());
    const { finished, written } = await searched(secrets, place, [
      ["config", "show"],
      ["config", "show", "--json"],
      ["config", "check", "--json"],
      ["backtest", "--no-plots", ...cache()],
      ["weights", "--json", ...cache()],
      ["alert", "test", "--dry-run"],
      ["alert", "test", "--json"],
      // What goes wrong elsewhere in the configuration, and in what was typed.
      ["config", "check", "--set", "selection.top_n=0"],
      ["backtest", "--json", "--start", "2016-01-01", "--end", "2015-01-01", ...cache()],
      ["connect", "--json", "--set", "ibkr.port=1"],
      ["fetch", "SPY", "--json"],
    ]);
    expect(finished.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0, 4, 2, 2, 4, 2]);
    expect(finished[0]!.stdout.match(/"\*\*\*"/g)).toHaveLength(7);
    const shown = documentOf(finished[1]!);
    const hidden = shown.settings.filter(({ value }: { value: unknown }) => value === "***");
    expect(hidden.map(({ key }: { key: string }) => key)).toEqual(Object.keys(secrets.values));
    // They reached where they were meant to go, and were refused there.
    expect(documentOf(finished[6]!).channels).toEqual([
      { channel: "webhook", ok: false, attempts: 1, detail: `127.0.0.1:${port} answered 404` },
      { channel: "ntfy", ok: false, attempts: 1, detail: `127.0.0.1:${port} answered 404` },
      {
        channel: "email",
        ok: false,
        attempts: 1,
        detail: expect.stringMatching(/^127\.0\.0\.1:\d+ does not speak TLS/),
      },
      { channel: "ping", ok: false, attempts: 1, detail: `127.0.0.1:${port} answered 404` },
    ]);
    expect(written.some((name) => name.endsWith(".jsonl"))).toBe(true);
  });

  it("that is wrong is refused by name, and found in nothing either", async () => {
    const { texts } = freshSecrets();
    const [token, hook, topic, word, server, check] = texts;
    const values = {
      "page.token": token!.slice(0, 12),
      "alerts.webhook": `gopher://${hook}`,
      "alerts.ntfy": topic!,
      "alerts.ntfy_token": `${word} ${word}`,
      "alerts.email.smtp": `imap://${server}`,
      "alerts.ping": `ftp:${check}`,
      "alerts.pin": check!,
    };
    const place = sources[source]!(values, temporaryFolder());
    const secrets = { values, texts: [...texts, token!.slice(0, 12)] };
    const { finished } = await searched(secrets, place, [
      ["config", "check"],
      ["alert", "test", "--json"],
    ]);
    for (const { code } of finished) expect(code).toBe(2);
    const { issues } = documentOf(finished[1]!).error.details;
    expect(issues.map(({ key }: { key: string }) => key).sort()).toEqual(Object.keys(values).sort());
  });
});

describe("a search, and a rehearsal of trading at a simulated broker", () => {
  it("leave no secret behind", async () => {
    const secrets = freshSecrets();
    const home = temporaryFolder();
    cpSync(bars, join(home, "data"), { recursive: true });
    const place = sources.environment!({ ...secrets.values, ...people }, home);
    const sim = await startSim(["--clock", "2025-06-02T15:55:05", "--speed", "2"]);
    const settings = ["--set", "universe=[SPY, TLT, GLD]", "--set", "ibkr.start=2024-06-03"];
    const market = ["--data-dir", "cache", ...settings, ...sim.address];
    const own = ["--clock", "broker", ...market];
    const grid = "walkforward.reoptimize={ema_fast: [10], ema_slow: [40], top_n: [1, 2], corr_cap: [0.7]}";
    const study = ["--no-plots", ...smallMarket, "--set", grid, "--set", "walkforward.train_years=1"];
    const { finished, written } = await searched(secrets, place, [
      ["walkforward", ...study],
      ["connect", ...settings, ...sim.address],
      ["fetch", "--end", "2025-05-30", ...market],
      ["trade", "--dry-run", ...own],
      ["trade", "--paper", "--json", ...own],
      ["status", "--json", "--clock", "broker", ...sim.address],
    ]);
    await sim.end();
    expect(finished.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(written.filter((name) => /sqlite|trials|\.jsonl$/.test(name)).length).toBeGreaterThan(3);
  });
});
