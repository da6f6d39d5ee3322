import { html } from "hono/html";
import type { WorkerView } from "../view.js";
import type { Reader } from "./access.js";
import { research } from "./findings.js";
import { newYorkInstant, newYorkTime, sessionText } from "./format.js";
import { cash, orders, positions } from "./holdings.js";
import type { Html } from "./html.js";
import { attention, equity, figures, head, nextRun, titleOf } from "./overview.js";
import { instant } from "./pieces.js";
import { checks, decision, sessions, workerLog } from "./reasons.js";
import type { Research } from "./research.js";

/** The whole page: one account, as it stands. */
export function mainPage(view: WorkerView, found: Research, reader: Reader, hasToken: boolean): Html {
  const { status } = view;
  const others =
    status.others.length > 0 && ` Other journals in the same folder: ${status.others.join(", ")}.`;
  return html`<!doctype html>
<html lang="en">
<head>
${metas}
<title>${titleOf(view)}</title>
<script type="module" src="/page.js"></script>
<noscript><meta http-equiv="refresh" content="60"></noscript>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${head(view, controls(view, reader, hasToken))}
<p id="connection" class="notice watch" role="status" hidden></p>
<p id="news" class="unseen" role="status"></p>
<main id="main" tabindex="-1">
${attention(view, hasToken)}
${figures(view)}
${equity(view)}${nextRun(view)}
${positions(view)}${cash(view)}
${decision(view)}
${orders(view)}
${checks(view)}
${sessions(view)}${workerLog(view)}
${research(found)}
</main>
<footer id="foot" data-live data-at="${view.atUtcMs}">
<p>As of ${instant(view.atUtcMs)} in New York. Worker ${view.version}, up since ${newYorkInstant(view.startedUtcMs)}.${others}</p>
<p>Past performance, backtested or not, promises nothing.</p>
</footer>
</body>
</html>`;
}

function controls({ status }: WorkerView, reader: Reader, hasToken: boolean): Html {
  const act =
    status.state === "halted"
      ? html`<a class="button" href="/resume">Resume trading…</a>`
      : html`<a class="button" href="/halt">Halt trading…</a>`;
  if (hasToken) {
    return html`${act}${
      reader.kind === "session" &&
      html`<form method="post" action="/logout"><input type="hidden" name="csrf" value="${reader.csrf}"><button class="quiet">Sign out</button></form>`
    }`;
  }
  return html`<details id="no-actions"><summary>Halt or resume</summary><p>This page has no token, so it can be read and nothing else. Set <code>page.token</code> (environment <code>PF_PAGE__TOKEN</code>, at least 16 characters) and start the worker again, or type <code>pf halt</code> or <code>pf resume</code> on its machine.</p></details>`;
}

const metas = html`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">`;

/** A page that says or asks one thing. */
export function smallPage(title: string, content: unknown): Html {
  return html`<!doctype html>
<html lang="en">
<head>
${metas}
<title>${title} · pf</title>
</head>
<body class="small">
<main id="main">
<h1>${title}</h1>
${content}
</main>
</body>
</html>`;
}

export interface LoginPage {
  readonly problem?: string;
  /** Whether what is typed here travels in the open. */
  readonly isReadable: boolean;
}

export function loginPage({ problem, isReadable }: LoginPage): Html {
  return smallPage(
    "Sign in",
    html`${problem !== undefined && html`<p class="notice bad" role="alert" id="problem">${problem}</p>`}${
      isReadable &&
      html`<p class="notice watch">This connection is not encrypted: whoever stands between you and the worker can read the token. Better come by <code>ssh -L 8321:127.0.0.1:8321 MACHINE</code> and open <code>http://127.0.0.1:8321</code>.</p>`
    }
<form method="post" action="/login">
<label for="token">Token <small>page.token in the worker's configuration</small></label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button>
</form>`,
  );
}

export interface ActionPage {
  readonly csrf: string;
  readonly problem?: string;
  readonly reason?: string;
}

export const longestReason = 300;

/**
 * Halting is the safe direction: a second step is enough, and the reason may be empty.
 *
 * @param status - `null` where nobody can tell it
 */
export function haltPage(
  status: WorkerView["status"] | null,
  { csrf, problem, reason = "" }: ActionPage,
): Html {
  if (status?.halted) {
    return smallPage(
      "Trading is halted already",
      html`<p>The reason: ${status.halted.reason}</p><p><a class="button" href="/">Back to the page</a></p>`,
    );
  }
  return smallPage(
    "Halt trading?",
    html`${problem !== undefined && html`<p class="notice bad" role="alert">${problem}</p>`}
${status ? whose(status) : html`<p class="notice watch">How the account stands cannot be told just now. It can be halted all the same.</p>`}
<p>Orders that the broker has are not taken back; nothing that has not been sent yet is sent, until somebody resumes. The halt outlives a restart.</p>
<form method="post" action="/halt">
<input type="hidden" name="csrf" value="${csrf}">
<label for="reason">Reason <small>may be empty; it stands in the journal</small></label>
<input id="reason" name="reason" maxlength="${longestReason}" value="${reason}" autofocus>
<div class="choice"><button class="danger">Halt trading now</button> <a class="button quiet" href="/">Cancel</a></div>
</form>`,
  );
}

/** Resuming lets money move again: who does it types whose, and what was found. */
export function resumePage(view: WorkerView, { csrf, problem, reason = "" }: ActionPage): Html {
  const { status } = view;
  if (!status.halted) {
    return smallPage(
      "Trading is not halted",
      html`<p>There is nothing to resume.</p><p><a class="button" href="/">Back to the page</a></p>`,
    );
  }
  return smallPage(
    "Resume trading?",
    html`${problem !== undefined && html`<p class="notice bad" role="alert">${problem}</p>`}
${whose(status)}
<p>Halted because: <b>${status.halted.reason}</b></p>
<p>What differs between our book and the broker is then accepted, and booked by the next rebalance.</p>
<p id="when">${whenOrdersGoOut(view)}</p>
<form method="post" action="/resume">
<input type="hidden" name="csrf" value="${csrf}">
<label for="reason">What was found <small>it stands in the journal</small></label>
<input id="reason" name="reason" maxlength="${longestReason}" value="${reason}" required autofocus>
<label for="confirm">To confirm, type the account: <b>${status.account}</b></label>
<input id="confirm" name="confirm" required autocomplete="off" autocapitalize="characters" spellcheck="false">
<div class="choice"><button class="danger">Resume trading</button> <a class="button quiet" href="/">Cancel</a></div>
</form>`,
  );
}

/** What the worker does once trading is resumed. A session that ended halted is over for it; `next` is never that one. */
function whenOrdersGoOut({ next, status, atUtcMs }: WorkerView): Html {
  if (!next) return html`The calendar ends before another session: the worker sends nothing more.`;
  const session = sessionText(next.session);
  const until = newYorkTime(next.closesUtcMs);
  if (next.opensUtcMs <= atUtcMs)
    return html`The window of ${session} is open until ${until} in New York, and the worker has not given that session up: <b>orders may go out at once</b>.`;
  return html`Nothing is sent at once. The worker trades again in its next window, on <b>${session} from ${newYorkTime(next.opensUtcMs)} to ${until} in New York</b>. A session that ended halted it does not take up again, even while its window is open; <code>pf trade${status.mode === "live" && ` --live --confirm ${status.account}`}</code> on its machine does.`;
}

function whose({ mode, account, venue }: WorkerView["status"]): Html {
  return html`<p><span class="whose ${mode}">${mode === "live" ? "LIVE, real money" : "PAPER"}</span> account ${account} at ${venue}</p>`;
}
