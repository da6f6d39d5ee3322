import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secretsIn } from "./options.js";
import { redactionOf } from "./redact.js";

const word = fc.stringMatching(/^[A-Za-z0-9_~-]{8,30}$/);

describe("redaction", () => {
  it("leaves no secret in a text, wherever it stands and whatever else is one", () => {
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 5 }),
        fc.array(fc.string(), { maxLength: 6 }),
        (secrets, texts) => {
          const woven = secrets.flatMap((secret, k) => [texts[k] ?? "", secret, secret]).join(" ");
          const shown = redactionOf(secrets)(woven);
          for (const secret of secrets) expect(shown).not.toContain(secret);
        },
      ),
    );
  });

  it("leaves a text alone that holds none", () => {
    expect(redactionOf(["a-topic-of-mine", ""])("answered 200")).toBe("answered 200");
  });

  it("knows an address whole and in every part that opens something, encoded or not", () => {
    fc.assert(
      fc.property(
        word,
        word,
        word,
        fc.stringMatching(/^[a-z0-9 %/?#@]{8,20}$/),
        (user, path, query, pass) => {
          const address = `https://${user}:${encodeURIComponent(pass)}@example.org/hooks/${path}?token=${query}`;
          const redact = redactionOf(secretsIn({ webhook: address, ntfyToken: `tk_${user}` }));
          for (const secret of [address, user, path, query, pass, encodeURIComponent(pass), `tk_${user}`]) {
            expect(redact(`cannot send to ${secret} now`)).not.toContain(secret);
          }
        },
      ),
    );
  });
});
