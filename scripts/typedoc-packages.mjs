// What typedoc.json loads: the API reference has a page for each package, by its name, that begins with its README; and
// every type of ours that a signature shows has to be in it. (typedoc takes the packages of a workspace for strangers
// and does not look.)
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Application, Converter, makeRecursiveVisitor, ReflectionKind } from "typedoc";

/** Types without a name outside: the lists and schemas that exported types are taken from, and tables' rows. */
const inner = [
  "@pf/app:connectChecks",
  "@pf/app:Deciding",
  "@pf/app:Entry",
  "@pf/app:holdingSections",
  "@pf/app:Level",
  "@pf/app:StepName",
  "@pf/config:CamelCased",
  "@pf/config:ConfigFile",
  "@pf/research:Strategies",
  "@pf/selection:covarianceEstimators",
  "@pf/tws-sim:partialAction",
];

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) namePackage(project, module);
  });
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    const unused = new Set(inner);
    for (const { name, shownBy } of hidden(project)) {
      unused.delete(name);
      if (!inner.includes(name)) app.logger.warn(`${name} is shown by ${shownBy} and not exported`);
    }
    for (const name of unused)
      app.logger.warn(`${name} is said to be an inner type and is not shown, or exported`);
  });
}

function namePackage(project, module) {
  const file = project.getSymbolIdFromReflection(module)?.fileName;
  if (!file) throw new Error(`${module.name} belongs to no file`);
  const folder = dirname(dirname(file));
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  module.packageVersion = version;
  // Another entry than the index is named as it is imported, and the README stands at the index.
  const entry = basename(file, ".ts");
  module.name = entry === "index" ? name : `${name}/${entry}`;
  if (entry !== "index") return;
  const readme = readFileSync(join(folder, "README.md"), "utf8").replace(/^# .*\n/, "");
  module.readme = [{ kind: "text", text: readme }];
}

/** @returns the types of our packages that something in the reference is made of and that are not in it, each once */
function hidden(project) {
  const found = new Map();
  for (const reflection of Object.values(project.reflections)) {
    const visitor = makeRecursiveVisitor({
      reference(type) {
        const from = type.symbolId?.packageName;
        if (!from?.startsWith("@pf/") || type.reflection || type.refersToTypeParameter) return;
        const name = `${from}:${type.name}`;
        if (!found.has(name)) found.set(name, reflection.getFriendlyFullName());
      },
    });
    const { type, default: fallback, extendedTypes = [], implementedTypes = [] } = reflection;
    for (const one of [type, fallback, ...extendedTypes, ...implementedTypes]) one?.visit?.(visitor);
  }
  return [...found].map(([name, shownBy]) => ({ name, shownBy }));
}
