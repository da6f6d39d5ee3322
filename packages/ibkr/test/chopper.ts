import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server and passes on what it gets in pieces of the given sizes, again and again. */
export async function chopper(
  to: { readonly host: string; readonly port: number },
  sizes: readonly number[],
): Promise<AsyncDisposable & { readonly host: string; readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect(to.port, to.host);
    sockets.push(client, upstream);
    pass(client, upstream, sizes);
    pass(upstream, client, sizes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(from: Socket, to: Socket, sizes: readonly number[]): void {
  to.setNoDelay(true);
  let turn = 0;
  from.on("data", (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const end = at + sizes[turn++ % sizes.length]!;
      to.write(chunk.subarray(at, end));
      at = end;
    }
  });
  from.on("close", () => to.destroy());
  from.on("error", () => to.destroy());
}
