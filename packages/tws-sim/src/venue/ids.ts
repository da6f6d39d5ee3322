/** A 32-bit number that depends on every character (FNV-1a, then mixed). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A contract's id: the same for a symbol in every market that has no two symbols of one hash. */
export function contractIds(symbols: readonly string[]): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  for (const symbol of [...symbols].sort()) {
    let id = 10_000_000 + (hashOf(`contract/${symbol}`) % 890_000_000);
    while (taken.has(id)) id++;
    taken.add(id);
    ids.set(symbol, id);
  }
  return ids;
}

/** Ids in the broker's forms, one after the other. */
export class IdSource {
  private readonly base: number;
  private orders = 0;
  private executions = 0;

  constructor(seed: string) {
    this.base = hashOf(`ids/${seed}`);
  }

  /** Fits 32 bits, as clients below version 191 need it. */
  permId(): string {
    return String(1_000_000_000 + (this.base % 1_000_000) * 1000 + ++this.orders);
  }

  /** Such as `0000e0d5.69dd7411.01.01`; the last part counts corrections. */
  execId(): string {
    const [session, number] = [this.base & 0xfffff, 0x60000000 + ++this.executions];
    return `${hex(session)}.${hex(number)}.01.01`;
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
