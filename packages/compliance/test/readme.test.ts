import { expect, it } from "vitest";
import { runReadmeExample } from "../../market/test/readme.js";

it("prints what the README says it prints", async () => {
  const { printed, stated } = await runReadmeExample(new URL("../", import.meta.url));
  expect(printed).toBe(stated);
});
