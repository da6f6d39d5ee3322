import type { Requests } from "./link.js";

const insides = new WeakMap<object, Requests>();

/** Remembers how to ask through a session, for this package alone: its users see no types of the library below. */
export function keepRequests(session: object, requests: Requests): void {
  insides.set(session, requests);
}

/** How to ask through a session that {@link keepRequests} knows. */
export function requestsOf(session: object): Requests {
  const requests = insides.get(session);
  if (!requests) throw new TypeError("a session that connectIbkr did not make");
  return requests;
}
