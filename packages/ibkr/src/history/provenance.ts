/**
 * The name under which the cache keeps bars: `ibkr`, or `tws-sim:<market>` where the server says in the time text of its
 * handshake that it is a simulator. TWS puts the zone's name there and nothing in brackets of this form, real clients
 * show the text or ignore it, and so bars of a made-up market can never be continued with the broker's.
 *
 * @param serverTime - as the server wrote it, `20260405 23:49:26 Central European Standard Time`
 * @example
 * provenanceOf("20251231 16:00:00 US/Eastern (tws-sim synthetic:42)"); // => "tws-sim:synthetic:42"
 */
export function provenanceOf(serverTime: string): string {
  const market = simulatedMarketOf(serverTime);
  return market === undefined ? "ibkr" : `tws-sim:${market}`;
}

/** The market that a simulator says it serves; undefined for anything that does not call itself one. */
export function simulatedMarketOf(serverTime: string): string | undefined {
  return /\(tws-sim ([^()]+)\)\s*$/.exec(serverTime)?.[1];
}
