import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, it } from "vitest";

// Whoever gets an alarm looks it up in docs/operations.md by its title.

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

it("every warning and alarm of the worker stands in docs/operations.md, and no other", () => {
  const said = titlesIn(read("../src/worker/run.ts"));
  expect(said.length).toBeGreaterThan(10);
  const [, table = ""] =
    /## What an alarm means\n([\s\S]*?)\n## /.exec(read("../../../docs/operations.md")) ?? [];
  const explained = [...table.matchAll(/^\| (.+?) +\|/gm)].slice(2).map(([, title]) => title!);
  expect(said.filter((title) => !explained.some((one) => title.test(one))).map(String)).toEqual([]);
  expect(explained.filter((one) => !said.some((title) => title.test(one)))).toEqual([]);
});

/** The titles of what is told above the level of information; what is filled in may be anything. */
function titlesIn(source: string): readonly RegExp[] {
  const titles: RegExp[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^this\.tell$/.test(node.expression.getText())) {
      const [, level, , title] = node.arguments;
      if (title && level?.getText() !== '"info"') titles.push(pattern(title));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("run.ts", source, ts.ScriptTarget.Latest, true));
  return titles;
}

function pattern(title: ts.Expression): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (ts.isStringLiteralLike(title)) return new RegExp(`^${literal(title.text)}$`);
  if (!ts.isTemplateExpression(title)) throw new Error(`a title that cannot be read: ${title.getText()}`);
  const rest = title.templateSpans.map((span) => `.+${literal(span.literal.text)}`);
  return new RegExp(`^${literal(title.head.text)}${rest.join("")}$`);
}
