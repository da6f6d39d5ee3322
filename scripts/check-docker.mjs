// Looks at docker/ and deploy/ for what no build on this machine would tell: `node scripts/check-docker.mjs`. Faults are
// planted first, one of each kind, so that a check that finds nothing is known to look.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { validate } from "dockerfile-utils";
import { parse } from "yaml";
import { instructionsOf, isIgnored, substitute } from "./dockerfile.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");

const files = {
  dockerfile: read("docker/Dockerfile"),
  dockerignore: read(".dockerignore"),
  compose: read("docker/compose.yaml"),
  example: read("docker/.env.example"),
};
const isSecret = (name) => /PASSWORD|TOKEN|SECRET|SMTP|WEBHOOK|NTFY|PING|QUEUE/.test(name);
/** A release, not a name that means another one tomorrow; a digest is better still. */
const isPinned = (image) => /:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$|:10\.\d+\.\d+[a-z]$/.test(image);

/** @returns one line for everything that is wrong */
function faultsOf({ dockerfile, dockerignore, compose, example }) {
  return [
    ...faultsOfDockerfile(dockerfile, dockerignore),
    ...faultsOfContext(dockerignore),
    ...faultsOfCompose(compose, example),
  ];
}

function faultsOfDockerfile(text, dockerignore) {
  const faults = validate(text).map(({ message, range }) => `Dockerfile:${range.start.line + 1}: ${message}`);
  const fault = (is, what) => is && faults.push(`Dockerfile: ${what}`);
  const instructions = instructionsOf(text);
  const set = {};
  const stages = [];
  for (const { keyword, words, flags, line } of instructions) {
    if (keyword === "ARG") set[words[0].split("=")[0]] = words[0].split("=")[1] ?? "";
    if (keyword === "ARG" || keyword === "ENV")
      for (const word of words)
        fault(isSecret(word.split("=")[0]), `${word.split("=")[0]} would stay in a layer`);
    if (keyword === "FROM") {
      const image = substitute(words[0], set);
      fault(!stages.includes(image) && !isPinned(image), `${image} is pinned to no release`);
      stages.push(words[2]);
    }
    fault(keyword === "ADD", "ADD fetches and unpacks by itself; COPY says what it does");
    fault(keyword === "RUN" && /\b(curl|wget)\b/.test(line), `${line}: downloads what no lockfile names`);
    if (keyword === "COPY" && flags.length === 0)
      for (const path of words.slice(0, -1))
        fault(
          !existsSync(join(root, path)) || isIgnored(dockerignore, path),
          `${path} is not in the context`,
        );
    if (/^(CMD|ENTRYPOINT)$/.test(keyword))
      fault(!line.startsWith("["), `${keyword} starts a shell, which passes no signal on`);
  }
  const from = instructions.findLastIndex(({ keyword }) => keyword === "FROM");
  const last = (keyword) => instructions.slice(from).findLast((one) => one.keyword === keyword);
  fault(["root", "0", undefined].includes(last("USER")?.words[0]), "the last stage runs as root");
  fault(!last("HEALTHCHECK")?.line.includes("/healthz"), "nobody asks /healthz");
  fault(
    /curl|wget/.test(last("HEALTHCHECK")?.line),
    "the health check needs a program that the base has not",
  );
  for (const folder of ["config", "data", "reports", "state"])
    fault(!last("VOLUME")?.words.includes(`/srv/pf/${folder}`), `${folder}/ is no volume`);
  const { packageManager } = JSON.parse(read("package.json"));
  fault(!text.includes(packageManager), `installs another package manager than ${packageManager}`);
  return faults;
}

function faultsOfContext(dockerignore) {
  const out = [
    ".env",
    "docker/.env",
    "config/config.local.yaml",
    "state/paper.sqlite",
    ".git/config",
    "data/x",
  ];
  const inside = [
    "pnpm-lock.yaml",
    "packages/app/src/index.ts",
    "packages/bars/src/data/x.ts",
    "config/config.yaml",
  ];
  return [
    ...[...out, "node_modules/x", "apps/cli/node_modules/x", "packages/app/dist/x.js"]
      .filter((path) => !isIgnored(dockerignore, path))
      .map((path) => `.dockerignore: ${path} would be in the image`),
    ...inside
      .filter((path) => isIgnored(dockerignore, path))
      .map((path) => `.dockerignore: ${path} is missing in the image`),
  ];
}

function faultsOfCompose(text, example) {
  const { services, networks, volumes } = parse(text, { merge: true });
  const faults = [];
  const settings = JSON.parse(read("config/config.schema.json"));
  for (const [name, service] of Object.entries(services)) {
    const fault = (is, what) => is && faults.push(`compose.yaml: ${name}: ${what}`);
    const ours = service.build !== undefined;
    fault(!ours && !isPinned(service.image), `${service.image} is pinned to no release`);
    fault(!service.cap_drop?.includes("ALL"), "keeps capabilities");
    fault(!service.security_opt?.includes("no-new-privileges:true"), "may gain privileges");
    fault(
      service.privileged || service.network_mode === "host" || service.pid === "host",
      "is not contained",
    );
    fault(JSON.stringify(service.volumes ?? []).includes("docker.sock"), "holds the keys to the machine");
    fault(!service.logging?.options?.["max-size"], "its log grows without end");
    // The Gateway's image writes its settings beside its program.
    fault(!service.read_only && name !== "ib-gateway", "its root can be written to");
    fault(ours && (!service.init || !service.user), "has no init, or no user of its own");
    fault(!service.profiles?.includes("tools") && !service.restart, "stays down when it ends");
    fault(!ours && !service.healthcheck, "nobody looks whether it is well");
    for (const port of service.ports ?? [])
      fault(name !== "worker" || !String(port).startsWith("127.0.0.1:"), `publishes ${port}`);
    for (const network of service.networks ?? [])
      fault(!(network in networks), `network ${network} is not there`);
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(":");
      fault(!source.startsWith(".") && !(source in volumes), `volume ${source} is not there`);
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {}))
      fault(
        condition === "service_healthy" && !services[other]?.healthcheck,
        `waits for ${other}, which is never healthy`,
      );
    for (const [key, value] of Object.entries(service.environment ?? {})) {
      fault(
        isSecret(key) && !/^(redis:\/\/:)?\$\{\w+:-\}(@redis:6379)?$/.test(value),
        `${key} is written out`,
      );
      if (!key.startsWith("PF_")) continue;
      const setting = key.slice("PF_".length).toLowerCase().split("__").reduce(childOf, settings);
      fault(!setting, `${key} is no setting`);
    }
    fault([service.command ?? []].flat().includes("--live"), "trades live without being asked");
    fault(
      service.command?.includes("--role") && !/--role (trade|research)\b/.test(service.command.join(" ")),
      "has no role",
    );
  }
  if (services.redis.ports) faults.push("compose.yaml: redis: is published");
  if (!networks.queue?.internal) faults.push("compose.yaml: the queue's network reaches outside");

  const used = new Set([...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name));
  const offered = [...example.matchAll(/^(\w+)=(.*)$/gm)];
  for (const [, name, value] of offered) {
    if (!used.has(name)) faults.push(`.env.example: ${name} is used nowhere`);
    if (isSecret(name) && value !== "") faults.push(`.env.example: ${name} has a value`);
  }
  const needed = [...used].filter((name) => text.includes(`\${${name}:-}`) && name !== "IB_ACCOUNT_LIVE");
  for (const name of needed)
    if (!offered.some(([, one]) => one === name)) faults.push(`.env.example: does not offer ${name}`);
  return faults;
}

function childOf(schema, key) {
  return schema?.properties?.[key];
}

// Each is one of the files with one thing wrong in it.
const planted = [
  ["dockerfile", /=node:24\.\d+\.\d+-/, "=node:24-"],
  ["dockerfile", "USER node", "USER root"],
  ["dockerfile", /HEALTHCHECK[\s\S]*?\n(?=#)/, "HEALTHCHECK CMD curl -f http://127.0.0.1:8321/healthz\n"],
  ["dockerfile", 'CMD ["pf-worker", ', "CMD pf-worker "],
  ["dockerfile", "ENV NODE_ENV", "ENV PF_PAGE__TOKEN=abc NODE_ENV"],
  ["dockerfile", "COPY pnpm-lock.yaml", "COPY pnpm.lock"],
  ["dockerfile", "pnpm@12", "pnpm@11"],
  ["dockerfile", ', "/srv/pf/state"]', "]"],
  ["dockerfile", "WORKDIR /srv/pf", "WORKDRI /srv/pf"],
  ["dockerignore", "**/.env", ".env"],
  ["dockerignore", "state\n", ""],
  ["dockerignore", "\ndata\n", "\n**/data\n"],
  ["compose", "127.0.0.1:8321:8321", "8321:8321"],
  ["compose", "image: redis:7.2.11-bookworm", "image: redis:latest"],
  [
    "compose",
    "image: redis:7.2.11-bookworm",
    'image: redis:7.2.11-bookworm\n    ports: ["127.0.0.1:6379:6379"]',
  ],
  ["compose", /REDIS_PASSWORD: \$\{REDIS_PASSWORD:-\}/, "REDIS_PASSWORD: hunter2"],
  ["compose", "cap_drop: [ALL]", "cap_drop: [NET_RAW]"],
  ["compose", "read_only: true", "read_only: false"],
  ["compose", "PF_PAGE__HOST", "PF_PAGE__HOTS"],
  ["compose", '"--paper"]', '"--live"]'],
  ["compose", "internal: true", "internal: false"],
  ["compose", "max-size: 10m", "max-file: 3"],
  ["example", "REDIS_PASSWORD=", "REDIS_PASSWORD=hunter2"],
  ["example", "PF_PAGE_TOKEN=\n", ""],
];
const unseen = planted.filter(([file, what, instead]) => {
  const text = files[file].replace(what, instead);
  if (text === files[file]) throw new Error(`${file} has no ${what} to plant a fault in`);
  try {
    return faultsOf({ ...files, [file]: text }).length === 0;
  } catch {
    return false;
  }
});

const unit = faultsOfUnit();
const faults = [
  ...faultsOf(files),
  ...unit.faults,
  ...unseen.map(([file, what, instead]) => `these checks do not see ${what} become ${instead} in ${file}`),
];
for (const fault of faults) process.stderr.write(`✗ ${fault}\n`);
if (faults.length === 0) {
  process.stdout.write(`✓ docker/: ${planted.length} planted faults seen, none found\n${unit.said}\n`);
}
process.exitCode = faults.length > 0 ? 1 : 0;

/** systemd's own opinion of the unit, where there is one; the Node of this machine stands in for the one it names. */
function faultsOfUnit() {
  const name = "deploy/systemd/pf-worker.service";
  const { error } = spawnSync("systemd-analyze", ["--version"]);
  if (error) return { faults: [], said: `- ${name}: not checked, no systemd-analyze here` };
  const folder = mkdtempSync(join(tmpdir(), "pf-unit-"));
  try {
    const verdict = (text) => {
      const path = join(folder, "pf-worker.service");
      writeFileSync(path, text.replaceAll("/usr/bin/node", process.execPath).replaceAll("/opt/pf/", root));
      return spawnSync("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", path], {
        encoding: "utf8",
      });
    };
    const faults = ({ status, stderr }) =>
      stderr
        .split("\n")
        .filter((line) => line.includes("pf-worker.service"))
        .concat(status === 0 ? [] : `verify ended with ${status}`);
    const text = read(name);
    const misspelt = faults(verdict(text.replace("TimeoutStopSec", "TimeoutStopSce")));
    return {
      faults: [
        ...faults(verdict(text)),
        ...(misspelt.length === 0 ? ["systemd-analyze sees no misspelt setting"] : []),
      ],
      said: `✓ ${name}: systemd-analyze verify`,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
