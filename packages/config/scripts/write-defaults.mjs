// Writes config/config.yaml and config/config.schema.json of the workspace from the schema.
import { writeFile } from "node:fs/promises";
import { configJsonSchema, renderDefaultYaml } from "../dist/index.js";

const folder = new URL("../../../config/", import.meta.url);
await writeFile(new URL("config.yaml", folder), renderDefaultYaml());
await writeFile(new URL("config.schema.json", folder), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
