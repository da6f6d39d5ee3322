import { afterAll } from "vitest";
import { removeTemporaryFolders } from "./process.js";
import { killSimulators } from "./simulator.js";

// Test files share the modules they import, so that what is to be done after each of them is said here and not there.
afterAll(() => {
  killSimulators();
  removeTemporaryFolders();
});
