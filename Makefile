# Needs node >= 20.19, npm and make. Every target calls the workspace's own scripts; `pnpm run` lists them all.
PNPM := $(shell pnpm --version 2>/dev/null | grep -q '^12\.' && echo pnpm || echo npx --yes pnpm@12.21.0)

# DATA=path/to/csvs makes `fetch` read real files; ARGS="--start 2020-01-01" goes to the command.
export DATA
export TURBO_TELEMETRY_DISABLED = 1

.DEFAULT_GOAL := build
.PHONY: install workspace build image lint type test check rehearse bench soak demo fetch backtest wf permute clean

install: node_modules/.modules.yaml
workspace: install ; $(PNPM) run build
# The workspace, and the image as well where a container engine answers; DOCKER=0 leaves the image out.
build: workspace ; node scripts/image.mjs --if-possible
image: ; node scripts/image.mjs
lint: install ; $(PNPM) run lint
type: install ; $(PNPM) run typecheck
test: install ; $(PNPM) run test
check: workspace ; $(PNPM) run check
# A release to a registry of its own, installed from there and used; nothing leaves this machine.
rehearse: workspace ; $(PNPM) run rehearse
bench: workspace ; $(PNPM) run bench
soak: workspace ; $(PNPM) run soak
demo: workspace ; $(PNPM) run demo
fetch: workspace ; $(PNPM) run fetch $(ARGS)
backtest: workspace ; $(PNPM) run pf backtest $(ARGS)
wf: workspace ; $(PNPM) run pf walkforward $(ARGS)
permute: workspace ; $(PNPM) run pf permute $(ARGS)
clean: ; rm -rf node_modules packages/*/node_modules apps/*/node_modules packages/*/dist apps/*/dist .turbo demo

node_modules/.modules.yaml: pnpm-lock.yaml pnpm-workspace.yaml package.json
	$(PNPM) install --frozen-lockfile && touch $@
