// Keeps the page current. Everything can be read and done without it; it only saves a reader from loading the page again.

const connection = document.getElementById("connection");
const news = document.getElementById("news");

// What the server sent, part by part: what is on the screen was changed since, by local times and open details.
const sent = new Map(parts(document).map((part) => [part.id, part.outerHTML]));
let clockAheadMs = clockAhead();
let wanted = false;
let loading = false;
let source;
let retry;
let again;

function parts(from) {
  return [...from.querySelectorAll("[data-live]")];
}

// Countdowns go by the worker's clock, which need not be the reader's.
function clockAhead() {
  return Number(document.getElementById("foot").dataset.at) - Date.now();
}

function localTimes(from) {
  for (const time of from.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    const day = at.toLocaleDateString([], { weekday: "short" });
    time.textContent = `${day} ${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  }
  for (const head of from.querySelectorAll("[data-local-head]")) head.textContent = "Your time";
  for (const time of from.querySelectorAll("time:not([data-local])"))
    time.title = `${new Date(time.dateTime).toLocaleString()} your time`;
}

function countDown() {
  for (const timer of document.querySelectorAll("[data-until]")) {
    const left = Number(timer.dataset.until) - Date.now() - clockAheadMs;
    const text = left <= 0 ? "now" : spelled(Math.floor(left / 1000));
    if (timer.textContent !== text) timer.textContent = text;
  }
}

function spelled(seconds) {
  const two = (value) => String(value).padStart(2, "0");
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24];
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return `${minutes}:${two(seconds % 60)}`;
}

async function refresh() {
  wanted = true;
  if (loading || document.hidden) return;
  loading = true;
  while (wanted) {
    wanted = false;
    try {
      const answer = await fetch("/", { headers: { accept: "text/html" }, cache: "no-store" });
      if (answer.status === 401) return lost("You are signed out.", true);
      if (!answer.ok) throw new Error(String(answer.status));
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      found();
    } catch {
      lost("The worker does not answer.", false);
      break;
    }
  }
  loading = false;
}

function show(fresh) {
  const stateBefore = document.getElementById("head").dataset.state;
  document.title = fresh.title;
  for (const part of parts(fresh)) {
    const text = part.outerHTML;
    const old = document.getElementById(part.id);
    if (!old || sent.get(part.id) === text) continue;
    sent.set(part.id, text);
    replace(old, document.importNode(part, true));
  }
  clockAheadMs = clockAhead();
  localTimes(document);
  countDown();
  const head = document.getElementById("head");
  if (head.dataset.state !== stateBefore) news.textContent = head.dataset.news;
}

// A reader keeps what they had opened, where they were, and how far they had scrolled.
function replace(old, fresh) {
  for (const open of old.querySelectorAll("details[open][id]"))
    fresh.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && [...old.querySelectorAll(focusable)].indexOf(focused);
  const scrolled = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  old.replaceWith(fresh);
  for (const [index, box] of [...fresh.querySelectorAll(".scroll")].entries())
    box.scrollLeft = scrolled[index] ?? 0;
  if (focused) {
    const same = focused.id && document.getElementById(focused.id);
    const next = same || fresh.querySelectorAll(focusable)[place] || document.getElementById("main");
    next.focus({ preventScroll: true });
  }
}

const focusable = "a[href], button, input, summary";

function lost(what, isSignedOut) {
  const at = new Date(Number(document.getElementById("foot").dataset.at));
  const text = `${what} What you see is as of ${at.toLocaleString()}. `;
  if (connection.dataset.text !== text) {
    connection.dataset.text = text;
    connection.textContent = text;
    if (isSignedOut) {
      const link = document.createElement("a");
      link.href = "/login";
      link.textContent = "Sign in again";
      connection.append(link);
    }
  }
  connection.hidden = false;
  if (isSignedOut) {
    source?.close();
    clearTimeout(retry);
  }
  loading = false;
  clearTimeout(again);
  if (!isSignedOut) again = setTimeout(refresh, 5000);
}

function found() {
  clearTimeout(again);
  connection.hidden = true;
  delete connection.dataset.text;
}

function listen() {
  clearTimeout(retry);
  source?.close();
  source = new EventSource("/events");
  // The greeting also comes after a lost connection, and something may have changed meanwhile.
  source.addEventListener("hello", refresh);
  source.addEventListener("changed", refresh);
  source.addEventListener("error", () => {
    // A stream that was refused is not asked for again by the browser: then the page asks once a minute.
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(listen, 60_000);
    void refresh();
  });
}

// The values of the session under the pointer, read from the table that stands below the chart.
function pointed(event) {
  const plot = event.target.closest?.("[data-rows]");
  const chart = event.target.closest?.(".chart");
  if (!plot || !chart) return;
  const rows = document.getElementById(plot.dataset.rows).querySelectorAll("tbody tr");
  const { left, right } = chart.dataset;
  const box = chart.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
  const share = Math.min(1, Math.max(0, (x - left) / (right - left)));
  const at = Math.round(share * (rows.length - 1));
  mark(
    plot,
    chart,
    rows[rows.length - 1 - at],
    Number(left) + (right - left) * (rows.length > 1 ? at / (rows.length - 1) : 0),
  );
}

function mark(plot, chart, row, x) {
  const [when, ...values] = [...row.cells].map((cell) => cell.textContent);
  plot.querySelector(".legend-when").textContent = when;
  for (const [index, value] of plot.querySelectorAll("[data-series]").entries())
    value.textContent = values[index];
  const cursor = chart.querySelector(".cursor");
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
  cursor.setAttribute("visibility", "visible");
}

function unpointed(event) {
  const plot = event.target.closest?.("[data-rows]");
  if (!plot || plot.contains(event.relatedTarget)) return;
  const [newest] = document.getElementById(plot.dataset.rows).querySelectorAll("tbody tr");
  for (const chart of plot.querySelectorAll(".chart")) {
    if (newest) mark(plot, chart, newest, 0);
    chart.querySelector(".cursor").setAttribute("visibility", "hidden");
  }
}

document.addEventListener("pointermove", pointed, { passive: true });
document.addEventListener("pointerout", unpointed, { passive: true });
addEventListener("online", refresh);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && wanted) void refresh();
});
setInterval(() => {
  if (!document.hidden) countDown();
}, 1000);
localTimes(document);
countDown();
listen();
