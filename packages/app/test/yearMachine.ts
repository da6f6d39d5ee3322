// The machine on which a year is lived through: when it is at work, so that no time passes, and what it loads beforehand.

import { Socket } from "node:net";
import { join } from "node:path";
import { createServices } from "../src/services.js";

/** Requests of this process that the system has not answered yet. */
const requests = /^(FSReq|CloseReq|ConnectWrap|ShutdownWrap|WriteWrap|GetAddrInfo)/;

/** Whether the disk is at work, or something is on its way between a client and the simulator, both in this process. */
export function isAtWork(port: number): boolean {
  if (process.getActiveResourcesInfo().some((name) => requests.test(name))) return true;
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): readonly unknown[] };
  const ends = new Map<number, Socket>();
  for (const one of handles.call(process)) {
    if (!(one instanceof Socket) || one.destroyed) continue;
    if (one.connecting) return true;
    const [own, other] = [one.localPort, one.remotePort];
    const client = own === port ? other : other === port ? own : undefined;
    if (client === undefined) continue;
    const peer = ends.get(client);
    if (!peer) ends.set(client, one);
    else {
      ends.delete(client);
      if (one.bytesWritten !== peer.bytesRead || one.bytesRead !== peer.bytesWritten) return true;
    }
  }
  return ends.size > 0;
}

/** Code that is loaded when it is needed first takes time of the machine, which nobody here waits for. */
export async function loadEverything(port: number, folder: string): Promise<void> {
  await Promise.all([
    import("../src/audit.js"),
    import("../src/configuration.js"),
    import("../src/connect.js"),
    import("../src/fetch.js"),
    import("../src/sources.js"),
    import("../src/trade/history.js"),
    import("../src/trade/service.js"),
    import("../src/trade/status.js"),
    import("@pf/bars"),
    import("pino"),
  ]);
  const folders = { data: join(folder, "warm"), out: join(folder, "warm"), state: join(folder, "warm") };
  const configuration = {
    overrides: ["universe=[SPY, TLT]", "ibkr.start=2025-01-02", "ibkr.end=2025-03-31"],
  };
  const services = createServices({ configuration, folders, version: "0.0.0-test" });
  for (let time = 0; time < 2; time++) await services.fetch({ source: "synthetic" });
  const { connectIbkr } = await import("@pf/ibkr");
  const whose = { clientId: 9, account: "DUK200445", mode: "paper", reconnect: false } as const;
  await (await connectIbkr({ host: "127.0.0.1", port, ...whose })).close();
}
