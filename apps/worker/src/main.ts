/** The entry point; filled by the roles. */
export async function main(_argv: readonly string[], _root: URL): Promise<void> {}
