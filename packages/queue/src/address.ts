import { QueueAddressError } from "./errors.js";

/** Where the queue is, taken apart. */
export interface QueueAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly isEncrypted: boolean;
  readonly username?: string;
  readonly password?: string;
  /** What may be shown to anybody: host, port and database, never a name or a password. */
  readonly shown: string;
}

/**
 * Takes `redis://[[name]:password@]host[:port][/database]` apart; `rediss://` is encrypted.
 *
 * @throws QueueAddressError which never repeats the address
 */
export function parseAddress(address: string): QueueAddress {
  if (address.trim() === "") throw new QueueAddressError("it is empty");
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new QueueAddressError("it is no URL");
  }
  if (url.protocol !== "redis:" && url.protocol !== "rediss:")
    throw new QueueAddressError("it begins with neither redis:// nor rediss://");
  if (url.hostname === "") throw new QueueAddressError("it names no host");
  if (url.search !== "" || url.hash !== "")
    throw new QueueAddressError("it has something behind a ? or a #, which means nothing here");
  const path = url.pathname.replace(/^\//, "");
  if (!/^\d{0,4}$/.test(path))
    throw new QueueAddressError("what follows the last / must be a database's number");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? 6379 : Number(url.port);
  const database = Number(path);
  return {
    host,
    port,
    database,
    isEncrypted: url.protocol === "rediss:",
    ...(url.username === "" ? {} : { username: decoded(url.username) }),
    ...(url.password === "" ? {} : { password: decoded(url.password) }),
    shown: `${host.includes(":") ? `[${host}]` : host}:${port}${database === 0 ? "" : `/${database}`}`,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new QueueAddressError("its name or password has a % that stands for nothing; write %25 for it");
  }
}
