/** The page is wanted on an address that others can reach, and nothing would keep them out. */
export class PageWithoutTokenError extends Error {
  override readonly name = "PageWithoutTokenError";
  readonly code = "PF_PAGE_OPEN";
  readonly next =
    "set page.token (environment PF_PAGE__TOKEN, at least 16 characters), or leave page.host at 127.0.0.1 and come by `ssh -L`";

  constructor(readonly host: string) {
    super(`the page would listen on ${host}, which others can reach, and page.token is empty`);
  }
}

/** A token that could be guessed. */
export class PageTokenError extends Error {
  override readonly name = "PageTokenError";
  readonly code = "PF_PAGE_TOKEN";
  readonly next = "set page.token to a longer one, such as what `openssl rand -hex 24` prints";

  constructor(readonly least: number) {
    super(`page.token has fewer than ${least} characters`);
  }
}

/** The system does not let the page listen where it shall. */
export class PageAddressError extends Error {
  override readonly name = "PageAddressError";
  readonly code = "PF_PAGE_ADDRESS";
  readonly next: string;

  constructor(
    readonly host: string,
    readonly port: number,
    options: { readonly cause: NodeJS.ErrnoException },
  ) {
    const { code, message } = options.cause;
    const why =
      code === "EADDRINUSE"
        ? "something listens there already"
        : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
          ? "this machine has no such address"
          : code === "EACCES"
            ? "the system does not permit it"
            : message;
    super(`the page cannot listen on ${host}, port ${port}: ${why}`, options);
    this.next =
      code === "EADDRINUSE"
        ? "end the other worker, or set page.port to another port (0 lets the system choose one)"
        : "correct page.host and page.port";
  }
}
