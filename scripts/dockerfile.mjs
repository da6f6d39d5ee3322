// What the checks of docker/ read of a Dockerfile and of .dockerignore.
import { DockerfileParser } from "dockerfile-ast";

/**
 * @returns its instructions in their order: `{ keyword, line, words, flags }`, where `line` is what follows the keyword
 *   in one line, `words` are its parts (those of the list where it is one), and `flags` stand before them, as in `--from=build`
 */
export function instructionsOf(text) {
  return DockerfileParser.parse(text)
    .getInstructions()
    .map((instruction) => {
      const line = (instruction.getRawArgumentsContent() ?? "").replace(/\\\r?\n\s*/g, " ");
      const flags = instruction.getFlags?.().map(String) ?? [];
      const isList = /^(CMD|ENTRYPOINT|VOLUME|SHELL)$/.test(instruction.getKeyword()) && line.startsWith("[");
      const words = isList ? JSON.parse(line) : instruction.getArguments().map((word) => word.getValue());
      return { keyword: instruction.getKeyword(), line, words, flags };
    });
}

/** Puts values where `$NAME` and `${NAME}` stand; a name that nobody set is a mistake. */
export function substitute(word, values) {
  return word.replace(/\$(?:\{(\w+)\}|(\w+))/g, (all, braced, plain) => {
    const value = values[braced ?? plain];
    if (value === undefined) throw new Error(`${all} is set by no ARG and no ENV before it`);
    return value;
  });
}

/** Whether a path of the context, relative to it, stays out of the image: the last line that matches decides. */
export function isIgnored(dockerignore, path) {
  let ignored = false;
  for (const written of dockerignore.split("\n")) {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) continue;
    const pattern = line.replace(/^!/, "").replace(/^\/|\/$/g, "");
    const expression = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(
        /\*\*\/|\*\*|\*|\?/g,
        (wild) => ({ "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" })[wild],
      );
    if (new RegExp(`^${expression}(?:/|$)`).test(path)) ignored = !line.startsWith("!");
  }
  return ignored;
}
