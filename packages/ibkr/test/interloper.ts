import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { FrameReader, fieldsOf, frameOf } from "../src/session/frames.js";

/** Stands between a client and a server, and says something before each message of the server. */
export async function interloper(
  to: { readonly host: string; readonly port: number },
  before: (fields: readonly string[]) => readonly (readonly string[])[],
): Promise<AsyncDisposable & { readonly host: string; readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect(to.port, to.host);
    const reader = new FrameReader();
    sockets.push(client, upstream);
    client.pipe(upstream);
    upstream.on("data", (chunk) => {
      for (const frame of reader.push(chunk))
        client.write(Buffer.concat([...before(fieldsOf(frame)).map(frameOf), frame]));
    });
    upstream.on("close", () => client.destroy());
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
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
