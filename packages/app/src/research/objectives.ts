import { metricNames } from "@pf/config";

/** The objectives a person may choose: the metrics that the configuration knows. */
export const objectives = metricNames;
export type ObjectiveName = (typeof objectives)[number];
