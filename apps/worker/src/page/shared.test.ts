import { describe, expect, it } from "vitest";
import { shared } from "./shared.js";

/** A question whose answers are given by hand, one after the other. */
function byHand() {
  const open: { readonly answer: (value: string) => void; readonly fail: (error: Error) => void }[] = [];
  let [asked, atOnce, most] = [0, 0, 0];
  const ask = () => {
    asked++;
    most = Math.max(most, ++atOnce);
    return new Promise<string>((resolve, reject) => {
      open.push({ answer: resolve, fail: reject });
    }).finally(() => {
      atOnce--;
    });
  };
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  return { ask, open, settled, count: () => ({ asked, most }) };
}

describe("a shared question", () => {
  it("is put once for everybody who asks before it is answered, and for a moment after", async () => {
    const { ask, open, settled, count } = byHand();
    let nowMs = 0;
    const read = shared(ask, 1000, () => nowMs);
    const first = [read(), read()];
    await settled();
    nowMs = 5000;
    open[0]!.answer("one");
    expect(await Promise.all(first)).toEqual(["one", "one"]);
    nowMs = 5999;
    expect(await read()).toBe("one");
    expect(count().asked).toBe(1);
    nowMs = 6000;
    const later = read();
    await settled();
    open[1]!.answer("two");
    expect(await later).toBe("two");
  });

  it("is put anew for who asks after something changed, but not before the one under way is answered", async () => {
    const { ask, open, settled, count } = byHand();
    const read = shared(ask, 1000, () => 0);
    const before = read();
    await settled();
    read.forget();
    const after = [read(), read()];
    await settled();
    expect(count()).toEqual({ asked: 1, most: 1 });
    open[0]!.answer("old");
    expect(await before).toBe("old");
    await settled();
    open[1]!.answer("new");
    expect(await Promise.all(after)).toEqual(["new", "new"]);
    expect(await read()).toBe("new");
    expect(count()).toEqual({ asked: 2, most: 1 });
  });

  it("that failed is told to who waited, and put again", async () => {
    const { ask, open, settled, count } = byHand();
    const read = shared(ask, 1000, () => 0);
    const failing = [read(), read()].map((one) => one.catch((error: Error) => error.message));
    await settled();
    open[0]!.fail(new Error("the journal is locked"));
    expect(await Promise.all(failing)).toEqual(["the journal is locked", "the journal is locked"]);
    const again = read();
    await settled();
    open[1]!.answer("well");
    expect(await again).toBe("well");
    expect(count()).toEqual({ asked: 2, most: 1 });
  });
});
