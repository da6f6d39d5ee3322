import { describe, expect, it } from "vitest";
import { plain } from "../terminal.js";
import { renderAlertTest } from "./alert.js";

const style = { painter: plain, width: 80, out: "reports" };
const planned = [{ channel: "webhook", host: "hooks.example.org", content: "POST, 300 bytes of JSON" }];

describe("the test of the alarms", () => {
  it("says for every channel whether it was taken, after how many tries, and by whom", () => {
    const text = renderAlertTest(
      {
        dryRun: false,
        planned,
        channels: [
          { channel: "webhook", ok: true, attempts: 1, detail: "hooks.example.org answered 200" },
          {
            channel: "email",
            ok: false,
            attempts: 4,
            detail: "mail.a-rather-long-name-of-a-server.example.org:2525 did not answer in time (ETIMEDOUT)",
          },
        ],
      },
      style,
    );
    expect(text).toMatch(/webhook +sent +1 +hooks\.example\.org answered 200/);
    expect(text).toMatch(/email +failed +4 +mail\./);
    expect(text).not.toContain("Look whether");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("asks to look where everything was taken", () => {
    const channels = [{ channel: "ping", ok: true, attempts: 1, detail: "hc.example.org answered 200" }];
    expect(renderAlertTest({ dryRun: false, planned, channels }, style)).toContain(
      "Look whether it has arrived",
    );
  });

  it("says of a dry run what would be sent where, and that nothing was", () => {
    const text = renderAlertTest({ dryRun: true, planned, channels: [] }, style);
    expect(text).toContain("nothing was sent");
    expect(text).toMatch(/webhook +hooks\.example\.org +POST, 300 bytes of JSON/);
  });
});
