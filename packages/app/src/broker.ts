import type { LoadedConfig } from "@pf/config";
import type { IbkrOptions, IbkrSession } from "@pf/ibkr";
import { NoBrokerError, RequestError } from "./errors.js";

export type AccountMode = "paper" | "live";

/** How to talk to the broker otherwise than usual: for simulators, whose time is their own, and for tests. */
export type BrokerManners = Partial<
  Pick<
    IbkrOptions,
    | "timers"
    | "messagesPerSecond"
    | "orderTimes"
    | "heartbeatMs"
    | "reconnect"
    | "connectMs"
    | "handshakeMs"
    | "clientIdRetryMs"
  >
>;

/** What a session is opened with beside the configuration. */
export interface SessionSetting {
  readonly signal?: AbortSignal;
  readonly broker?: BrokerManners;
}

/** The configured account of a mode. @throws RequestError when there is none */
export function accountOf({ ibkr }: LoadedConfig["config"], mode: AccountMode): string {
  const account = mode === "live" ? ibkr.accountLive : ibkr.accountPaper;
  if (account !== "") return account;
  const key = mode === "live" ? "ibkr.account_live" : "ibkr.account_paper";
  throw new RequestError(
    `there is no ${mode} account in the configuration`,
    `set ${key}, for instance in config/config.local.yaml`,
  );
}

/**
 * A session with the configured address and account, which comes back when the connection is lost.
 *
 * @throws whatever stops the connection, see `connectIbkr`
 */
export async function openLastingSession(
  { ibkr }: LoadedConfig["config"],
  account: string,
  mode: AccountMode,
  { signal, broker }: SessionSetting = {},
): Promise<IbkrSession> {
  const { connectIbkr } = await import("@pf/ibkr");
  return connectIbkr({
    host: ibkr.host,
    port: ibkr.port,
    clientId: ibkr.clientId,
    account,
    mode,
    marketData: ibkr.marketMode,
    ...broker,
    ...(signal ? { signal } : {}),
  });
}

/**
 * A session for reading. When it is lost it stays lost: who reads can ask again.
 *
 * @throws whatever stops the connection, see `connectIbkr`
 */
export async function openSession(
  config: LoadedConfig["config"],
  account: string,
  mode: AccountMode,
  setting: SessionSetting = {},
): Promise<IbkrSession> {
  const broker = { ...setting.broker, reconnect: false } as const;
  return openLastingSession(config, account, mode, { ...setting, broker });
}

/**
 * A session to fetch bars through. Bars are the same for every account, so where TWS is logged in for the configured live
 * account instead of the paper one, that will do.
 */
export async function openSessionForBars(
  config: LoadedConfig["config"],
  setting: SessionSetting = {},
): Promise<IbkrSession> {
  const { AccountNotManagedError, UnreachableError } = await import("@pf/ibkr");
  try {
    return await openSession(config, accountOf(config, "paper"), "paper", setting);
  } catch (error) {
    if (error instanceof UnreachableError) throw new NoBrokerError(error.host, error.port, error);
    const live = config.ibkr.accountLive;
    if (!(error instanceof AccountNotManagedError) || live === "" || !error.managed.includes(live))
      throw error;
    return openSession(config, live, "live", setting);
  }
}
