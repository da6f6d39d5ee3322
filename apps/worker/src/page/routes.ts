import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { html } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type Access, isFromElsewhere, isLoopback, isOurHost, lateAnswers, type Reader } from "./access.js";
import { asset, assetNames } from "./assets.js";
import { haltPage, loginPage, longestReason, mainPage, resumePage, smallPage } from "./documents.js";
import type { Html } from "./html.js";
import type { Listeners } from "./listeners.js";
import type { PageOptions } from "./options.js";
import { type PictureName, pictures, type ResearchReader } from "./research.js";

type Env = { Bindings: HttpBindings; Variables: { reader: Reader } };
type Ctx = Context<Env>;

export interface RouteParts
  extends Pick<PageOptions, "host" | "view" | "halt" | "resume" | "isAlive" | "metrics" | "onProblem"> {
  readonly access: Access;
  readonly listeners: Listeners;
  readonly research: ResearchReader;
  /** The machine's name. */
  readonly machine: string;
  changed(): void;
}

/** Who asks for what, and what becomes of it. */
export function createRoutes(parts: RouteParts): Hono<Env> {
  const { access, listeners, research } = parts;
  const app = new Hono<Env>();
  const late = lateAnswers();

  app.get("/healthz", (c) => {
    const { ok, detail } = parts.isAlive();
    return c.json({ status: ok ? "ok" : "failing", detail }, ok ? 200 : 503);
  });

  app.use(async (c, next) => {
    const { method } = c.req;
    const isForeign = isFromElsewhere({
      method,
      host: c.req.header("host"),
      origin: c.req.header("origin"),
      site: c.req.header("sec-fetch-site"),
      mode: c.req.header("sec-fetch-mode"),
    });
    if (isForeign)
      return refuse(c, 403, "Another site asked for this", "Only the page itself may send this.");
    // No other site knows the token: who sends one is looked at for it below, by whatever name they call us.
    const isNamed = isOurHost(c.req.header("host"), parts.host, parts.machine);
    const showsToken = access.hasToken && c.req.header("authorization") !== undefined;
    if (!isNamed && !showsToken) {
      return refuse(
        c,
        421,
        "This is not the name of this page",
        "Open it by the worker's own name or number, such as 127.0.0.1; a name that points here may be anybody's.",
      );
    }
    await next();
  });

  for (const name of assetNames) {
    app.get(`/${name}`, async (c) => {
      const { bytes, type, etag } = await asset(name);
      const headers = { etag, "content-type": type, "cache-control": "no-cache" };
      return c.req.header("if-none-match") === etag
        ? c.body(null, 304, headers)
        : c.body(bytes, 200, headers);
    });
  }

  app.use(async (c, next) => {
    if (c.req.method === "POST") {
      const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
      if (type !== "application/x-www-form-urlencoded")
        return refuse(c, 415, "Not a form", "Only forms are taken here.");
    }
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: 4096,
      onError: (c) => refuse(c as Ctx, 413, "Too much", "A form here is shorter than that."),
    }),
  );

  app.get("/login", (c) =>
    access.hasToken ? page(c, loginPage({ isReadable: isReadable(c) })) : c.redirect("/", 303),
  );
  app.post("/login", async (c) => {
    const { token } = await fields(c, ["token"]);
    const login = access.login(token, addressOf(c));
    if (!login.admitted) return turnAway(c, login.lateMs, "That is not the token.");
    const secure = isEncrypted(c);
    setCookie(c, sessionCookie(c), login.id, {
      httpOnly: true,
      sameSite: "Strict",
      secure,
      path: "/",
      maxAge: login.lastsSeconds,
    });
    return c.redirect("/", 303);
  });

  app.use(async (c, next) => {
    const admission = access.admit({
      address: addressOf(c),
      authorization: c.req.header("authorization"),
      session: getCookie(c, sessionCookie(c)),
    });
    if (!admission.admitted) return turnAway(c, admission.lateMs);
    c.set("reader", admission.reader);
    await next();
  });

  // Nothing a reader sends comes back in it, so that its compressed length tells nobody anything.
  app.get("/", compress(), async (c) => {
    const [view, found] = await Promise.all([parts.view(), research.read()]);
    return page(c, mainPage(view, found, c.get("reader"), access.hasToken));
  });
  app.get("/view.json", async (c) => c.json(await parts.view()));
  app.get("/metrics", async (c) => {
    const text = await parts.metrics.text();
    return c.body(text, 200, { "content-type": parts.metrics.contentType });
  });
  app.get("/events", (c) => {
    // Who asks for the head alone would never take what comes.
    if (c.req.method === "HEAD") return c.body(null, 204);
    const stream = listeners.open();
    if (!stream) {
      c.header("retry-after", "60");
      return c.text("too many listen already\n", 503);
    }
    return c.body(stream, 200, {
      "content-type": "text/event-stream; charset=utf-8",
      "x-accel-buffering": "no",
    });
  });
  for (const name of Object.keys(pictures) as PictureName[]) {
    app.get(`/research/${name}`, async (c) => {
      const picture = await research.picture(name);
      if (!picture) return c.notFound();
      const etag = `"${picture.version}"`;
      const headers = { etag, "content-type": "image/png", "cache-control": "private, no-cache" };
      return c.req.header("if-none-match") === etag
        ? c.body(null, 304, headers)
        : c.body(picture.bytes, 200, headers);
    });
  }

  // Here things happen: only for who has the token, and only by forms that were made for them.
  app.on(["GET", "POST"], ["/halt", "/resume", "/logout"], async (c, next) => {
    if (c.get("reader").kind === "open") {
      return refuse(
        c,
        403,
        "This page can only be read",
        "Without a token nobody may halt or resume here. Set page.token (environment PF_PAGE__TOKEN, at least 16 characters) and start the worker again, or type `pf halt` or `pf resume` on its machine.",
      );
    }
    if (c.req.method === "POST") {
      const { csrf } = await fields(c, ["csrf"]);
      if (!access.isOwnForm(c.get("reader"), csrf)) {
        return refuse(c, 403, "This form is out of date", "Go back, load the page anew and send it again.");
      }
    }
    await next();
  });

  // Halting must also be possible while nobody can tell how the account stands.
  const statusIfKnown = () =>
    parts.view().then(
      ({ status }) => status,
      (error: unknown) => {
        parts.onProblem?.(error);
        return null;
      },
    );
  app.get("/halt", async (c) => page(c, haltPage(await statusIfKnown(), { csrf: csrfOf(c) })));
  app.post("/halt", async (c) => {
    const { reason } = await fields(c, ["reason"]);
    const status = await statusIfKnown();
    if (status?.halted) return page(c, haltPage(status, { csrf: csrfOf(c) }), 409);
    await parts.halt(oneLine(reason) || "somebody asked on the page");
    parts.changed();
    return c.redirect("/", 303);
  });
  app.get("/resume", async (c) => page(c, resumePage(await parts.view(), { csrf: csrfOf(c) })));
  app.post("/resume", async (c) => {
    const { reason, confirm } = await fields(c, ["reason", "confirm"]);
    const view = await parts.view();
    const { status } = view;
    const again = (problem: string) =>
      page(c, resumePage(view, { csrf: csrfOf(c), problem, reason: oneLine(reason) }), 422);
    if (!status.halted) return page(c, resumePage(view, { csrf: csrfOf(c) }), 409);
    if (confirm.trim().toUpperCase() !== status.account.toUpperCase())
      return again("What was typed is not the account. Nothing was resumed.");
    if (oneLine(reason) === "") return again("Say what was found. Nothing was resumed.");
    await parts.resume(oneLine(reason));
    parts.changed();
    return c.redirect("/", 303);
  });
  app.post("/logout", (c) => {
    const reader = c.get("reader");
    if (reader.kind === "session") access.logout(reader.id);
    deleteCookie(c, sessionCookie(c), { path: "/", secure: isEncrypted(c) });
    return c.redirect("/login", 303);
  });

  app.notFound((c) => refuse(c as Ctx, 404, "There is no such page", "The worker has one page."));
  app.onError((error, c) => {
    parts.onProblem?.(error);
    const { code } = error as { readonly code?: unknown };
    // A message of ours is made to be read; what others write into theirs is not known.
    const isOurs = typeof code === "string" && code.startsWith("PF_");
    const text = isOurs ? `${error.message} (${code})` : `It failed with ${error.name}; its log says more.`;
    const isSignedIn = ["bearer", "session"].includes((c as Ctx).get("reader")?.kind);
    return refuse(
      c as Ctx,
      500,
      "The worker cannot answer",
      text,
      isSignedIn && html`<a class="button" href="/halt">Halt trading…</a>`,
    );
  });
  return app;

  async function turnAway(c: Ctx, lateMs: number, problem?: string): Promise<Response> {
    await late(lateMs);
    c.header("www-authenticate", 'Bearer realm="pf"');
    return wantsPage(c)
      ? page(c, loginPage({ ...(problem === undefined ? {} : { problem }), isReadable: isReadable(c) }), 401)
      : c.text("this needs the token of page.token\n", 401);
  }
}

/** Browsers keep one cookie of a name for all ports of a machine, which may serve the pages of several workers. */
function sessionCookie(c: Ctx): string {
  return `pf_session_${c.env.incoming.socket.localPort}`;
}

function page(c: Ctx, content: Html, status: ContentfulStatusCode = 200): Response | Promise<Response> {
  return c.html(content, status);
}

function refuse(
  c: Ctx,
  status: ContentfulStatusCode,
  title: string,
  text: string,
  more: unknown = null,
): Response | Promise<Response> {
  return wantsPage(c)
    ? page(
        c,
        smallPage(
          title,
          html`<p>${text}</p><p class="choice"><a class="button" href="/">To the page</a>${more}</p>`,
        ),
        status,
      )
    : c.text(`${title}. ${text}\n`, status);
}

/** Whether a person looks at the answer. */
function wantsPage(c: Ctx): boolean {
  return c.req.header("accept")?.includes("text/html") === true;
}

function addressOf(c: Ctx): string {
  return c.env.incoming.socket.remoteAddress ?? "unknown";
}

/** Whether the browser came by https, which only something in front of us can speak. */
function isEncrypted(c: Ctx): boolean {
  return (
    c.req.header("origin")?.startsWith("https:") === true || c.req.header("x-forwarded-proto") === "https"
  );
}

/** Whether others can read what travels: neither encrypted nor within one machine. */
function isReadable(c: Ctx): boolean {
  return !isEncrypted(c) && !isLoopback(addressOf(c).replace(/^::ffff:/, ""));
}

function csrfOf(c: Ctx): string {
  const reader = c.get("reader");
  return reader.kind === "session" ? reader.csrf : "";
}

/** Fields of a form; what is missing, or sent as something else than a text, is empty. */
async function fields<const Name extends string>(
  c: Ctx,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const form = await c.req.parseBody();
  const entries = names.map((name) => [name, typeof form[name] === "string" ? form[name] : ""]);
  return Object.fromEntries(entries) as Record<Name, string>;
}

/** A reason as the journal takes it: one line of bounded length. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, longestReason);
}
