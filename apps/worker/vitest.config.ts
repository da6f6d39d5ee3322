import { mergeConfig } from "vitest/config";
import shared from "../../vitest.base.js";

// A test here replaces a module of Node's, which it can do only where nobody has loaded it before.
export default mergeConfig(shared, { test: { isolate: true } });
