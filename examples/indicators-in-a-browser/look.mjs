// Serves the page with the installed package beside it, without a bundler, and looks at it in Chromium.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) {
  console.log(`not run: there is no ${executablePath}; CHROMIUM=path names another`);
  process.exit();
}

const types = { ".html": "text/html", ".js": "text/javascript" };
const installed = new URL("./", import.meta.resolve("@pf/indicators"));
const server = createServer(async ({ url }, response) => {
  const path = url === "/" ? "/index.html" : url;
  const file = path.startsWith("/indicators/")
    ? new URL(path.slice("/indicators/".length), installed)
    : new URL(`.${path}`, import.meta.url);
  const text = await readFile(file).catch(() => undefined);
  response.writeHead(text ? 200 : 404, { "content-type": types[extname(path)] ?? "text/plain" });
  response.end(text);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
});
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.log(`the page failed: ${error.message}`));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  console.log(await page.textContent("#answer"));
  await page.fill("#closes", "64 80 100 75 90 99");
  console.log(await page.textContent("#answer"));
} finally {
  await browser.close();
  server.close();
}
