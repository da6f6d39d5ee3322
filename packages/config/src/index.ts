export type { Config } from "./camel.js";
export { ConfigError, type ConfigIssue, issueAt, issueText } from "./errors.js";
export type { ConfigSources, SourceFile } from "./layers.js";
export { type LoadOptions, loadConfig } from "./load.js";
export { isModuleReference, type ModuleReference, parseModuleReference } from "./module-reference.js";
export { nearest } from "./nearest.js";
export { type Origin, type OriginSource, originSources, originText } from "./origin.js";
export { configJsonSchema, renderDefaultYaml } from "./render.js";
export { type KnownNames, type LoadedConfig, resolveConfig } from "./resolve.js";
export { type EffectiveConfig, metricNames, settingNames, type WrittenConfig } from "./schema.js";
export { secretSettings, withoutSecrets } from "./secrets.js";
export { type ConfigRow, describeConfig } from "./show.js";
export {
  commissionOf,
  complianceRulesOf,
  costModelOf,
  gridOf,
  lagOf,
  orderRulesOf,
  strategyOptionsOf,
} from "./views.js";
