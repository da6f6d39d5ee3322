import type { Ticker } from "@pf/market";
import type { OverlayOptions } from "./options.js";
import { breadth } from "./overlays/breadth.js";
import type { OverlayFactory, OverlayProblem } from "./overlays/overlay.js";
import { smaFilter } from "./overlays/smaFilter.js";
import { volatility } from "./overlays/volatility.js";
import { type Registry, registry } from "./registry.js";

/** The overlays a configuration can name; add one with `builtinOverlays.with("mine", factory)`. */
export const builtinOverlays: Registry<OverlayFactory> = registry("overlay", {
  sma_filter: smaFilter,
  volatility,
  breadth,
});

/**
 * What is wrong with an overlay's parameters, all at once: for whoever loads a configuration and knows where they stand.
 *
 * @param universe - the symbols there are bars of; without it, symbols are not checked
 * @throws UnknownNameError when no overlay has that name
 */
export function overlayProblems(
  overlay: OverlayOptions,
  universe?: readonly Ticker[],
  registered: Registry<OverlayFactory> = builtinOverlays,
): readonly OverlayProblem[] {
  return registered.get(overlay.name).problems?.(overlay, universe) ?? [];
}
