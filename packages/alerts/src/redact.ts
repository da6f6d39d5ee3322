const shown = "***";
/** What is shorter stands in every text by chance; nothing so short keeps anybody out. */
const shortest = 3;

/** Makes the one function through which every text goes that somebody may read. */
export function redactionOf(secrets: readonly string[]): (text: string) => string {
  const hidden = [...new Set(secrets)]
    .filter(({ length }) => length >= shortest)
    // The longest first: a part that is replaced would keep the whole from being recognised.
    .sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((rest, secret) => rest.replaceAll(secret, shown), text);
}
