// Builds the image of docker/Dockerfile: `make image`, or as a part of `make build`, which is content without an engine
// (--if-possible) and with DOCKER=0 does not look for one. A build with an engine that fails is a failure in both.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const tag = "pf:local";
const say = (text) => process.stdout.write(`${text}\n`);

if (process.env.DOCKER === "0") {
  say("image: left out, DOCKER=0");
} else if (!engineAnswers()) {
  const only = process.argv.includes("--if-possible");
  say(`image: ${only ? "not built" : "cannot be built"}, no container engine answers to \`docker info\``);
  process.exitCode = only ? 0 : 1;
} else {
  const words = ["build", "--file", "docker/Dockerfile", "--tag", tag, "."];
  say(`image: docker ${words.join(" ")}`);
  const { status } = spawnSync("docker", words, { cwd: root, stdio: "inherit" });
  if (status === 0) say(`image: ${tag}; docker compose -f docker/compose.yaml says what can be started`);
  process.exitCode = status ?? 1;
}

/** An engine that is there and does not answer within ten seconds is none. */
function engineAnswers() {
  return spawnSync("docker", ["info"], { stdio: "ignore", timeout: 10_000 }).status === 0;
}
