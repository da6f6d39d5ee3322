// What `pnpm pf` starts: pnpm runs scripts in the workspace root and says in INIT_CWD where it was typed. Only this
// entry looks at INIT_CWD, since every script runner sets it, also for programs that start bin/run.js themselves.
if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
await import("./run.js");
