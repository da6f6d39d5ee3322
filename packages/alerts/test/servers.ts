import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { untrusted } from "./untrusted.js";

/** Listens on a free port of this machine until the test ends. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a server answers: a status, perhaps with headers, or nothing at all. */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | "silence"
  | "cut";

/** A web server that answers one after the other, the last one for ever, and remembers what it was asked. */
export async function webServer(
  answers: readonly Answer[] = [{ status: 200 }],
  { secure = false }: { readonly secure?: boolean } = {},
): Promise<{ readonly url: string; readonly host: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      const answer = answers[Math.min(received.length, answers.length - 1)]!;
      received.push({ method, path, headers, body });
      if (answer === "cut") request.socket.destroy();
      else if (answer !== "silence") {
        response.writeHead(answer.status, answer.headers ?? {});
        response.end(answer.body ?? "ok");
      }
    });
  };
  const port = await listen(secure ? createSecureServer(untrusted, listener) : createServer(listener));
  const host = `127.0.0.1:${port}`;
  return { url: `${secure ? "https" : "http"}://${host}`, host, received };
}

/** A port of this machine where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface MailScript {
  /** Takes this name and password only, and no mail without. */
  readonly account?: { readonly user: string; readonly pass: string };
  /** Whether it offers STARTTLS; `refused` offers and then refuses it. */
  readonly startTls?: "none" | "refused";
  /** What it says to the recipients, the texts of mails and the greeting, one after the other; the last one for ever. */
  readonly recipient?: readonly number[];
  readonly data?: readonly number[];
  readonly greeting?: readonly number[];
}

/** The least a mail server can be (RFC 5321), with what it took and every line it heard. */
export async function mailServer(script: MailScript = {}): Promise<{
  readonly host: string;
  readonly mails: { readonly from: string; readonly to: string[]; readonly text: string }[];
  readonly heard: string[];
}> {
  const { account, startTls = "none", recipient = [250], data = [250], greeting = [220] } = script;
  const mails: { from: string; to: string[]; text: string }[] = [];
  const heard: string[] = [];
  const counts = { recipient: 0, data: 0, greeting: 0 };
  const next = (list: readonly number[], name: keyof typeof counts) =>
    list[Math.min(counts[name]++, list.length - 1)]!;
  const server = createSocketServer((socket) => {
    const say = (...lines: string[]) => socket.write(lines.map((line) => `${line}\r\n`).join(""));
    let from = "";
    let to: string[] = [];
    let text: string[] | undefined;
    let known = account === undefined;
    let rest = "";
    say(`${next(greeting, "greeting")} mail.example.org`);
    const hear = (line: string) => {
      heard.push(line);
      if (text) {
        if (line !== ".") return void text.push(line.replace(/^\.\./, "."));
        const code = next(data, "data");
        if (code === 250) mails.push({ from, to, text: text.join("\n") });
        text = undefined;
        return void say(`${code} ${code === 250 ? "queued" : "not taken"}`);
      }
      const [, verb = "", value = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
      switch (verb.toUpperCase()) {
        case "EHLO":
          return void say(
            "250-mail.example.org",
            ...(startTls === "refused" ? ["250-STARTTLS"] : []),
            ...(account ? ["250-AUTH PLAIN"] : []),
            "250 8BITMIME",
          );
        case "STARTTLS":
          return void say(startTls === "refused" ? "454 TLS not available" : "502 not known");
        case "AUTH": {
          const [, user, pass] = Buffer.from(value.replace(/^PLAIN /, ""), "base64")
            .toString()
            .split("\0");
          known = user === account?.user && pass === account?.pass;
          return void say(known ? "235 welcome" : `535 ${user} with ${pass} is not known here`);
        }
        case "MAIL":
          from = value;
          to = [];
          return void say(known ? "250 ok" : "530 who are you");
        case "RCPT": {
          const code = next(recipient, "recipient");
          if (code === 250) to.push(value);
          return void say(`${code} ${value}`);
        }
        case "DATA":
          text = [];
          return void say("354 go on");
        case "QUIT":
          say("221 bye");
          return void socket.end();
        default:
          return void say("502 not known");
      }
    };
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\r\n");
      rest = lines.pop()!;
      for (const line of lines) hear(line);
    });
  });
  const port = await listen(server);
  return { host: `127.0.0.1:${port}`, mails, heard };
}
