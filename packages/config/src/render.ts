import { Document, isScalar, type Node, Scalar, visit, YAMLMap } from "yaml";
import * as z from "zod";
import { ConfigFile, isSection, outline, type SectionShape, universeTexts } from "./schema.js";

/** What an editor needs to check and complete `config.yaml`: a JSON Schema (draft 7) of what may be written. */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, properties, ...schema } = z.toJSONSchema(ConfigFile, { io: "input", target: "draft-7" });
  const { default: usual, description, ...list } = properties!.universe as Record<string, unknown>;
  const universe = { default: usual, description, anyOf: [list, ...universeTexts] };
  return { $schema, title: "Configuration of pf", ...schema, properties: { ...properties, universe } };
}

/** The text of `config.yaml`: every setting at its default, under a comment that says what it does. */
export function renderDefaultYaml(): string {
  const document = new Document();
  document.contents = commented(outline, ConfigFile.parse({}), "", document) as typeof document.contents;
  document.commentBefore = header;
  return document.toString({
    lineWidth: 0,
    defaultKeyType: "PLAIN",
    defaultStringType: "QUOTE_DOUBLE",
    flowCollectionPadding: false,
  });
}

const header = [
  " yaml-language-server: $schema=./config.schema.json",
  "",
  ...wrapped(
    "The configuration, every setting at its default. What is yours alone goes into config.local.yaml beside this file, which git ignores. The strongest source wins: flags (--set KEY=VALUE), the environment and .env, config.local.yaml, config.yaml. Sections are merged key by key; a list replaces the whole list.",
    100,
  ),
].join("\n");

function commented(
  section: SectionShape,
  values: Record<string, unknown>,
  indent: string,
  document: Document,
): YAMLMap {
  const map = new YAMLMap();
  for (const [key, shape] of section.keys) {
    const name = new Scalar(key);
    name.commentBefore = wrapped(shape.description, 108 - indent.length).join("\n");
    name.spaceBefore = indent === "" && map.items.length > 0;
    const value = isSection(shape)
      ? commented(shape, values[key] as Record<string, unknown>, `${indent}  `, document)
      : onOneLine(document.createNode(values[key]));
    map.add({ key: name, value });
  }
  return map;
}

/** Lists in brackets, their words without quotes. */
function onOneLine(node: Node): Node {
  visit(node, {
    Seq: (_, list) => {
      list.flow = true;
      for (const item of list.items) if (isScalar(item)) item.type = "PLAIN";
    },
  });
  return node;
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(` ${word}`);
  }
  return lines;
}
