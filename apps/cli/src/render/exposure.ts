import type { TargetWeightsOutcome } from "@pf/app";
import { decimal } from "./number.js";
import { listItem } from "./table.js";

/** What the volatility target and every overlay made of the weights, and why; in the order in which they came. */
export function exposureLines(overlays: TargetWeightsOutcome["overlays"], width: number): string[] {
  return overlays.flatMap(({ name, exposure, reason }) => {
    const does =
      exposure < 1 ? `scales every weight by ${decimal(exposure)}` : "leaves the weights as they are";
    return listItem("-", `${name} ${does}: ${reason}`, width);
  });
}
