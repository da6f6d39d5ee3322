import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { mergeConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import shared from "../../vitest.base.js";

/** What takes longest, so that it starts first and nothing is waited for alone at the end. */
const longest = ["trade-kills", "research", "broker", "packages", "trade", "research-golden"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.indexOf(basename(moduleId, ".test.ts"));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

// Nearly every test here starts processes and waits for them, each in a folder and on a port of its own.
export default mergeConfig(shared, {
  test: {
    setupFiles: [fileURLToPath(new URL("./test/setup.ts", import.meta.url))],
    sequence: { sequencer: LongestFirst },
  },
});
