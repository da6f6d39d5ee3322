import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * Runs the example of a README, the first block marked `ts`, and gives what it printed beside what the README says it
 * prints, the block marked `text` that follows.
 *
 * @param packageUrl - the folder that holds README.md, ending in a slash
 */
export async function runReadmeExample(
  packageUrl: URL,
): Promise<{ readonly printed: string; readonly stated: string }> {
  const readme = readFileSync(new URL("README.md", packageUrl), "utf8");
  const [, code, stated] = /```ts\n([\s\S]*?)```\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
  if (code === undefined || stated === undefined)
    throw new Error(`no example with its output in ${packageUrl.href}README.md`);
  // Beside the tests, so that the package's own imports resolve; one file a process.
  const file = new URL(`test/readme-example-${process.pid}.ts`, packageUrl);
  const lines: string[] = [];
  const { format } = await import("node:util");
  const recorded = code.replaceAll("console.log(", "globalThis.readmeLog(");
  Object.assign(globalThis, { readmeLog: (...values: unknown[]) => lines.push(format(...values)) });
  writeFileSync(file, recorded);
  try {
    await import(/* @vite-ignore */ pathToFileURL(file.pathname).href);
  } finally {
    rmSync(file);
  }
  return { printed: `${lines.join("\n")}\n`, stated };
}
