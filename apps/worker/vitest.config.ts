import { availableParallelism } from "node:os";
import { mergeConfig } from "vitest/config";
import shared from "../../vitest.base.js";

export default mergeConfig(shared, {
  test: {
    // The longest files wait more than they work: for processes to start, claims to run out, a browser to answer.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // Tests beside each other in a file start processes of their own; more of them at a time keep each other from
    // answering in time.
    maxConcurrency: 3,
  },
});
