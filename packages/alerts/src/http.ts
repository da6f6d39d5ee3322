import { networkAttempt } from "./network.js";
import type { PlannedRequest } from "./plan.js";
import type { Attempt } from "./retry.js";

/** No answer is worth more; what a server says beyond it is not read. */
const mostBytes = 65_536;

/**
 * Makes a request once, on a connection of its own. Only the status counts. Redirects are not followed: the address is a
 * secret and belongs to whoever was configured.
 */
export async function attemptRequest(planned: PlannedRequest, signal: AbortSignal): Promise<Attempt> {
  const { method, url, headers, body } = planned;
  const bytes = Buffer.from(body);
  // Loaded when they are needed: who never sends anything does not wait for them.
  const { request: start } =
    url.protocol === "https:" ? await import("node:https") : await import("node:http");
  return new Promise((resolve) => {
    const request = start(
      url,
      {
        method,
        headers: {
          "user-agent": "pf",
          ...headers,
          ...(method === "POST" ? { "content-length": bytes.length } : {}),
        },
        agent: false,
        signal,
      },
      (response) => {
        const status = response.statusCode ?? 0;
        const result = attemptOf(status, response.headers["retry-after"]);
        let seen = 0;
        response.on("data", (chunk: Buffer) => {
          seen += chunk.length;
          if (seen > mostBytes) response.destroy();
        });
        // However the rest of the answer ends, the status has been given.
        response.on("error", () => resolve(result));
        response.on("close", () => resolve(result));
      },
    );
    request.on("error", (error) => resolve(networkAttempt(error)));
    request.end(bytes);
  });
}

function attemptOf(status: number, retryAfter: string | undefined): Attempt {
  if (status >= 200 && status < 300) return { outcome: "done", detail: `answered ${status}` };
  if (status >= 300 && status < 400) {
    return { outcome: "refused", detail: `answered ${status}, and redirects are not followed` };
  }
  const detail = `answered ${status}`;
  if (status !== 429 && status < 500) return { outcome: "refused", detail };
  return { outcome: "again", detail, ...(retryAfter === undefined ? {} : { retryAfter }) };
}
