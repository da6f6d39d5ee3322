import { describe, expect, it } from "vitest";
import { progressOn } from "./progress.js";

const notice = {
  step: `no worker at 127.0.0.1:6379 is of this version (1.0.0, 8ab195afda9ab3f3p1): ${"another-machine (4711) is 0.9.0, 0123456789abcdefp1; ".repeat(2)}build and start workers from the same sources`,
  isNotice: true,
} as const;

describe("progress", () => {
  it("at a terminal rewrites one line, and leaves a notice above it, whole and within the width", () => {
    const { written, stream } = streamOf({ isTTY: true, columns: 80 });
    const progress = progressOn(stream, false);
    progress.show({ step: "reading bars" });
    progress.show(notice);
    progress.show({ step: "shuffling", at: 3, total: 10 });
    progress.clear();
    const [first, ...lines] = screenOf(written());
    expect([first, ...lines].join(" ").trim()).toBe(notice.step);
    for (const line of [first!, ...lines]) expect(line.length).toBeLessThanOrEqual(80);
    expect(written()).toContain("[ 3/10] shuffling");
  });

  it("elsewhere is one line a step, and a notice is one like them", () => {
    const { written, stream } = streamOf({});
    const progress = progressOn(stream, false);
    progress.show({ step: "reading bars" });
    progress.show(notice);
    progress.clear();
    expect(written()).toBe(`reading bars\n${notice.step}\n`);
  });

  it("at a terminal that wants plain text is what it is elsewhere", () => {
    const { written, stream } = streamOf({ isTTY: true, columns: 80 });
    const progress = progressOn(stream, false, true);
    progress.show({ step: "reading bars" });
    progress.show(notice);
    progress.clear();
    expect(written()).toBe(`reading bars\n${notice.step}\n`);
  });

  it("is silent when quiet, but for what somebody has to know", () => {
    for (const terminal of [{}, { isTTY: true, columns: 80 }] as const) {
      const { written, stream } = streamOf(terminal);
      const progress = progressOn(stream, true);
      progress.show({ step: "reading bars" });
      progress.show({ step: "shuffling", at: 3, total: 10 });
      expect(written()).toBe("");
      progress.show(notice);
      progress.clear();
      expect(written()).toBe(`${notice.step}\n`);
    }
  });
});

function streamOf(terminal: { readonly isTTY?: true; readonly columns?: number }) {
  let text = "";
  const stream = {
    ...terminal,
    write: (part: string) => {
      text += part;
      return true;
    },
  } as unknown as NodeJS.WriteStream;
  return { stream, written: () => text };
}

/** The lines that a terminal shows in the end: `\\r` goes back to the start of the last one, and the code after it clears it. */
function screenOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.split("\r\u001b[K").at(-1)!)
    .filter((line) => line !== "");
}
