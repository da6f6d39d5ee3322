import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { PageOptions } from "../src/page/options.js";
import { type Page, startPage } from "../src/page/server.js";
import type { WorkerView } from "../src/view.js";
import { healthy } from "./views.js";

export const token = "a-token-of-the-tests-0123456789";

/** A page on a port of the system's choice, with what was done to it; closed when the test ends, unless told otherwise. */
export async function pageOf(
  options: Partial<PageOptions> & { readonly shows?: WorkerView } = {},
  atEnd: (close: () => Promise<void>) => void = onTestFinished,
) {
  const done: string[] = [];
  const problems: unknown[] = [];
  const state = { view: options.shows ?? healthy(20) };
  const outFolder = options.outFolder ?? mkdtempSync(join(tmpdir(), "pf-page-"));
  const page: Page = await startPage({
    host: "127.0.0.1",
    port: 0,
    token,
    view: async () => state.view,
    async halt(reason) {
      done.push(`halt: ${reason}`);
      state.view = {
        ...state.view,
        status: { ...state.view.status, state: "halted", halted: { code: "asked", reason, session: null } },
      };
    },
    async resume(reason) {
      done.push(`resume: ${reason}`);
      state.view = { ...state.view, status: { ...state.view.status, state: "idle", halted: null } };
    },
    isAlive: () => ({ ok: true, detail: "waiting" }),
    metrics: { text: async () => "pf_halted 0\n", contentType: "text/plain; version=0.0.4" },
    onProblem: (error) => problems.push(error),
    ...options,
    outFolder,
  });
  atEnd(async () => {
    await page.close();
    if (!options.outFolder) rmSync(outFolder, { recursive: true });
  });
  return { ...page, origin: page.url.slice(0, -1), done, problems, state, outFolder };
}
