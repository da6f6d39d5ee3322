import { PageAddressError } from "./errors.js";
import type { PageOptions } from "./options.js";
import { type Page, startPage } from "./server.js";

/** A page that is served as soon as the system lets it. */
export interface KeptPage extends Omit<Page, "url"> {
  /** Where it is served; `null` as long as it is not. */
  readonly url: string | null;
}

export interface KeepOptions extends PageOptions {
  /** Told once when the page could not be served for a while, and `null` when it is after that. */
  onTrouble(trouble: PageAddressError | null): void;
  /** @default 5000 */
  readonly againMs?: number;
  /** How long an address may take to come up, after a machine's start, before anybody is told. @default 120000 */
  readonly patienceMs?: number;
}

/**
 * Serves the page until it is closed, and waits in the background for an address that is not there: an interface that
 * comes up after the worker, a port that another program has. Nobody who trades waits for it.
 *
 * @throws what {@link startPage} throws but PageAddressError: a page that others could read is no matter of waiting
 */
export async function keepPage({
  onTrouble,
  againMs = 5_000,
  patienceMs = 120_000,
  ...options
}: KeepOptions): Promise<KeptPage> {
  const since = performance.now();
  let page: Page | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isTold = false;
  let isClosed = false;
  let trying: Promise<void> = Promise.resolve();

  const start = async () => {
    try {
      page = await startPage(options);
    } catch (error) {
      if (!(error instanceof PageAddressError)) throw error;
      if (!isClosed) timer = setTimeout(again, againMs).unref();
      if (isTold || performance.now() - since < patienceMs) return;
      isTold = true;
      return onTrouble(error);
    }
    if (isTold) onTrouble(null);
  };
  const again = () => {
    trying = start().catch((error: unknown) => options.onProblem?.(error));
  };

  await start();
  return {
    get url() {
      return page?.url ?? null;
    },
    changed: () => page?.changed(),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await trying;
      clearTimeout(timer);
      await page?.close();
    },
  };
}
