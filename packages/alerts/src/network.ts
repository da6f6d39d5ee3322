import type { Attempt } from "./retry.js";

/** What a connection says that did not come about, or broke. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "does not listen",
  ECONNRESET: "cut the connection",
  EPIPE: "cut the connection",
  ENOTFOUND: "is not a known host",
  EAI_AGAIN: "cannot be looked up",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  ETIMEDOUT: "did not answer in time",
  ABORT_ERR: "did not answer in time",
  EPROTO: "does not speak TLS there",
  ERR_SSL_WRONG_VERSION_NUMBER: "does not speak TLS there",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "does not speak TLS there",
};

/** What waiting does not mend: certificates, and ports that speak something else. */
const lasting = /CERT|SELF_SIGNED|ALTNAME|^UNABLE_TO|^EPROTO$|^ERR_SSL/;

/** An attempt that ended in an error of the network. Only the system's code is told: its texts repeat addresses. */
export function networkAttempt(error: Error, detail?: string): Attempt {
  const { code } = error as { readonly code?: unknown };
  const name = typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : "";
  const isLasting = lasting.test(name);
  const known = words[name] ?? (isLasting ? "shows a certificate that is not trusted" : "failed");
  const suffix = name === "" || name === "ABORT_ERR" ? "" : ` (${name})`;
  return { outcome: isLasting ? "refused" : "again", detail: detail ?? `${known}${suffix}` };
}
