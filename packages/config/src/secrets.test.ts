import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "./errors.js";
import type { ConfigSources } from "./layers.js";
import { resolveConfig } from "./resolve.js";
import { settingNames } from "./schema.js";
import { secretSettings, withoutSecrets } from "./secrets.js";
import { describeConfig } from "./show.js";

/** A word that no text holds by chance, in the form that each secret setting takes. */
const word = fc.stringMatching(/^[A-Za-z0-9]{20,30}$/);
const forms: Readonly<Record<string, (secret: string) => string>> = {
  "research.queue": (secret) => `redis://:${secret}@127.0.0.1:6379`,
  "page.token": (secret) => secret,
  "alerts.webhook": (secret) => `https://hooks.example.org/${secret}`,
  "alerts.ntfy": (secret) => `https://ntfy.example.org/${secret}`,
  "alerts.ntfy_token": (secret) => secret,
  "alerts.email.smtp": (secret) => `smtps://me:${secret}@mail.example.org`,
  "alerts.ping": (secret) => `https://ping.example.org/${secret}`,
};
const people = ["alerts.email.from=pf@example.org", "alerts.email.to=[me@example.org]"];

const yamlOf = (name: string, value: string) => {
  const path = name.split(".");
  return `${path.map((key, depth) => `${"  ".repeat(depth)}${key}:`).join("\n")} ${value}\n`;
};
const variableOf = (name: string) => `PF_${name.toUpperCase().replaceAll(".", "__")}`;

/** The same setting written through each of the sources. */
const sources = (name: string, value: string): readonly (readonly [string, ConfigSources])[] => [
  ["config.yaml", { config: { path: "c.yaml", text: yamlOf(name, value) }, overrides: people }],
  ["config.local.yaml", { local: { path: "l.yaml", text: yamlOf(name, value) }, overrides: people }],
  [".env", { dotenv: { path: ".env", text: `${variableOf(name)}=${value}\n` }, overrides: people }],
  ["environment", { env: { [variableOf(name)]: value }, overrides: people }],
  ["flag", { overrides: [...people, `${name}=${value}`] }],
];

/** Everything that is told about a configuration: what it is shown as, or what is wrong with it. */
function toldOf(given: ConfigSources): string {
  try {
    const loaded = resolveConfig(given);
    const { warnings, origins } = loaded;
    return JSON.stringify([describeConfig(loaded), warnings, origins, withoutSecrets(loaded.written)]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return JSON.stringify([error.message, error.issues, error.stack, error.next]);
  }
}

describe("a secret setting", () => {
  it("is each of these", () => {
    expect(secretSettings).toEqual(Object.keys(forms));
    for (const name of secretSettings) expect(settingNames).toContain(name);
  });

  it("is used as it was written, and shown as *** with where it comes from, whatever its source", () => {
    fc.assert(
      fc.property(word, fc.constantFrom(...secretSettings), (secret, name) => {
        const value = forms[name]!(secret);
        for (const [source, given] of sources(name, value)) {
          const loaded = resolveConfig(given);
          const used = name.split(".").reduce<unknown>((inner, key) => (inner as never)[key], loaded.written);
          expect(used).toBe(value);
          const row = describeConfig(loaded).find(({ key }) => key === name)!;
          expect(row).toMatchObject({ value: "***", text: '"***"' });
          expect(loaded.origins[name]!.source).toBe(source);
          expect(row.origin).toContain(source === "flag" ? `--set ${name}=***` : "");
          expect(toldOf(given)).not.toContain(secret);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is shown as empty where it is", () => {
    const rows = describeConfig(resolveConfig({})).filter(({ key }) => secretSettings.includes(key));
    expect(rows.map(({ value, text, origin }) => [value, text, origin])).toEqual(
      secretSettings.map(() => ["", '""', "default"]),
    );
    expect(withoutSecrets(resolveConfig({}).written)).toEqual(resolveConfig({}).written);
  });

  it("is text in the environment and behind --set, also where it looks like something else", () => {
    for (const token of [
      "12345678901234567890",
      "*reference-of-mine",
      "{not: a, section!}",
      "# sixteen letters",
      "a: b, and more of it",
    ]) {
      expect(resolveConfig({ env: { PF_PAGE__TOKEN: token } }).config.page.token).toBe(token);
      expect(resolveConfig({ overrides: [`page.token=${token}`] }).config.page.token).toBe(token);
    }
    expect(resolveConfig({ overrides: ["page.token='in quotes, as YAML'"] }).config.page.token).toBe(
      "in quotes, as YAML",
    );
    expect(
      resolveConfig({ env: { PF_PAGE__TOKEN: "sixteen-letters!" }, overrides: ["page.token="] }).config.page
        .token,
    ).toBe("");
  });
});

describe("nothing that is wrong with a secret shows it", () => {
  const wrong: readonly ((secret: string) => ConfigSources)[] = [
    // the value is of no use, through every source
    ...secretSettings
      .filter((name) => !["research.queue", "page.token"].includes(name))
      .flatMap((name) =>
        sources(name, "WRONG").map(
          (_, at) => (secret: string) => sources(name, `gopher://${secret}/ü/`)[at]![1],
        ),
      ),
    (secret) => ({ overrides: [`page.token=${secret.slice(0, 12)}`] }),
    (secret) => ({ overrides: [`alerts.email.smtp=smtps://me:${secret}@mail.example.org`] }),
    // it is no text
    (secret) => ({ config: { path: "c", text: `alerts: {webhook: [${secret}]}` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: {a: ${secret}}` } }),
    // it stands beside its place
    (secret) => ({ config: { path: "c", text: `alerts:\n  webhook https://${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `alerts:\n  webhook:https://${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `webhook https://${secret}` } }),
    (secret) => ({ config: { path: "c", text: `alerts: {https://${secret}: 1}` } }),
    (secret) => ({ config: { path: "c", text: `alerts: {${secret}: 1, ${secret}: 2}` } }),
    (secret) => ({ config: { path: "c", text: `https://${secret}: 1` } }),
    (secret) => ({ config: { path: "c", text: `research: {executor: "redis://:${secret}@host"}` } }),
    (secret) => ({ config: { path: "c", text: `page: {port: ${secret}x}` } }),
    (secret) => ({ config: { path: "c", text: `alerts: {email: {from: "smtps://me:${secret}@host"}}` } }),
    (secret) => ({ config: { path: "c", text: `alerts: {email: {to: "smtps://me:${secret}@host"}}` } }),
    // its key is mistyped
    (secret) => ({ overrides: [`alerts.webhok=https://${secret}`] }),
    (secret) => ({ overrides: [`alert.webhook=${secret}`] }),
    (secret) => ({ overrides: [`webhook=${secret}`] }),
    (secret) => ({ overrides: [`alerts..webhook=${secret}`] }),
    (secret) => ({ overrides: [`=${secret}`] }),
    (secret) => ({ overrides: [secret] }),
    (secret) => ({ overrides: [`https://example.org/${secret}?a=b`] }),
    (secret) => ({ overrides: [`alerts={webhok: ${secret}}`] }),
    (secret) => ({ overrides: [`alerts={webhook: "https://example.org/${secret}", dayly_summary: true}`] }),
    (secret) => ({ overrides: [`alerts={webhook: "https://example.org/${secret}"`] }),
    (secret) => ({ overrides: [`alerts.webhook.url=${secret}`] }),
    (secret) => ({ env: { PF_ALERTS__WEBHOK: secret } }),
    (secret) => ({ dotenv: { path: ".env", text: `PF_ALERTS__WEBHOOK https://${secret}\n` } }),
    // it is no YAML
    (secret) => ({ config: { path: "c", text: `alerts:\n  webhook: *${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: !${secret} x\n` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: "${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: "a" ${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: "\\x${secret}"\n` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: |${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: a: ${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `page:\n  token: @${secret}\n` } }),
    (secret) => ({ config: { path: "c", text: `%${secret}\n---\npage: {token: ${secret}}\n` } }),
    (secret) => ({
      config: { path: "c", text: `page: {token: &${secret}}\nresearch: {queue: &a *${secret}}\n` },
    }),
  ];

  it.each(wrong.map((given, at) => [JSON.stringify(given("SECRET")), at] as const))("%s", (_, at) => {
    fc.assert(
      fc.property(word, (secret) => {
        const told = toldOf(wrong[at]!(secret));
        expect(told).not.toContain(secret);
        expect(told).not.toContain(secret.slice(0, 12));
      }),
      { numRuns: 20 },
    );
    expect(() => resolveConfig(wrong[at]!("aSecretOfSome20Letters"))).toThrow(ConfigError);
  });

  it("and its place is told all the same, with what is expected there", () => {
    const told = (given: ConfigSources) => JSON.parse(toldOf(given))[0];
    expect(told({ config: { path: "c.yaml", text: "alerts:\n  webhook: hooks.example.org/secret\n" } })).toBe(
      "c.yaml:2:12 alerts.webhook: must be an address that begins with https:// or http:// (its value is not shown here)",
    );
    expect(told({ dotenv: { path: ".env", text: "A=1\nPF_ALERTS__NTFY=https://ntfy.sh\n" } })).toBe(
      ".env:2:17 alerts.ntfy: must be the address of a topic, such as https://ntfy.sh/a-name-nobody-guesses (its value is not shown here)",
    );
    expect(told({ overrides: ["page.token=short"] })).toBe(
      "--set page.token=***: must have at least 16 characters (its value is not shown here)",
    );
    expect(told({ overrides: ["alerts.webhok=https://example.org"] })).toBe(
      "--set alerts.webhok=***: is not a setting; did you mean webhook?",
    );
    expect(
      told({ config: { path: "c.yaml", text: "alerts: {email: {smtp: 'smtp://mail', from: nobody}}" } }),
    ).toBe(
      'c.yaml:1:45 alerts.email.from: must be an e-mail address such as pf@example.org (is the text "nobody")',
    );
    expect(told({ config: { path: "c.yaml", text: "research: {executor: bulmq}" } })).toMatch(
      /\(is the text "bulmq"\); did you mean bullmq\?$/,
    );
  });
});

describe("the rest of the alarms", () => {
  const complaint = (text: string) => {
    const told = JSON.parse(toldOf({ config: { path: "c", text } }));
    return typeof told[0] === "string" ? told[0] : "";
  };
  it.each([
    "alerts: {webhook: 'ftp://example.org/x'}",
    "alerts: {ping: 'https://'}",
    "alerts: {email: {smtp: 'https://mail.example.org'}}",
    "alerts: {ntfy_token: 'two words'}",
    "alerts: {email: {to: [nobody]}}",
    'alerts: {email: {from: "a@b.org\\r\\nBcc: c@d.org"}}',
    "alerts: {email: {smtp: 'smtp://mail.example.org'}}",
    "alerts: {email: {smtp: 'smtp://mail.example.org', from: a@b.org}}",
    "alerts: {email: {smtp: 'smtp://mail.example.org', to: [a@b.org]}}",
  ])("refuses %s", (text) => expect(complaint(text)).not.toBe(""));
  it.each([
    "alerts: {webhook: 'http://127.0.0.1:9000/hook'}",
    "alerts: {email: {smtp: 'smtp://mail.example.org:25', from: pf <a@b.org>, to: [c@d.org, e@f.org]}}",
    "alerts: {email: {from: a@b.org, to: [c@d.org]}}",
    "page: {token: ''}",
  ])("takes %s", (text) => expect(complaint(text)).toBe(""));
});
