import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, it } from "vitest";

// Whoever gets an alarm looks it up in docs/operations.md by its title, and finds in its text what to do.

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const words = wordsIn(read("../src/worker/run.ts"));

it("every warning and alarm of the worker stands in docs/operations.md, and no other", () => {
  expect(words.length).toBeGreaterThan(15);
  const [, table = ""] =
    /## What an alarm means\n([\s\S]*?)\n## /.exec(read("../../../docs/operations.md")) ?? [];
  const explained = [...table.matchAll(/^\| (.+?) +\|/gm)].slice(2).map(([, title]) => title!);
  expect(words.filter(({ title }) => !explained.some((one) => title.test(one)))).toEqual([]);
  expect(explained.filter((one) => !words.some(({ title }) => title.test(one)))).toEqual([]);
});

it("each of them says what to do", () => {
  // What a failure says of itself is a sentence in failures.ts.
  for (const { title, next } of words) expect(next, String(title)).toMatch(/^next$|\w+ .*\w+ .*\w+/);
});

/** Everything that is told above the level of information; what is filled into a title may be anything. */
function wordsIn(source: string): readonly { readonly title: RegExp; readonly next: string }[] {
  const words: { title: RegExp; next: string }[] = [];
  const texts = new Map<string, ts.Expression>();
  const resolved = (value: ts.Expression) =>
    ts.isIdentifier(value) ? (texts.get(value.text) ?? value) : value;
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer)
      texts.set(node.name.text, node.initializer);
    if (ts.isCallExpression(node) && /^this\.tell$/.test(node.expression.getText())) {
      const [word] = node.arguments;
      if (!word || !ts.isObjectLiteralExpression(word)) throw new Error(`not a word: ${node.getText()}`);
      const parts = new Map(
        word.properties.flatMap((one): [string, ts.Expression][] => {
          if (ts.isShorthandPropertyAssignment(one)) return [[one.name.text, one.name]];
          return ts.isPropertyAssignment(one) ? [[one.name.getText(), one.initializer]] : [];
        }),
      );
      const [title, level, next] = ["title", "level", "next"].map((name) => parts.get(name));
      if (title && level?.getText() !== '"info"')
        words.push({ title: pattern(resolved(title)), next: next?.getText() ?? "" });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("run.ts", source, ts.ScriptTarget.Latest, true));
  return words;
}

function pattern(title: ts.Expression): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (ts.isStringLiteralLike(title)) return new RegExp(`^${literal(title.text)}$`);
  if (!ts.isTemplateExpression(title)) throw new Error(`a title that cannot be read: ${title.getText()}`);
  const rest = title.templateSpans.map((span) => `.+${literal(span.literal.text)}`);
  return new RegExp(`^${literal(title.head.text)}${rest.join("")}$`);
}
