import pino, { type Logger } from "pino";

/** Lines of JSON for whoever collects them; words for a person at a terminal. Nothing secret is ever given to it. */
export function createLogger(stream: NodeJS.WriteStream): Logger {
  if (!stream.isTTY) return pino({ base: null }, pino.destination({ fd: 1, sync: true }));
  const levels: Readonly<Record<number, string>> = { 30: "     ", 40: "WARN ", 50: "ALARM", 60: "FATAL" };
  return pino(
    { base: null },
    {
      write(line: string) {
        const { time, level, msg, detail } = JSON.parse(line) as Readonly<Record<string, string | number>>;
        const clock = new Date(Number(time)).toTimeString().slice(0, 8);
        const more = detail ? `\n               ${String(detail).replaceAll("\n", "\n               ")}` : "";
        stream.write(`${clock} ${levels[Number(level)] ?? ""} ${msg}${more}\n`);
      },
    },
  );
}
