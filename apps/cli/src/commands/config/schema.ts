import { PfCommand } from "../../command.js";

export default class ConfigSchema extends PfCommand {
  static override summary = "Print the JSON Schema of config.yaml, for editors.";
  static override examples = ["<%= config.bin %> config schema > config/config.schema.json"];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigSchema);
    await this.serve(
      flags,
      (services) => services.configSchema(),
      (schema) => schema,
      async (schema) => `${JSON.stringify(schema, null, 2)}\n`,
    );
  }
}
