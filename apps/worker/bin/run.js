#!/usr/bin/env node
import module from "node:module";

// From Node 22 on, what was compiled once is kept in the system's folder for temporary files and not compiled again.
module.enableCompileCache?.();
const { main } = await import("../dist/main.js");
await main(process.argv.slice(2), new URL("../", import.meta.url));
