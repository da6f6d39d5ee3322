import { distance } from "fastest-levenshtein";

/**
 * The name somebody probably meant: the same but for case, hyphens and underscores, a beginning of it, or within a few
 * typing mistakes (one in a short word, two letters in five of a long one).
 */
export function nearest(written: string, names: Iterable<string>): string | undefined {
  const wanted = folded(written);
  let best: string | undefined;
  let least = wanted.length <= 4 ? 1 : Math.floor(wanted.length * 0.4);
  for (const name of names) {
    const candidate = folded(name);
    const apart = lettersApart(wanted, candidate);
    if (apart < least || (apart === least && best === undefined)) {
      best = name;
      least = apart;
    }
  }
  return best;
}

// Levenshtein counts swapped letters twice, which in a symbol of three would be no likeness at all.
function lettersApart(wanted: string, candidate: string): number {
  if (wanted === candidate) return 0;
  if (wanted.length >= 3 && candidate.startsWith(wanted)) return 0.5;
  return sorted(wanted) === sorted(candidate) ? 1 : distance(wanted, candidate);
}

function sorted(text: string): string {
  return [...text].sort().join("");
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}
