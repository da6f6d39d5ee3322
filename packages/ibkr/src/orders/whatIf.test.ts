import { describe, expect, it } from "vitest";
import type { ContractInfo } from "../account/contracts.js";
import { RequestRefusedError } from "../errors.js";
import { probeFractional } from "./whatIf.js";

const spy = { symbol: "SPY", sizeIncrement: 1, minSize: 1 } as ContractInfo;
const answerTo = async (code: number, message: string) => {
  const { answer, brokerCode } = await probeFractional(spy, async () => {
    throw new RequestRefusedError("what-if order for SPY", code, message, "order");
  });
  return [answer, brokerCode];
};

describe("the question about fractions", () => {
  it("is answered by a refusal of the fraction, and by one of the funds, which are looked at later", async () => {
    expect(await answerTo(10243, "Fractional-sized order cannot be placed via API.")).toEqual(["no", 10243]);
    const short = "Order rejected - reason:Available Funds [316.75 USD] are not sufficient for this order";
    expect(await answerTo(201, short)).toEqual(["yes", 201]);
    expect(await answerTo(201, "Order rejected - reason:Insufficient settled cash.")).toEqual(["yes", 201]);
  });

  it("is not answered by what is refused for another reason", async () => {
    expect(await answerTo(201, "Order rejected - reason:No trading permission.")).toEqual(["unknown", 201]);
    expect(await answerTo(201, "Order rejected - reason:Exchange is closed.")).toEqual(["unknown", 201]);
    expect(await answerTo(382, "The funds are beside the point of another code.")).toEqual(["unknown", 382]);
  });
});
