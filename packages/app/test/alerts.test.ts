import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigError, resolveConfig } from "@pf/config";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { alertsOf, createServices, describeFailure } from "../src/index.js";

/** What the services hear, and what they answer. */
let server: Server;
let url: string;
let host: string;
const heard: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on("end", () => {
      heard.push(`${request.method} ${request.url}`);
      response.writeHead(request.url?.startsWith("/refused") ? 403 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `http://${host}`;
});
afterEach(() => void heard.splice(0));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const servicesWith = (...overrides: string[]) =>
  createServices({
    configuration: { overrides },
    folders: { data: "nowhere", out: "nowhere", state: "nowhere" },
    version: "0.0.0-test",
  });

describe("alertTest", () => {
  it("sends an alarm on every channel, calls the switch, and says what became of it", async () => {
    const services = servicesWith(
      `alerts.webhook=${url}/hook`,
      `alerts.ntfy=${url}/topic`,
      `alerts.ping=${url}/check`,
    );
    const outcome = await services.alertTest();
    expect(outcome.error).toBeUndefined();
    expect(outcome.channels).toEqual(
      ["webhook", "ntfy", "ping"].map((channel) => ({
        channel,
        ok: true,
        attempts: 1,
        detail: `${host} answered 200`,
      })),
    );
    expect([...heard].sort()).toEqual(["GET /check", "POST /hook", "POST /topic"]);
  });

  it("says all, and fails with exit code 4, where one of them does not take it", async () => {
    const { channels, error } = await servicesWith(
      `alerts.webhook=${url}/refused`,
      `alerts.ntfy=${url}/topic`,
    ).alertTest();
    expect(channels.map(({ channel, ok }) => [channel, ok])).toEqual([
      ["webhook", false],
      ["ntfy", true],
    ]);
    expect(error).toMatchObject({
      code: "PF_ALERT_UNDELIVERED",
      details: { failed: ["webhook"], channels: 2 },
    });
  });

  it("sends nothing in a dry run, and says what would go where", async () => {
    const outcome = await servicesWith(`alerts.webhook=${url}/hook`, `alerts.ping=${url}/check`).alertTest({
      dryRun: true,
    });
    expect(outcome).toEqual({
      dryRun: true,
      planned: [
        { channel: "webhook", host, content: expect.stringMatching(/^POST, \d+ bytes of JSON$/) },
        { channel: "ping", host, content: "GET" },
      ],
      channels: [],
    });
    expect(heard).toEqual([]);
  });

  it("says what to set where nobody would hear of an alarm", async () => {
    const failure = await servicesWith().alertTest().then(String, describeFailure);
    expect(failure).toMatchObject({ code: "PF_ALERT_NONE", exit: 2 });
    expect((failure as { next: string }).next).toContain("PF_ALERTS__WEBHOOK");
  });
});

describe("alertsOf", () => {
  it("has the channels that are set, with the clock it is given", async () => {
    const pauses: number[] = [];
    const loaded = resolveConfig({ overrides: [`alerts.ping=${url}/refused`, `alerts.ntfy=${url}/topic`] });
    const timers = { nowUtcMs: () => 0, sleep: async (ms: number) => void pauses.push(ms) };
    const alerts = alertsOf(loaded, timers);
    expect(alerts.channels).toEqual(["ntfy", "ping"]);
    expect(await alerts.ping("fail")).toMatchObject({ channel: "ping", ok: false, attempts: 1 });
    expect(heard).toEqual(["GET /refused/fail"]);
    expect(alertsOf(resolveConfig({})).channels).toEqual([]);
    expect(await alertsOf(resolveConfig({})).ping()).toBeNull();
  });

  it("takes whatever the configuration takes", () => {
    const address = fc.webUrl({ withQueryParameters: true, withFragments: true });
    const texts = fc.oneof(
      address,
      fc.constant(""),
      fc.string(),
      fc.constantFrom("smtp://h", "smtps://a:b@[::1]:25"),
    );
    const people = fc.oneof(
      fc.emailAddress(),
      fc.string(),
      fc.constantFrom("pf <pf@example.org>", "a@b, c@d"),
    );
    let taken = 0;
    fc.assert(
      fc.property(texts, texts, texts, texts, people, fc.array(people, { maxLength: 2 }), (...values) => {
        const [webhook, ntfy, ping, smtp, from, to] = values;
        const alerts = { webhook, ntfy, ping, ntfy_token: ntfy.slice(-8), email: { smtp, from, to } };
        const text = JSON.stringify({ alerts });
        let loaded: ReturnType<typeof resolveConfig>;
        try {
          loaded = resolveConfig({ config: { path: "c", text } });
        } catch (error) {
          if (error instanceof ConfigError) return;
          throw error;
        }
        taken++;
        expect(alertsOf(loaded).channels.length).toBeLessThanOrEqual(4);
      }),
      { numRuns: 400 },
    );
    expect(taken).toBeGreaterThan(5);
  });
});
