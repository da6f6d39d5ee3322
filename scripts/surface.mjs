// What users of a package can see, written down beside it: `api.txt` holds every declaration that its types are made of,
// without comments and in the order of names; that of the program holds its commands and flags. `package-sizes.json` holds
// how large the packages are. `node scripts/surface.mjs` writes them from the builds; `--check` compares, so that nothing
// changes unseen, and asks for a changeset where something did. Whoever asks has built the workspace.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import ts from "typescript";
import { packAll } from "./pack.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const sizesFile = join(root, "scripts/package-sizes.json");
/** A package may grow by a tenth, and by two kilobytes in any case, before somebody has to say that it should. */
const growth = { share: 0.1, bytes: 2048 };
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The public packages with what their `api.txt` should say. */
function surfaces() {
  return ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: read(join(folder, "package.json")) }))
    .filter(({ manifest }) => !manifest.private)
    .map(({ folder, manifest }) => ({
      name: manifest.name,
      version: manifest.version,
      file: join(folder, "api.txt"),
      text: manifest.exports ? libraryText(folder, manifest) : programText(folder, manifest),
    }));
}

function libraryText(folder, { name, exports }) {
  const entries = Object.entries(exports).filter(([, entry]) => entry.import?.types);
  return entries
    .map(([path, entry]) => {
      const file = join(folder, entry.import.types);
      if (!existsSync(file)) throw new Error(`build first: there is no ${relative(root, file)}`);
      return `# ${join(name, path)}\n\n${declarationsOf(file)}`;
    })
    .join("\n");
}

/**
 * All declarations of an entry's types by name, also from files that it shares with other entries; those that are not
 * exported are there because others are made of them.
 */
function declarationsOf(entry) {
  const printer = ts.createPrinter({ removeComments: true });
  const files = new Map();
  const load = (file) => {
    if (files.has(file)) return;
    const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
    // Names by which a file gives away what it declares: shared files are given short ones.
    const given = new Map();
    files.set(file, { source, given });
    for (const statement of source.statements) {
      const from = statement.moduleSpecifier?.text;
      if (from?.startsWith(".")) load(typesAt(file, from));
      if (!ts.isExportDeclaration(statement) || !statement.exportClause) continue;
      const theirs = from?.startsWith(".") ? files.get(typesAt(file, from)).given : undefined;
      for (const { propertyName, name } of statement.exportClause.elements) {
        const local = (propertyName ?? name).text;
        given.set(name.text, theirs?.get(local) ?? importedAs(source, file, files, local) ?? local);
      }
    }
  };
  load(entry);
  const exported = new Map([...files.get(entry).given].map(([outside, inside]) => [inside, outside]));
  return [...files.values()]
    .flatMap(({ source }) =>
      source.statements
        // What is taken from other packages shows where it is used.
        .filter((statement) => !ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement))
        .map((statement) => {
          const name = nameOf(statement);
          const as = exported.get(name);
          const text = printer.printNode(ts.EmitHint.Unspecified, statement, source);
          const mark = as === undefined ? "(inner) " : as === name ? "" : `(as ${as}) `;
          return { key: as ?? name, text: `${mark}${text.replace(/^(export )?(declare )?/, "")}\n` };
        }),
    )
    .sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0))
    .map(({ text }) => text)
    .join("\n");
}

const typesAt = (file, specifier) => join(dirname(file), specifier.replace(/\.js$/, ".d.ts"));

/** What a name that is imported from a shared file is called there. */
function importedAs(source, file, files, local) {
  for (const statement of source.statements) {
    const bindings = ts.isImportDeclaration(statement) && statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings) || !statement.moduleSpecifier.text.startsWith("."))
      continue;
    const element = bindings.elements.find(({ name }) => name.text === local);
    const { given } = files.get(typesAt(file, statement.moduleSpecifier.text));
    if (element) return given.get((element.propertyName ?? element.name).text);
  }
  return undefined;
}

function nameOf(statement) {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0].name.getText();
  return statement.name?.text ?? statement.getText();
}

function programText(folder, { name, oclif }) {
  const { commands } = read(join(folder, "oclif.manifest.json"));
  const texts = Object.values(commands).map(({ id, args, flags }) => {
    const lines = Object.values(flags).map((flag) => {
      const value = flag.type === "boolean" ? "" : ` ${flag.options?.join("|") ?? flag.helpValue ?? "VALUE"}`;
      const marks = [flag.required && "required", flag.multiple && "repeatable", flag.allowNo && "or --no-"];
      return `  --${flag.name}${value}${marks
        .filter(Boolean)
        .map((mark) => `, ${mark}`)
        .join("")}\n`;
    });
    const words = Object.values(args).map((arg) => (arg.required ? ` ${arg.name}` : ` [${arg.name}]`));
    return `${oclif.bin} ${id.replaceAll(":", oclif.topicSeparator)}${words.join("")}\n${lines.sort().join("")}`;
  });
  return `# ${name}\n\n${texts.sort().join("\n")}`;
}

/** @returns bytes by name, of the tarball and of what is in it */
function sizes() {
  const folder = mkdtempSync(join(tmpdir(), "pf-sizes-"));
  try {
    const both = packAll(folder).map(({ name, tarball }) => {
      const packed = readFileSync(tarball);
      return [name, { packed: packed.length, unpacked: gunzipSync(packed).length }];
    });
    return Object.fromEntries(both);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function record() {
  for (const { file, text } of surfaces()) {
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    writeFileSync(file, text);
    process.stdout.write(`wrote ${relative(root, file)}\n`);
  }
  writeFileSync(sizesFile, `${JSON.stringify(sizes(), null, 2)}\n`);
}

/** @returns what is wrong, in words */
function check() {
  const faults = [];
  const now = surfaces();
  for (const { name, file, text } of now) {
    if (!existsSync(file)) faults.push(`${name} has no api.txt`);
    else if (readFileSync(file, "utf8") !== text)
      faults.push(`what users see of ${name} has changed:\n${difference(file, text)}`);
  }
  const recorded = existsSync(sizesFile) ? read(sizesFile) : {};
  for (const [name, size] of Object.entries(sizes())) {
    for (const kind of ["packed", "unpacked"]) {
      const before = recorded[name]?.[kind];
      if (before === undefined) faults.push(`no size of ${name} is recorded`);
      else if (size[kind] > Math.max(before * (1 + growth.share), before + growth.bytes))
        faults.push(`${name} has grown from ${before} to ${size[kind]} bytes ${kind}`);
    }
  }
  if (faults.length > 0)
    faults.push("If that is meant, run `pnpm run surface` and add a changeset: `pnpm changeset`.");
  return [...faults, ...withoutChangeset(now)];
}

/** The lines that differ, and no more of them than somebody reads. */
function difference(file, text) {
  const folder = mkdtempSync(join(tmpdir(), "pf-surface-"));
  try {
    writeFileSync(join(folder, "api.txt"), text);
    const words = ["diff", "--no-index", "--no-color", "--unified=1", file, join(folder, "api.txt")];
    const { stdout } = spawnSync("git", words, { encoding: "utf8" });
    const lines = stdout.split("\n").filter((line) => /^[-+ ]/.test(line) && !/^(---|\+\+\+) /.test(line));
    const more = lines.length > 60 ? [`… and ${lines.length - 60} lines more`] : [];
    return [...lines.slice(0, 60), ...more].map((line) => `    ${line}`).join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Packages whose record changed and of which no changeset tells. What changed is what differs from the main branch; on
 * it, from the last commit, or what that commit changed. A package that was never released needs a changeset that waits
 * and no new one: until then everything is new.
 */
function withoutChangeset(now) {
  const base = baseOf();
  if (base === undefined) return [];
  const changed = changedSince(base);
  const waiting = readdirSync(join(root, ".changeset")).filter(
    (name) => /\.md$/.test(name) && name !== "README.md",
  );
  const told = (names) =>
    new Set(
      names.flatMap((name) =>
        [...readFileSync(join(root, ".changeset", name), "utf8").matchAll(/^"(.+)":/gm)].map(
          ([, one]) => one,
        ),
      ),
    );
  const ever = told(waiting);
  const lately = told(waiting.filter((name) => changed.has(`.changeset/${name}`)));
  return (
    now
      .filter(({ file }) => changed.has(relative(root, file)))
      // A release turned its changesets into the changelog.
      .filter(({ file }) => !changed.has(relative(root, join(dirname(file), "CHANGELOG.md"))))
      .filter(({ name, version }) => !(version === "0.0.0" ? ever : lately).has(name))
      .map(
        ({ name }) =>
          `the api.txt of ${name} changed since ${base} and no changeset tells of it: \`pnpm changeset\``,
      )
  );
}

function baseOf() {
  const git = (...words) => {
    const { status, stdout } = spawnSync("git", words, { cwd: root, encoding: "utf8" });
    return status === 0 ? stdout.trim() : undefined;
  };
  const head = git("rev-parse", "HEAD");
  const fork = git("merge-base", "HEAD", "origin/main");
  if (fork !== undefined && fork !== head) return fork;
  if (git("status", "--porcelain", "--", "*/api.txt")) return "HEAD";
  return git("rev-parse", "--verify", "--quiet", "HEAD~1");
}

/** Paths that a base does not have, or has otherwise; a release takes changesets away, which changes no api.txt. */
function changedSince(base) {
  const git = (...words) =>
    execFileSync("git", words, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
  const differing = git("diff", "--name-only", "--diff-filter=AMR", base);
  return new Set([...differing, ...git("ls-files", "--others", "--exclude-standard")]);
}

if (process.argv.includes("--check")) {
  const faults = check();
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
  if (faults.length === 0)
    process.stdout.write("every package shows what its api.txt says and has the size it had\n");
} else record();
