import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "./errors.js";
import { loadConfig } from "./load.js";
import { resolveConfig } from "./resolve.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pf-config-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
const failure = (directory: string): Promise<string> =>
  loadConfig({ directory }).then(
    () => "loaded",
    (error: unknown) =>
      error instanceof ConfigError ? error.message.replaceAll(folder, "DIR") : String(error),
  );

describe("loadConfig", () => {
  it("is the schema's defaults without a folder", async () => {
    expect(await loadConfig()).toEqual(resolveConfig({}));
  });

  it("reads config.yaml and, where there is one, config.local.yaml over it", async () => {
    await write("config.yaml", "selection: {top_n: 1, corr_cap: 0.5}\n");
    expect((await loadConfig({ directory: folder })).config.selection).toMatchObject({
      topN: 1,
      corrCap: 0.5,
    });
    await write("config.local.yaml", "selection:\n  top_n: 3\n");
    const { config, files, origins } = await loadConfig({ directory: folder });
    expect(config.selection).toMatchObject({ topN: 3, corrCap: 0.5 });
    expect(files).toEqual([join(folder, "config.yaml"), join(folder, "config.local.yaml")]);
    expect(origins["selection.top_n"]).toEqual({
      source: "config.local.yaml",
      file: files[1],
      line: 2,
      column: 10,
    });
  });

  it("passes environment, .env, flags and known names on", async () => {
    await write("config.yaml", "weights: {method: erc}\n");
    const { config } = await loadConfig({
      directory: folder,
      env: { IB_HOST: "tws" },
      dotenv: { path: ".env", text: "IB_PORT=1" },
      overrides: ["ibkr.client_id=2"],
      known: { weightings: ["erc"] },
    });
    expect(config.ibkr).toMatchObject({ host: "tws", port: 1, clientId: 2 });
    expect(config.weights.method).toBe("erc");
  });

  it("reads nothing from the environment of the process by itself", async () => {
    process.env.IB_HOST = "elsewhere";
    try {
      expect((await loadConfig()).config.ibkr.host).toBe("127.0.0.1");
    } finally {
      delete process.env.IB_HOST;
    }
  });

  it("accepts a byte order mark and Windows line ends, and still counts right", async () => {
    await write("config.yaml", "\ufeffselection:\r\n  top_n: 0\r\n");
    expect(await failure(folder)).toBe("DIR/config.yaml:2:10 selection.top_n: must be at least 1 (is 0)");
  });

  it("says what is wrong with the folder", async () => {
    expect(await failure(join(folder, "none"))).toBe("DIR/none: there is no such folder");
    expect(await failure(folder)).toBe("DIR: the folder has no config.yaml");
    await write("config.local.yaml", "");
    expect(await failure(folder)).toBe(
      "DIR: the folder has no config.yaml; config.local.yaml goes on top of one, which may be empty",
    );
    await write("file", "");
    expect(await failure(join(folder, "file"))).toBe(
      "DIR/file: is not a folder; give the folder that holds config.yaml",
    );
    expect(await failure(join(folder, "file", "below"))).toBe("DIR/file/below: cannot be read (ENOTDIR)");
  });

  it("says what is wrong with a file that cannot be read as text", async () => {
    await write("config.yaml", Uint8Array.of(0x61, 0xff, 0xfe));
    expect(await failure(folder)).toBe("DIR/config.yaml: is not UTF-8 text");
    await write("config.yaml", "");
    await mkdir(join(folder, "config.local.yaml"));
    expect(await failure(folder)).toBe("DIR/config.local.yaml: cannot be read (EISDIR)");
  });
});
