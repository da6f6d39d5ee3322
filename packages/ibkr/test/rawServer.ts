import { type AddressInfo, createServer, type Socket } from "node:net";
import { fieldsOf, frameOf } from "../src/session/frames.js";

/** A server of a few lines for what the simulator would never do. */
export interface RawServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly sockets: readonly Socket[];
}

export async function rawServer(accept: (socket: Socket) => void): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface HalfTws {
  readonly version?: number;
  /** `null` leaves the message out. */
  readonly accounts?: string | null;
  readonly nextId?: number | null;
  /** Answers a message of the client; the greeting and the start are answered already. */
  answer?(fields: readonly string[], send: (...fields: (string | number)[]) => void, socket: Socket): void;
}

/** The beginning of a TWS: greets, starts the session, and leaves the rest to the test. */
export function halfTws(how: HalfTws): (socket: Socket) => void {
  const { version = 193, accounts = "DU200445", nextId = 1 } = how;
  return (socket) => {
    const send = (...fields: (string | number)[]) => socket.write(frameOf(fields.map(String)));
    let bytes = Buffer.alloc(0);
    let greeted = false;
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const skip = greeted ? 0 : 4;
        if (bytes.length < skip + 4) return;
        const end = skip + 4 + bytes.readUInt32BE(skip);
        if (bytes.length < end) return;
        const frame = bytes.subarray(skip, end);
        bytes = bytes.subarray(end);
        if (!greeted) {
          greeted = true;
          send(version, "20261123 09:30:00 EST");
          continue;
        }
        const fields = fieldsOf(frame);
        if (fields[0] === "71") {
          if (accounts !== null) send(15, 1, accounts);
          if (nextId !== null) send(9, 1, nextId);
        }
        how.answer?.(fields, send, socket);
      }
    });
  };
}
