/**
 * How wide each character of a font is, so that a chart can be laid out without a browser: ECharts guesses the widths
 * of another font otherwise, and legends overlap.
 */
export interface FontAdvances {
  /** Width of a text in units of the font size; kerning is not counted. */
  width(text: string): number;
}

/**
 * Reads the advance widths of a TrueType font: tables `head`, `hhea`, `hmtx` and the format 4 subtable of `cmap`
 * (OpenType specification). Characters outside the basic plane, or missing, are as wide as the font's empty box.
 *
 * @throws RangeError when the bytes are no such font
 */
export function readAdvances(font: Uint8Array): FontAdvances {
  const view = new DataView(font.buffer, font.byteOffset, font.byteLength);
  const tables = new Map<string, number>();
  for (let index = 0; index < view.getUint16(4); index++) {
    const record = 12 + index * 16;
    const tag = String.fromCharCode(...font.subarray(record, record + 4));
    tables.set(tag, view.getUint32(record + 8));
  }
  const table = (tag: string): number => {
    const offset = tables.get(tag);
    if (offset === undefined) throw new RangeError(`the font has no ${tag} table`);
    return offset;
  };
  const unitsPerEm = view.getUint16(table("head") + 18);
  const longMetrics = view.getUint16(table("hhea") + 34);
  const metrics = table("hmtx");
  const glyphOf = characterMap(view, table("cmap"));
  const known = new Map<number, number>();
  const advance = (character: number): number => {
    let width = known.get(character);
    if (width === undefined) {
      // Glyphs beyond the long metrics share the advance of the last one.
      const glyph = Math.min(glyphOf(character), longMetrics - 1);
      width = view.getUint16(metrics + glyph * 4) / unitsPerEm;
      known.set(character, width);
    }
    return width;
  };
  return {
    width(text) {
      let sum = 0;
      for (const character of text) sum += advance(character.codePointAt(0)!);
      return sum;
    },
  };
}

function characterMap(view: DataView, cmap: number): (character: number) => number {
  const subtables = Array.from({ length: view.getUint16(cmap + 2) }, (_, index) => {
    return cmap + view.getUint32(cmap + 4 + index * 8 + 4);
  });
  const format4 = subtables.find((offset) => view.getUint16(offset) === 4);
  if (format4 === undefined) throw new RangeError("the font has no character map of format 4");
  const segments = view.getUint16(format4 + 6) / 2;
  const ends = format4 + 14;
  const starts = ends + segments * 2 + 2;
  const deltas = starts + segments * 2;
  const offsets = deltas + segments * 2;
  return (character) => {
    if (character > 0xffff) return 0;
    for (let segment = 0; segment < segments; segment++) {
      if (view.getUint16(ends + segment * 2) < character) continue;
      const start = view.getUint16(starts + segment * 2);
      if (start > character) return 0;
      const delta = view.getUint16(deltas + segment * 2);
      const at = offsets + segment * 2;
      const offset = view.getUint16(at);
      if (offset === 0) return (character + delta) & 0xffff;
      const glyph = view.getUint16(at + offset + (character - start) * 2);
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  };
}
