import { applyPoint, assessTrials, gridKeys, gridPoints, runTrials } from "@pf/research";
import { describe, expect, it } from "vitest";
import { quickOptions, quickPanel, quickStudy } from "../../research/test/studies.js";
import { configuredPoint, overfittingJson } from "./researchJson.js";

describe("configuredPoint", () => {
  it("is the point that changes nothing, and undoes any other", () => {
    const point = configuredPoint(quickOptions);
    expect(Object.keys(point)).toEqual([...gridKeys]);
    const [other] = gridPoints(
      Object.fromEntries(gridKeys.map((key, index) => [key, [point[key]! + index + 1]])),
    );
    expect(configuredPoint(applyPoint(quickOptions, other!))).toEqual(other);
    expect(applyPoint(applyPoint(quickOptions, other!), point)).toEqual(quickOptions);
  });
});

describe("overfittingJson", () => {
  const trials = runTrials(quickPanel(3), quickStudy);
  const report = assessTrials(trials, quickStudy, { blocks: 6 });

  it("keeps every statistic, and counts the splits instead of listing them", () => {
    const json = overfittingJson(report);
    expect(json).toMatchObject({
      best: report.best,
      sample: report.sample,
      probabilisticSharpe: report.probabilisticSharpe,
      deflatedSharpe: report.deflatedSharpe,
      map: report.map,
    });
    expect(json.crossValidation).toMatchObject({
      probability: report.overfitting!.probability,
      splits: 20,
      undecided: 0,
    });
  });

  it("says null where a statistic is endless, undefined or was not made", () => {
    const json = overfittingJson({
      ...report,
      minimumTrackRecord: Number.POSITIVE_INFINITY,
      probabilisticSharpe: Number.NaN,
      overfitting: undefined,
    });
    expect(json).toMatchObject({
      minimumTrackRecord: null,
      probabilisticSharpe: null,
      crossValidation: null,
    });
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});
