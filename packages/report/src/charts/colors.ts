/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

// Black: with the softer ink of the titles, some shades would leave neither text a contrast of 4.5.
export const darkText = "#000000";
const lightText = "#ffffff";

/**
 * The colour at a place of a scale of at least two colours, mixed as ECharts mixes it.
 *
 * @param share - 0 for the first colour, 1 for the last
 */
export function mixed(scale: readonly string[], share: number): Rgb {
  const at = share * (scale.length - 1);
  const index = Math.min(Math.floor(at), scale.length - 2);
  const [from, to] = [rgb(scale[index]!), rgb(scale[index + 1]!)];
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (at - index));
  return [mix(0), mix(1), mix(2)];
}

/** Dark or white, whichever has the higher contrast by the formula of WCAG 2. */
export function textColorOn(background: Rgb): string {
  return contrast(background, rgb(lightText)) > contrast(background, rgb(darkText)) ? lightText : darkText;
}

/** Contrast ratio of WCAG 2: 1 for the same colour, 21 for black on white. */
export function contrast(a: Rgb, b: Rgb): number {
  const [lighter, darker] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** @param hex - `"#rrggbb"` */
export function rgb(hex: string): Rgb {
  const channel = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5)];
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((channel) => {
    const part = channel / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
