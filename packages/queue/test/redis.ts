import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

/** Where `redis-server` is not installed, what needs it says so and is skipped. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
/** For the titles of what did not run. */
export const whyNot = hasRedis ? "" : " (not run: redis-server is not installed)";

/** A Redis of the test's own: a free port, a folder that is gone afterwards. */
export interface TestRedis {
  readonly address: string;
  readonly port: number;
  /** For looking at what is in it. */
  readonly client: Redis;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on its port, with what its disk holds. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startRedis(options: readonly string[] = []): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), "pf-redis-"));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async () => {
    const words = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...options];
    const started = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.once("exit", () => reject(new Error("redis-server ended by itself")));
      started.stdout.on("data", (text: Buffer) => {
        if (/Ready to accept connections/.test(text.toString())) resolve();
      });
    });
  };
  const kill = async () => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()));
    running.kill("SIGKILL");
    await ended;
  };
  await start();
  const password = options[options.indexOf("--requirepass") + 1];
  const isLocked = options.includes("--requirepass");
  const client = new Redis({
    port,
    ...(isLocked && password !== undefined ? { password } : {}),
    maxRetriesPerRequest: null,
    retryStrategy: () => 50,
  });
  client.on("error", () => {});
  return {
    address: isLocked ? `redis://:${password}@127.0.0.1:${port}` : `redis://127.0.0.1:${port}`,
    port,
    client,
    kill,
    start,
    async close() {
      client.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
