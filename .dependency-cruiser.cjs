// Who may import whom, made from one table: scripts/rooms.json.
//
// Two set-ups look right and find nothing: `exclude: /dist/` would hide the edges between packages, hence doNotFollow;
// and an undeclared `@pf/x` never resolves to packages/x, hence every rule knows both spellings and whatever does not
// resolve is an error. packages/app/test/architecture.test.ts plants breaches to see these rules catch them.
const { rooms, testTools, buildTools } = require("./scripts/rooms.json");

const notShipped = "\\.(test|bench)\\.ts$|^(packages|apps)/[^/]+/(test|bench)/|/(tsup|vitest)\\.config\\.ts$";
const either = (names) => names.map((name) => name.replaceAll("/", "\\/").replaceAll(".", "\\.")).join("|");
const packageOf = (names) => `node_modules/(${either([...names, "@types"])})/`;
/** The files through which a package may be entered: those that its `exports` name. */
const doors = Object.keys(rooms).flatMap((folder) =>
  Object.values(require(`./${folder}/package.json`).exports ?? {}).map(
    (entry) => `^${folder}/${entry["@pf/source"].replace("./", "").replaceAll(".", "\\.")}$`,
  ),
);
const roomsNamed = (names) => names.map((name) => `^(packages/|@pf/|node_modules/@pf/)${name}(/|$)`);

const roomRules = Object.entries(rooms).flatMap(([folder, room]) => {
  const types = room.importsTypes ?? [];
  const shipped = [...room.thirdParty, ...(room.bundled ?? [])];
  const inTests = room.importsInTests ?? [];
  const layers = (allowed) => ({
    path: "^(packages/|apps/|@pf/|node_modules/@pf/)",
    pathNot: [`^${folder}/`, ...roomsNamed(allowed)],
  });
  const rules = [
    {
      name: `layers: ${folder}`,
      comment: `${folder} may import ${[...room.imports, ...types.map((name) => `types of ${name}`)].join(", ") || "no other package"}`,
      severity: "error",
      from: { path: `^${folder}/`, pathNot: notShipped },
      to: layers([...room.imports, ...types]),
    },
    {
      name: `layers: ${folder}, in tests`,
      comment: `tests of ${folder} may import what it may, and ${inTests.join(", ") || "nothing else"}`,
      severity: "error",
      from: { path: `^${folder}/` },
      to: layers([...room.imports, ...types, ...inTests]),
    },
    {
      name: `third party: ${folder}`,
      comment: `what ${folder} ships may use ${shipped.join(", ") || "no third-party package"}`,
      severity: "error",
      from: { path: `^${folder}/`, pathNot: notShipped },
      to: { path: "node_modules/", pathNot: packageOf(shipped) },
    },
    {
      name: `test tools: ${folder}`,
      comment:
        "tests, benchmarks and build settings may use the tools in the table beside what the package ships",
      severity: "error",
      from: { path: `^${folder}/.*(${notShipped})|^${folder}/(test|bench)/` },
      to: {
        path: "node_modules/",
        pathNot: packageOf([...shipped, ...(room.thirdPartyInTests ?? []), ...testTools, ...buildTools]),
      },
    },
  ];
  if (types.length > 0)
    rules.push({
      name: `types only: ${folder}`,
      comment: `${folder} may import the types of ${types.join(", ")} and nothing that runs`,
      severity: "error",
      from: { path: `^${folder}/`, pathNot: notShipped },
      to: { path: roomsNamed(types), dependencyTypesNot: ["type-only"] },
    });
  if (room.kind === "pure")
    rules.push({
      name: `no platform: ${folder}`,
      comment: "a pure package takes everything as an argument and returns values",
      severity: "error",
      from: { path: `^${folder}/src/`, pathNot: notShipped },
      to: { dependencyTypes: ["core"] },
    });
  return rules;
});

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: "a room for everybody",
      comment: "every package has its row in scripts/rooms.json",
      severity: "error",
      from: { path: "^(packages|apps)/", pathNot: Object.keys(rooms).map((folder) => `^${folder}/`) },
      to: {},
    },
    {
      name: "through the door",
      comment:
        "another package is entered by what it exports; only tests may share what stands in a test folder",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/", pathNot: notShipped },
      to: { path: "^(packages|apps)/", pathNot: ["^$1/$2/", ...doors] },
    },
    {
      name: "through the door, in tests",
      comment:
        "another package is entered by what it exports; only tests may share what stands in a test folder",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/" },
      to: { path: "^(packages|apps)/", pathNot: ["^$1/$2/", "^packages/[^/]+/test/", ...doors] },
    },
    {
      name: "no circular",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "an import that does not resolve is undeclared (what a build makes may be absent)",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^(\\.\\./)+dist/" },
    },
    {
      name: "declared",
      comment: "every package imported stands in the manifest of the package that imports it",
      severity: "error",
      from: { path: "^(packages|apps)/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
  ],
  options: {
    // The examples that README tests write and remove while this may be running.
    exclude: "/readme-example-",
    doNotFollow: { path: "node_modules|/dist/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@pf/source", "node", "import", "require", "types", "default"],
    },
  },
};
