# Needs node >= 20.19, npm and make. Every target calls the workspace's own scripts; `pnpm run` lists them all.
PNPM := $(shell pnpm --version 2>/dev/null | grep -q '^12\.' && echo pnpm || echo npx --yes pnpm@12.21.0)

# DATA=path/to/csvs makes `fetch` read real files; ARGS="--start 2020-01-01" goes to the command.
export DATA
export TURBO_TELEMETRY_DISABLED = 1

.DEFAULT_GOAL := build
.PHONY: install build lint type test check bench soak demo fetch backtest wf permute clean

install: node_modules/.modules.yaml
build: install ; $(PNPM) run build
lint: install ; $(PNPM) run lint
type: install ; $(PNPM) run typecheck
test: install ; $(PNPM) run test
check: build ; $(PNPM) run check
bench: build ; $(PNPM) run bench
soak: build ; $(PNPM) run soak
demo: build ; $(PNPM) run demo
fetch: build ; $(PNPM) run fetch
backtest: build ; $(PNPM) run pf backtest $(ARGS)
wf: build ; $(PNPM) run pf walkforward $(ARGS)
permute: build ; $(PNPM) run pf permute $(ARGS)
clean: ; rm -rf node_modules packages/*/node_modules apps/*/node_modules packages/*/dist apps/*/dist .turbo demo

node_modules/.modules.yaml: pnpm-lock.yaml pnpm-workspace.yaml package.json
	$(PNPM) install --frozen-lockfile && touch $@
