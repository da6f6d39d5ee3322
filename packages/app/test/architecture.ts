import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import ts from "typescript";

/** One row of scripts/rooms.json: what a package is and what it may import. */
export interface Room {
  readonly kind: "pure" | "adapter" | "development" | "joining" | "app";
  /** Other packages, without the scope. */
  readonly imports: readonly string[];
  /** Packages of which only the types may be imported. */
  readonly importsTypes?: readonly string[];
  /** Other packages that only tests and benchmarks may import. */
  readonly importsInTests?: readonly string[];
  /** Entries beside the index by which other packages may enter it. */
  readonly entries?: readonly string[];
  /** Third-party packages used at run time. */
  readonly thirdParty: readonly string[];
  /** Third-party packages that only tests and benchmarks use. */
  readonly thirdPartyInTests?: readonly string[];
  /** Packages copied into the build: third-party ones, and those of ours that need not be installed beside it. */
  readonly bundled?: readonly string[];
}

export interface Table {
  readonly rooms: Readonly<Record<string, Room>>;
  readonly testTools: readonly string[];
  readonly buildTools: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly pf?: { readonly kind?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Import {
  readonly specifier: string;
  readonly typesOnly: boolean;
}

interface SourceFile {
  /** Relative to the package, with forward slashes. */
  readonly path: string;
  readonly shipped: boolean;
  readonly imports: readonly Import[];
}

/**
 * Everything in a workspace that its table of rooms does not allow, one line each; nothing when all is well.
 *
 * @param root - folder that holds `packages/` and `apps/`
 */
export function architectureBreaches(root: string, table: Table): readonly string[] {
  const packages = packagesIn(root);
  return packages.flatMap(({ folder, manifest }) => {
    const room = table.rooms[folder];
    if (!room) return [`${folder}: has no row in the table`];
    const files = sourcesIn(join(root, folder));
    return [
      ...manifestBreaches(manifest, room, table),
      ...files.flatMap((file) => importBreaches(file, folder, manifest, room, table)),
      ...cyclesAmong(files),
    ].map((breach) => `${folder}: ${breach}`);
  });
}

/**
 * The files in test folders that tests of other packages import, and what those files import beside them, relative to the
 * root: what a package's tests depend on without depending on a build.
 */
export function sharedTestFiles(root: string): readonly string[] {
  const imports = new Map(
    packagesIn(root).flatMap(({ folder }) =>
      sourcesIn(join(root, folder)).map(({ path, imports }) => [posix.join(folder, path), imports] as const),
    ),
  );
  const testFilesNamedBy = (file: string) =>
    (imports.get(file) ?? [])
      .filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".ts"))
      .filter((target) => imports.has(target) && target.split("/")[2] === "test");
  const home = (file: string) => file.split("/").slice(0, 2).join("/");

  const shared = new Set(
    [...imports.keys()].flatMap((file) =>
      testFilesNamedBy(file).filter((target) => home(target) !== home(file)),
    ),
  );
  // A set that grows while it is walked through: what is shared shares what it imports.
  for (const file of shared) for (const target of testFilesNamedBy(file)) shared.add(target);
  return [...shared].sort();
}

/** The packages of a workspace: every folder with a manifest under `packages/` and `apps/`. */
export function packagesIn(
  root: string,
): readonly { readonly folder: string; readonly manifest: Manifest }[] {
  return ["packages", "apps"]
    .filter((group) => existsSync(join(root, group)))
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest,
    }));
}

function manifestBreaches(
  manifest: Manifest,
  room: Room,
  { testTools, buildTools }: Table,
): readonly string[] {
  const atRunTime = new Set([
    ...scoped(room.imports),
    ...scoped(room.importsTypes ?? []),
    ...room.thirdParty,
  ]);
  const inDevelopment = new Set([
    ...atRunTime,
    ...scoped(room.importsInTests ?? []),
    ...(room.bundled ?? []),
    ...(room.thirdPartyInTests ?? []),
    ...testTools,
    ...buildTools,
  ]);
  return [
    ...(manifest.pf?.kind === room.kind
      ? []
      : [`says it is ${manifest.pf?.kind}, the table says ${room.kind}`]),
    ...Object.keys(manifest.dependencies ?? {})
      .filter((name) => !atRunTime.has(name))
      .map((name) => `its manifest depends on ${name}`),
    ...Object.keys(manifest.devDependencies ?? {})
      .filter((name) => !inDevelopment.has(name) && !name.startsWith("@types/"))
      .map((name) => `its manifest depends on ${name} in development`),
  ];
}

function importBreaches(
  file: SourceFile,
  folder: string,
  manifest: Manifest,
  room: Room,
  { rooms, testTools, buildTools }: Table,
): readonly string[] {
  const declared = new Set(Object.keys(manifest.dependencies ?? {}));
  const developed = new Set(Object.keys(manifest.devDependencies ?? {}));
  const neighbours = new Set(scoped([...room.imports, ...(room.importsTypes ?? [])]));
  const typesAlone = new Set(scoped(room.importsTypes ?? []));
  const inTests = new Set([
    ...scoped(room.importsInTests ?? []),
    ...(room.thirdPartyInTests ?? []),
    ...testTools,
    ...buildTools,
  ]);

  return file.imports.flatMap(({ specifier, typesOnly }) => {
    const breach = (what: string) => [`${file.path} imports ${specifier}: ${what}`];
    if (specifier.startsWith("node:"))
      return room.kind === "pure" && file.shipped ? breach("a pure package knows no platform") : [];
    if (specifier.startsWith(".")) {
      const target = posix.join(folder, posix.dirname(file.path), specifier);
      if (target.startsWith(`${folder}/`)) return [];
      if (file.shipped) return breach("another package is entered by its name");
      const [group, name, area] = target.split("/");
      const shared = `@pf/${name}`;
      return group === "packages" && area === "test" && (neighbours.has(shared) || inTests.has(shared))
        ? []
        : breach("tests share only the test folder of a package they may import");
    }
    const name = packageNameOf(specifier);
    if (name === manifest.name) return [];
    if (name.startsWith("@pf/")) {
      const entries = rooms[name.replace("@pf/", "packages/")]?.entries ?? [];
      if (specifier !== name && !entries.some((entry) => specifier === `${name}/${entry}`))
        return breach("another package is entered by its index");
      if (!file.shipped && inTests.has(name))
        return developed.has(name) ? [] : breach("its manifest does not declare it");
      if (!neighbours.has(name)) return breach("the table does not allow it");
      if (typesAlone.has(name) && file.shipped && !typesOnly) return breach("only its types are allowed");
      const copied = room.bundled?.includes(name) && developed.has(name);
      return declared.has(name) || copied ? [] : breach("its manifest does not declare it");
    }
    if (!file.shipped && inTests.has(name))
      return developed.has(name) ? [] : breach("its manifest does not declare it");
    if (room.thirdParty.includes(name))
      return declared.has(name) ? [] : breach("its manifest does not declare it");
    if (room.bundled?.includes(name))
      return developed.has(name) ? [] : breach("its manifest does not declare it");
    return breach("this third-party package has another room");
  });
}

/** Circles of imports among the files of one package, each told once. */
function cyclesAmong(files: readonly SourceFile[]): readonly string[] {
  const known = new Map(files.map((file) => [file.path, file]));
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      cycles.push(`imports run in a circle: ${[...trail.slice(trail.indexOf(path)), path].join(" → ")}`);
      return;
    }
    state.set(path, "open");
    for (const { specifier } of known.get(path)?.imports ?? []) {
      if (!specifier.startsWith(".")) continue;
      const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts");
      if (known.has(target)) visit(target, [...trail, path]);
    }
    state.set(path, "done");
  };
  for (const { path } of files) visit(path, []);
  return cycles;
}

function sourcesIn(folder: string): readonly SourceFile[] {
  return ["src", "test", "bench", "bin"]
    .filter((area) => existsSync(join(folder, area)))
    .flatMap((area) =>
      readdirSync(join(folder, area), { recursive: true, encoding: "utf8" }).map((path) => `${area}/${path}`),
    )
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.(ts|js|mjs)$/.test(path) && !path.includes("readme-example-"))
    .map((path) => ({
      path,
      shipped: /^(src|bin)\//.test(path) && !/\.(test|bench)\.ts$/.test(path),
      imports: importsOf(path, readFileSync(join(folder, path), "utf8")),
    }));
}

/** Every module a file names: imports, re-exports, `import()` of a literal, and `import("…")` in types. */
function importsOf(path: string, text: string): readonly Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, typesOnly: boolean) => {
    if (node && ts.isStringLiteralLike(node)) found.push({ specifier: node.text, typesOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022));
  return found;
}

/** What is wrong with a file in the eyes of the compiler, under the settings of a package. */
export function compilerFaults(file: string, tsconfig: string): readonly string[] {
  const { config, error } = ts.readConfigFile(tsconfig, ts.sys.readFile);
  if (error) throw new Error(`cannot read ${tsconfig}`);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(tsconfig));
  const program = ts.createProgram([file], options);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

const scoped = (names: readonly string[]) => names.map((name) => `@pf/${name}`);

function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
