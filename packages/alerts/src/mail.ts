import { networkAttempt } from "./network.js";
import type { PlannedMail } from "./plan.js";
import type { Attempt } from "./retry.js";

/** What the mail library adds to an error. */
interface MailFacts {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly responseCode?: unknown;
}

/**
 * Hands a mail to its server once. A mail whose acceptance was cut off may be sent twice: better than not at all.
 */
export async function attemptMail(
  planned: PlannedMail,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Attempt> {
  const { server, from, to, subject, text, headers } = planned;
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTls,
    ...(server.auth ? { auth: { ...server.auth } } : {}),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 1_000,
    // A text is a text, whatever it looks like.
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  });
  try {
    const { accepted, rejected } = await transport.sendMail({
      from,
      to: [...to],
      subject,
      text,
      headers: { ...headers },
      signal,
    });
    const all = accepted.length + rejected.length;
    const whom = rejected.length === 0 ? "" : ` for ${accepted.length} of ${all} recipients`;
    return { outcome: "done", detail: `accepted it${whom}` };
  } catch (error) {
    return failedMail(error instanceof Error ? error : new Error("failed"));
  }
}

/** The server's own words repeat names and addresses, so only its codes are told. */
function failedMail(error: Error & MailFacts): Attempt {
  const { code, originalCode, responseCode } = error;
  if (code === "EABORT") return networkAttempt(Object.assign(new Error(), { code: "ETIMEDOUT" }));
  if (typeof responseCode === "number" && code !== "ETLS") {
    const outcome = responseCode >= 400 && responseCode < 500 ? "again" : "refused";
    if (code === "EAUTH")
      return { outcome, detail: `refused the user name or the password (${responseCode})` };
    if (code === "EENVELOPE")
      return { outcome, detail: `refused the sender or the recipients (${responseCode})` };
    return { outcome, detail: `refused the mail (${responseCode})` };
  }
  if (code === "ETLS") {
    return {
      outcome: "refused",
      detail: "offers no encryption that can be trusted, so nothing was sent (ETLS)",
    };
  }
  if (code === "EAUTH") return { outcome: "refused", detail: "takes no user name and password (EAUTH)" };
  if (code === "EDNS")
    return networkAttempt(Object.assign(new Error(), { code: originalCode ?? "ENOTFOUND" }));
  if (code === "ECONNECTION") return { outcome: "again", detail: "cut the connection (ECONNECTION)" };
  return networkAttempt(Object.assign(new Error(), { code: originalCode ?? code }));
}
