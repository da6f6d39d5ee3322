import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { createAccess, isLoopback, leastTokenLength } from "./access.js";
import { PageAddressError, PageTokenError, PageWithoutTokenError } from "./errors.js";
import { createListeners } from "./listeners.js";
import type { PageOptions } from "./options.js";
import { researchIn } from "./research.js";
import { createRoutes } from "./routes.js";
import { shared } from "./shared.js";

export interface Page {
  readonly url: string;
  /** Tells everybody who looks at the page that something is new. */
  changed(): void;
  close(): Promise<void>;
}

/**
 * Serves the page until it is closed.
 *
 * @throws PageWithoutTokenError for an address that others can reach without a token
 * @throws PageTokenError for a token that could be guessed
 * @throws PageAddressError where the system does not let it listen
 */
export async function startPage(options: PageOptions): Promise<Page> {
  const { host, port, token } = options;
  if (token === "" && !isLoopback(host)) throw new PageWithoutTokenError(host);
  if (token !== "" && token.length < leastTokenLength) throw new PageTokenError(leastTokenLength);

  const nowMs = () => performance.now();
  const view = shared(options.view, viewMs, nowMs);
  const listeners = createListeners();
  const changed = () => {
    view.forget();
    listeners.tell();
  };
  const routes = createRoutes({
    ...options,
    view,
    changed,
    listeners,
    access: createAccess(token, nowMs),
    research: researchIn(options.outFolder),
    machine: hostname(),
  });
  const server = serverFor(getRequestListener(routes.fetch, { overrideGlobalObjects: false }));
  await listening(server, host, port);
  // What goes wrong with one connection, such as too many open files, ends neither the page nor the worker.
  server.on("error", (error) => options.onProblem?.(error));
  return {
    url: urlOf(host, (server.address() as AddressInfo).port),
    changed,
    async close() {
      listeners.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const rude = setTimeout(() => server.closeAllConnections(), 500);
      await closed;
      clearTimeout(rude);
    },
  };
}

const viewMs = 1000;
const methods = ["GET", "HEAD", "POST"];

/** What every answer carries, whatever it says. */
const everywhere: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // With no-referrer, browsers hide the origin of our own forms as well, and it is what we tell other sites by.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "cache-control": "no-store",
};

function serverFor(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5_000, maxHeaderSize: 8 * 1024 },
    (request, response) => {
      for (const [name, value] of Object.entries(everywhere)) response.setHeader(name, value);
      if (!methods.includes(request.method ?? "")) {
        response.writeHead(405, { allow: methods.join(", "), "content-type": "text/plain; charset=utf-8" });
        response.end("this page knows GET, HEAD and POST\n");
        return;
      }
      void answer(request, response);
    },
  );
  server.maxConnections = 128;
  server.on("clientError", refuseMalformed);
  return server;
}

/** What is not HTTP, or too much of it, never becomes a request; it is answered on the socket. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const headers = Object.entries(everywhere).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join("")}connection: close\r\ncontent-length: 0\r\n\r\n`);
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new PageAddressError(host, port, { cause })));
    server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function urlOf(host: string, port: number): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return `http://${bare.includes(":") ? `[${bare}]` : bare}:${port}/`;
}
