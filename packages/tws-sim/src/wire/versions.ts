/** The oldest and newest protocol versions that are spoken here. From 201 on the wire carries another encoding. */
export const minServerVersion = 157;
export const maxServerVersion = 193;

/** The version from which a layout holds, for the layouts that change between the oldest and the newest. */
export const since = {
  duration: 158,
  marketDataInShares: 159,
  postToAts: 160,
  autoCancelParent: 162,
  fractionalSizes: 163,
  sizeRules: 164,
  advancedReject: 166,
  manualOrderTime: 169,
  pegBestPegMid: 170,
  instrumentTimeZone: 174,
  historicalVolumeInShares: 175,
  bondIssuerId: 176,
  noFaProfile: 177,
  pendingPriceRevision: 178,
  lastTradeDate: 182,
  customerAccount: 183,
  professionalCustomer: 184,
  bondAccruedInterest: 185,
  ineligibilityReasons: 186,
  rfqFields: 187,
  includeOvernight: 189,
  noRfqFields: 190,
  cmeTagging: 192,
  cmeTaggingInOpenOrder: 193,
} as const;

/** The newest version both sides know; undefined where there is none. */
export function negotiate(
  client: { readonly minVersion: number; readonly maxVersion: number },
  newest: number = maxServerVersion,
): number | undefined {
  const version = Math.min(client.maxVersion, newest);
  return version < minServerVersion || version < client.minVersion ? undefined : version;
}

/** Whether two extra fields of a request for quotes travel in placeOrder, and three in cancelOrder. */
export function hasRfqFields(version: number): boolean {
  return version >= since.rfqFields && version < since.noRfqFields;
}
