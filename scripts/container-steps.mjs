// Does what `docker build` would do where no container engine is: every instruction of docker/Dockerfile, in its order,
// in a root file system of its own that starts from this machine's and sees nothing of this checkout but what
// .dockerignore lets through. Then starts what the image starts as its user, with a read-only root and no capability.
//
// `node scripts/container-steps.mjs` needs Linux, root, and the right to mount; it says so where it has not. The image
// that FROM names is the one thing that it cannot take: this machine's Debian stands in for it, with the very Node that
// the image has where the npm registry has it, else with this machine's.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { instructionsOf, isIgnored, substitute } from "./dockerfile.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

// What mounts lives in a name space of its own, and goes when this process goes.
if (process.env.PF_CONTAINER_STEPS !== "inside") {
  const words = ["--mount", "--propagation", "private", process.execPath, ...process.argv.slice(1)];
  const { status, error } = spawnSync("unshare", words, {
    env: { ...process.env, PF_CONTAINER_STEPS: "inside" },
    stdio: "inherit",
  });
  if (error || status === null) throw new Error("not run: needs `unshare` of util-linux", { cause: error });
  process.exit(status);
}

const work = mkdtempSync(join(tmpdir(), "pf-container-"));
process.on("exit", () => {
  spawnSync("umount", ["--lazy", work]);
  rmSync(work, { recursive: true, force: true });
});
const tmpfs = spawnSync("mount", ["-t", "tmpfs", "tmpfs", work], { encoding: "utf8" });
if (tmpfs.status !== 0) {
  process.stderr.write(`not run: nothing can be mounted here (${tmpfs.stderr.trim()})\n`);
  process.exit(2);
}

const say = (text) => process.stdout.write(`${text}\n`);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

const { image, stages } = build();
say(`\nBuilt ${stages.length} stages. The last adds:`);
execFileSync("du", ["-sh", ...layersOf(image, "opt/pf/cli", "opt/pf/worker")], { stdio: "inherit" });
await tryImage(image);

/** Goes through the Dockerfile once, stage by stage. */
function build() {
  const stages = [];
  const globals = {};
  let stage;
  for (const { keyword, words, flags, line } of instructionsOf(
    readFileSync(join(root, "docker/Dockerfile"), "utf8"),
  )) {
    say(`\n${keyword} ${line}`);
    const began = performance.now();
    const known = { ...globals, ...stage?.args, ...stage?.env };
    const value = (word) => substitute(word, known);
    switch (keyword) {
      case "ARG": {
        const [name, standard = ""] = value(words[0]).split(/=(.*)/s);
        if (stage) stage.args[name] = globals[name] ?? standard;
        else globals[name] = standard;
        break;
      }
      case "FROM": {
        const [source, , name = String(stages.length)] = words.map(value);
        stage = stageFrom(stages.find((one) => one.name === source) ?? baseImage(source), name);
        stages.push(stage);
        break;
      }
      case "ENV":
        for (const word of words) {
          const [name, text] = value(word).split(/=(.*)/s);
          stage.env[name] = text;
        }
        break;
      case "WORKDIR":
        stage.directory = value(words[0]);
        mkdirSync(inside(stage, stage.directory), { recursive: true });
        break;
      case "COPY":
        copy(stage, flags, words.map(value), stages);
        break;
      case "RUN":
        enter(stage, ["/bin/sh", "-c", line]);
        break;
      case "USER":
        stage.user = value(words[0]);
        break;
      case "VOLUME":
        stage.volumes = words.map(value);
        break;
      case "CMD":
      case "ENTRYPOINT":
        stage[keyword.toLowerCase()] = words;
        break;
      case "HEALTHCHECK":
        stage.health = JSON.parse(line.slice(line.indexOf("[")));
        break;
      // They say something of the image and do nothing to it.
      case "EXPOSE":
      case "STOPSIGNAL":
      case "LABEL":
        break;
      default:
        throw new Error(`this script does not know what ${keyword} does`);
    }
    if (keyword === "RUN" || keyword === "COPY") say(`  ${seconds(began)}`);
  }
  return { image: stage, stages };
}

/** A root that looks like a fresh machine: this one without its temporary, private and working folders. */
function baseImage(name) {
  const hidden = join(work, "base-hidden");
  const fresh = join(work, "base-fresh");
  if (!existsSync(hidden)) {
    mkdirSync(hidden);
    const kept = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "proc", "sys", "dev"];
    for (const entry of readdirSync("/"))
      if (!kept.includes(entry)) execFileSync("mknod", [join(hidden, entry), "c", "0", "0"]);
    for (const folder of ["root", "tmp", "opt", "srv", "var/tmp", "home/node", "usr/local/bin", "etc"])
      mkdirSync(join(fresh, folder), { recursive: true });
    execFileSync("chmod", ["1777", join(fresh, "tmp"), join(fresh, "var/tmp")]);
    const node = nodeOf(/^node:(\d+\.\d+\.\d+)/.exec(name)?.[1]);
    if (node) cpSync(node, join(fresh, "usr/local/bin/node"));
    const { stdout } = spawnSync(node ?? process.execPath, ["--version"], { encoding: "utf8" });
    const [, debian] = /PRETTY_NAME="(.*)"/.exec(readFileSync("/etc/os-release", "utf8")) ?? [];
    say(`  (Node ${stdout.trim()} on ${debian} of this machine stands in for ${name})`);
    // The image has a user of this name and number; his home is of no use to us.
    for (const [file, user] of [
      ["passwd", "node:x:1000:1000::/home/node:/bin/sh"],
      ["group", "node:x:1000:"],
    ]) {
      const others = readFileSync(`/etc/${file}`, "utf8").split("\n");
      const path = join(fresh, "etc", file);
      writeFileSync(path, others.filter((line) => line !== "" && !line.includes(":1000:")).join("\n"));
      appendFileSync(path, `\n${user}\n`);
    }
  }
  return { layers: [fresh, hidden, "/"], env: {}, directory: "/", user: "root" };
}

/** The program of a version of Node from the npm registry; `undefined` where it cannot be had. */
function nodeOf(version) {
  if (version === undefined || `v${version}` === process.version) return undefined;
  const folder = join(work, "node");
  mkdirSync(folder);
  const words = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", `node@${version}`];
  const { status } = spawnSync("npm", words, { stdio: "ignore" });
  const path = join(folder, "node_modules/node/bin/node");
  return status === 0 && existsSync(path) ? path : undefined;
}

/** A stage is a layer of its own over the layers of what it starts from. */
function stageFrom({ layers, env, directory, user }, name) {
  const [layer, scratch, merged] = ["layer", "scratch", "root"].map((part) => join(work, `${name}-${part}`));
  for (const folder of [layer, scratch, merged]) mkdirSync(folder);
  const options = `lowerdir=${layers.join(":")},upperdir=${layer},workdir=${scratch}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", options, merged]);
  return { name, layers: [layer, ...layers], root: merged, env: { ...env }, args: {}, directory, user };
}

function inside({ root: merged }, path) {
  return join(merged, path);
}

function layersOf({ root: merged }, ...folders) {
  return folders.map((folder) => join(merged, folder));
}

/** COPY: from the context without what .dockerignore names, or from another stage. */
function copy(stage, flags, paths, stages) {
  const [from, ...unknown] = flags.map((flag) => /^--from=(.*)$/.exec(flag)?.[1]);
  if (unknown.length > 0 || (flags.length > 0 && !from))
    throw new Error(`this script does not know ${flags.join(" ")}`);
  const destination = paths.pop();
  const target = inside(
    stage,
    destination.startsWith("/") ? destination : join(stage.directory, destination),
  );
  const source = from ? stages.find(({ name }) => name === from) : undefined;
  if (from && !source) throw new Error(`COPY --from=${from}: no such stage`);
  const ignored = readFileSync(join(root, ".dockerignore"), "utf8");
  let files = 0;
  for (const path of paths) {
    const origin = source ? inside(source, path) : join(root, path);
    const isFolder = statSync(origin).isDirectory();
    const into =
      isFolder || !(destination.endsWith("/") || paths.length > 1) ? target : join(target, basename(path));
    mkdirSync(isFolder ? into : dirname(into), { recursive: true });
    cpSync(origin, into, {
      recursive: true,
      verbatimSymlinks: true,
      filter(file) {
        if (!source && isIgnored(ignored, relative(root, file))) return false;
        files += 1;
        return true;
      },
    });
  }
  if (files === 0) throw new Error(`COPY ${paths.join(" ")} copied nothing`);
  say(`  ${files} files and folders`);
}

/** Runs a command in a stage as Docker would: its environment, its folder, its user, and nothing of this machine's. */
function enter(stage, words, { quiet = false } = {}) {
  const devices = inside(stage, "/dev");
  if (!existsSync(join(devices, "null"))) execFileSync("mount", ["--bind", "/dev", devices]);
  if (!existsSync(inside(stage, "/proc/self")))
    execFileSync("mount", ["--bind", "/proc", inside(stage, "/proc")]);
  const { command, words: all, options } = invocation(stage, words);
  const { status, signal, stdout, stderr } = spawnSync(command, all, {
    ...options,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) {
    if (!quiet)
      say(
        stdout
          .trimEnd()
          .split("\n")
          .slice(-4)
          .map((line) => `  | ${line}`)
          .join("\n"),
      );
    return stdout;
  }
  process.stderr.write(`${stdout}${stderr}\n${words.join(" ")}: ended with ${status ?? signal}\n`);
  process.exit(1);
}

/** How a command is started in a stage: `chroot` becomes `env`, and that the command, so that a signal reaches it. */
function invocation(stage, words) {
  return {
    command: "chroot",
    words: [stage.root, "/usr/bin/env", "-C", stage.directory, ...words],
    options: {
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: "/root",
        ...registry(),
        ...stage.env,
      },
    },
  };
}

/** Where packages come from is the one thing a builder tells the build; nothing of it stays in the image. */
function registry() {
  const settings = Object.entries(process.env).filter(([name]) => /^npm_config_|_proxy$/i.test(name));
  const configured = execFileSync("npm", ["config", "get", "registry"], {
    cwd: "/",
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
  return { ...Object.fromEntries(settings), npm_config_registry: configured };
}

/** Starts what the image is for as its user: the root read-only, volumes and /tmp writable, no capability, no new one. */
async function tryImage(image) {
  for (const volume of image.volumes) {
    const folder = join(work, `volume-${basename(volume)}`);
    // A new volume starts as what the image holds at its place.
    cpSync(inside(image, volume), folder, { recursive: true, preserveTimestamps: true });
    execFileSync("chown", ["-R", "1000:1000", folder]);
    execFileSync("mount", ["--bind", folder, inside(image, volume)]);
  }
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", inside(image, "/tmp")]);
  enter({ ...image, directory: "/" }, ["true"], { quiet: true });
  execFileSync("mount", ["-o", "remount,ro", image.root]);

  if (image.user !== "node") throw new Error(`the image runs as ${image.user}`);
  const unprivileged =
    "setpriv --reuid=1000 --regid=1000 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs --";
  const run = (words) => {
    say(`\n$ ${words.join(" ")}`);
    const began = performance.now();
    const printed = enter(image, [...unprivileged.split(" "), ...words]);
    say(`  ${seconds(began)}`);
    return printed;
  };
  const check = (is, what) => {
    if (!is) throw what instanceof Error ? what : new Error(what);
  };

  check(/^uid=1000\(node\)/.test(run(["id"])), "not the user node");
  const written = run(["sh", "-c", "touch /srv/pf/state/x && rm /srv/pf/state/x && ! touch /opt/pf/x 2>&1"]);
  check(
    /Read-only file system|Permission denied/.test(written),
    "the program's own folder can be written to",
  );
  check(/^\d+\.\d+\.\d+/.test(run(["pf", "--version"])), "no version");
  check(/backtest/.test(run(["pf", "--help"])), "no help");
  run(["pf", "fetch", "--source", "synthetic", "--quiet"]);
  const { metrics } = JSON.parse(run(["pf", "backtest", "--set", "data.source=synthetic", "--json"]));
  check(Number.isFinite(metrics.CAGR) && metrics.Bars > 2000, "no metrics");
  check(existsSync(inside(image, "/srv/pf/reports/equity.png")), "no picture");
  const [program] = image.cmd;
  const help = run([program, "--help"]);
  check(help.includes("--role"), `${program} does not know its roles`);
  await tryService(image, unprivileged.split(" "), check);
  say("\nEvery step of docker/Dockerfile was done, and what it makes runs.");
}

/** Starts the image as a service, asks its health as Docker would, and ends it as Docker would. */
async function tryService(image, unprivileged, check) {
  const port = await freePort();
  const set = {
    PF_PAGE__HOST: "0.0.0.0",
    PF_PAGE__PORT: String(port),
    PF_PAGE__TOKEN: "letters-and-digits-enough",
    // Nobody listens there: a service that waits for its broker is alive.
    IB_PORT: "1",
  };
  say(`\n$ ${image.cmd.join(" ")} &`);
  const began = performance.now();
  const service = { ...image, env: { ...image.env, ...set } };
  const { command, words, options } = invocation(service, [...unprivileged, ...image.cmd]);
  const child = spawn(command, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      printed += text;
    });
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)));
  const trouble = (what) => new Error(`${what}; it printed:\n${printed}`);
  try {
    while (!printed.includes('"ready"')) {
      check(
        performance.now() - began < 20_000 && child.exitCode === null,
        trouble("the service is not ready"),
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    say(`  ready after ${seconds(began)}`);
    enter(service, [...unprivileged, ...image.health], { quiet: true });
    say("  its health check says that it is well");
    const { status } = await fetch(`http://127.0.0.1:${port}/`, { redirect: "manual" });
    check(status !== 200, trouble("its page opens without a token"));
    const asked = performance.now();
    child.kill("SIGTERM");
    const code = await Promise.race([
      ended,
      new Promise((resolve) => setTimeout(resolve, 20_000, "nothing")),
    ]);
    check(code === 0, trouble(`SIGTERM was answered by ${code}`));
    say(`  ended ${seconds(asked)} after SIGTERM, exit 0`);
    const after = invocation(service, [...unprivileged, ...image.health]);
    check(
      spawnSync(after.command, after.words, after.options).status !== 0,
      "its health check says that it is well when it has ended",
    );
  } finally {
    child.kill("SIGKILL");
  }
}

function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  return new Promise((resolve) =>
    server.on("listening", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    }),
  );
}
