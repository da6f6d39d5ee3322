import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig } from "tsup";
import { library } from "../../tsup.base.js";

export default defineConfig({
  ...library,
  entry: ["src/index.ts", "src/frame.ts"],
  // The font folder is found from the address of the module, which CommonJS does not have by itself.
  shims: true,
  // ECharts is 62 MB installed and a small part of it is used: that part travels in the chunk.
  noExternal: [/^echarts/, /^zrender/, "tslib"],
  define: { "process.env.NODE_ENV": '"production"' },
  async onSuccess() {
    const fonts = folderOf("dejavu-fonts-ttf");
    await mkdir("dist/fonts", { recursive: true });
    for (const name of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]) {
      await copyFile(join(fonts, "ttf", name), join("dist/fonts", name));
    }
    // What is bundled keeps its licence, under another name: a file called LICENSE anywhere in the package would keep
    // pnpm from packing ours.
    const echarts = folderOf("echarts");
    const zrender = folderOf("zrender", join(echarts, "package.json"));
    const tslib = dirname(createRequire(join(echarts, "package.json")).resolve("tslib"));
    await mkdir("dist/licenses", { recursive: true });
    await copyFile(join(fonts, "LICENSE"), "dist/licenses/dejavu-fonts.txt");
    await copyFile(join(echarts, "LICENSE"), "dist/licenses/echarts.txt");
    await copyFile(join(echarts, "NOTICE"), "dist/licenses/echarts-notice.txt");
    await copyFile(join(zrender, "LICENSE"), "dist/licenses/zrender.txt");
    await copyFile(join(tslib, "LICENSE.txt"), "dist/licenses/tslib.txt");
  },
});

function folderOf(name: string, from = import.meta.url): string {
  return dirname(createRequire(from).resolve(`${name}/package.json`));
}
