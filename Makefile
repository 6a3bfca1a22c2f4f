# Each build step is a file, which make rebuilds only if an input has changed.
.DELETE_ON_ERROR:
.SECONDEXPANSION:
.DEFAULT_GOAL := help

WORKERS := places people join
ASSETS := workers/join/assets/openapi.json
BUILDS := $(WORKERS:%=workers/%/build/index.js) $(ASSETS)

# worker-build must have the version of the crate worker, and wasm-bindgen-cli that of the crate
# wasm-bindgen. Cargo.lock pins both.
locked = $(shell awk -F'"' '/^name = "$(1)"$$/ { getline; print $$2 }' Cargo.lock)
WORKER_BUILD := $(call locked,worker)
WASM_BINDGEN := $(call locked,wasm-bindgen)
TOOLS := .tools/worker-build-$(WORKER_BUILD)-wasm-bindgen-$(WASM_BINDGEN)
CARGO_MUTANTS := 27.1.0
SETUP := $(TOOLS) .tools/wasm32 node_modules/.package-lock.json

# Node.js comes from node_modules, so the system's version does not matter.
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/.tools/bin:$(PATH)
# Each test file loads wrangler and Miniflare: the compiled code is kept between processes.
export NODE_COMPILE_CACHE := $(CURDIR)/.tools/compile-cache
# worker-build downloads these tools unless the variables name them.
export WASM_BINDGEN_BIN := $(CURDIR)/.tools/bin/wasm-bindgen
export WASM_OPT_BIN := $(CURDIR)/node_modules/.bin/wasm-opt
export ESBUILD_BIN := $(CURDIR)/node_modules/.bin/esbuild
# The compact form of SHA-256 makes each worker 2 KB smaller.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS := --cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"
# Wrangler writes only into the project and sends no data.
export WRANGLER_REGISTRY_PATH := $(CURDIR)/.wrangler/registry
export WRANGLER_LOG_PATH := $(CURDIR)/.wrangler/logs
export WRANGLER_SEND_METRICS := false
export WRANGLER_SEND_ERROR_REPORTS := false
export WRANGLER_HIDE_BANNER := true
export CLOUDFLARE_CF_FETCH_ENABLED := false

# Otherwise cargo would try to use the job server of make.
unexport MAKEFLAGS MFLAGS

say = @printf '» %s\n' "$(1)"
# Runs a command, and prints its output only if it fails.
quietly = @mkdir -p .tools; log=$$(mktemp .tools/log.XXXXXX); \
	if { $(1); } >$$log 2>&1; then rm $$log; else cat $$log >&2; rm $$log; exit 1; fi

.PHONY: help setup build dev migrate seed test chaos mutants fuzz container-test deploy backup restore epoch bench bill lint openapi screenshots fmt clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile
	@printf '\nRun one test:\n'
	@printf '  make test FILE=tests/api/places.test.ts NAME=created\n'
	@printf '  cargo test -p tables cursor\n'

setup: $(SETUP) ## install pinned tools into the project folder

build: $(BUILDS) ## compile the three workers to wasm

dev: $(SETUP) $(BUILDS) .wrangler/state/seeded ## run the three workers on this machine, until Ctrl-C
	@exec node ops/dev/dev.ts

migrate: $(WORKERS:%=.wrangler/state/%.migrated) ## apply new migrations to the local databases

seed: migrate ## fill the new local databases with seed.sql
	@node ops/seed.ts

run_tests = @node --import ./tests/support/miniflare_buffer.ts --test --test-reporter=spec
ifdef FILE
test: build
	$(run_tests) $(if $(NAME),--test-name-pattern='$(NAME)') $(FILE)
else
# ALL=1 adds the tests with tools of other projects, and more sizes of screens and databases.
# Many tests wait for a time, so one more file runs than there are processors. With ALL=1, as in CI, there
# is none more: a test has more room for its limits of time.
suites = api docs integrity ops pages $(if $(SKIP_BROWSER),,pages/browser) $(if $(ALL),tools)
test: test-crates build $(if $(ALL),.tools/python/made) ## run the checks and tests; ALL=1, SKIP_BROWSER=1, or one FILE=… and NAME=…
	@node ops/dev/chromium.ts
	$(call say,testing the workers …)
	$(if $(ALL),@test -x .tools/python/bin/python || printf '» %s\n' '$(WITHOUT_PYTHON)')
	$(run_tests) --test-concurrency=$$(node -p 'os.availableParallelism() + $(if $(ALL),0,1)') $(suites:%='tests/%/*.test.ts')
endif

# With -j2, this runs while the workers are built.
.PHONY: test-crates
test-crates: lint
	$(call say,testing the crates …)
	@cargo test --quiet --workspace

WITHOUT_PYTHON := skipping schemathesis and openapi-python-client: they need Python 3.11 with venv

chaos: $(SETUP) $(BUILDS) ## inject failures for 17 minutes; SEED=7, ONLY=kills,soak, MINUTES=60
	@node --disable-warning=ExperimentalWarning tests/chaos/main.ts

mutants: node_modules/.package-lock.json .tools/mutants-$(CARGO_MUTANTS) ## change the pure code, and count what its tests catch; SHARD=0/8, ONLY=domain
	@node --disable-warning=ExperimentalWarning ops/dev/mutants.ts

fuzz: .tools/wasm32 ## try random inputs on every parser; INPUTS=1000000, SEED=7
	@cargo run --quiet --release --package fuzz -- $(or $(INPUTS),100000) $(or $(SEED),1) >/dev/null

container-test: node_modules/.package-lock.json ## build the container image and test three containers
	@node --test --test-reporter=spec tests/ops/containers/run.ts

deploy: $(SETUP) $(BUILDS) ## deploy to your Cloudflare account; ENV=staging, DRY_RUN=1
	@node ops/deploy/main.ts

backup: $(SETUP) ## back up the databases into backups/; REMOTE=1, ENV=staging
	@node --disable-warning=ExperimentalWarning ops/backup/main.ts

restore: $(SETUP) ## restore a backup into empty databases; FROM=backups/…, REMOTE=1, ENV=staging
	@node --disable-warning=ExperimentalWarning ops/backup/main.ts restore

epoch: $(SETUP) ## invalidate tags and cursors after D1 Time Travel; REMOTE=1, ENV=staging
	@node --disable-warning=ExperimentalWarning ops/backup/main.ts epoch

bench: $(SETUP) $(BUILDS) ## run the benchmarks, 25 minutes; QUICK=1, ONLY=join-1000,person
	@node --disable-warning=ExperimentalWarning bench/main.ts

bill: $(SETUP) ## estimate the monthly cost from the results of `make bench`; REMOTE=1: database sizes
	@node --disable-warning=ExperimentalWarning bench/bill/main.ts

lint: $(SETUP) ## check formatting, lints and types
	$(call say,linting …)
	@cargo fmt --all --check
	@cargo fmt --all --check --manifest-path bench/peers/naive/Cargo.toml
	@cargo clippy --quiet --workspace --all-targets -- -D warnings
	@cargo clippy --quiet $(WORKERS:%=-p %) --target wasm32-unknown-unknown -- -D warnings
	@biome ci --log-level=warn
	@tsc
	@tsc -p tsconfig.web.json

screenshots: build ## renew the screenshots in docs/images
	@node ops/dev/chromium.ts
	@node ops/dev/screenshots.ts

openapi: $(SETUP) ## generate the OpenAPI documents and the client's types
	@cargo run --quiet -p openapi
	@openapi-typescript openapi/join.json --output clients/typescript/src/api.ts >/dev/null

fmt: $(SETUP) ## format all code
	@cargo fmt --all
	@cargo fmt --all --manifest-path bench/peers/naive/Cargo.toml
	@biome check --write --log-level=warn

clean: ## delete everything generated, including the local databases
	rm -rf target .tools node_modules .wrangler .bench .containers .deploy ops/containers/plans.json bench/peers/naive/*/build workers/*/build workers/*/.wrangler workers/join/assets

node_modules/.package-lock.json: package.json package-lock.json
	$(call say,installing the npm packages …)
	$(call quietly,npm ci --no-audit --no-fund)
	@touch $@

.tools/wasm32: rust-toolchain.toml
	$(call say,installing Rust and its wasm target …)
	$(call quietly,rustup toolchain install && rustup target add wasm32-unknown-unknown)
	@touch $@

# Needed by two tests of tests/tools, which are skipped without Python 3.11.
.tools/python/made: tests/tools/requirements.txt
	@mkdir -p $(@D)
	$(call say,installing the Python packages …)
	$(call quietly,! python3 -c 'import ensurepip; import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { python3 -m venv --clear $(@D) && $(@D)/bin/pip install --quiet --requirement $<; })
	@touch $@

# Debug builds install in half the time, and the tools run only for seconds. cargo install
# skips a tool that already has the right version.
$(TOOLS): export CARGO_PROFILE_DEV_DEBUG := 0
INSTALL = cargo install --debug --root .tools --target-dir .tools/target
$(TOOLS): | .tools/wasm32
	$(call say,installing worker-build $(WORKER_BUILD) …)
	$(call quietly,$(INSTALL) --locked worker-build@$(WORKER_BUILD))
	$(call say,installing wasm-bindgen $(WASM_BINDGEN) …)
	$(call quietly,$(INSTALL) wasm-bindgen-cli@$(WASM_BINDGEN))
	@rm -rf .tools/target .tools/worker-build-*
	@touch $@

# A debug build, for the same reason.
.tools/mutants-$(CARGO_MUTANTS): export CARGO_PROFILE_DEV_DEBUG := 0
.tools/mutants-$(CARGO_MUTANTS): | .tools/wasm32
	$(call say,installing cargo-mutants $(CARGO_MUTANTS) …)
	$(call quietly,$(INSTALL) --locked cargo-mutants@$(CARGO_MUTANTS))
	@rm -rf .tools/target .tools/mutants-*
	@touch $@

# The gateway has one more entrypoint.
ENTRY_join := shared_reads.ts

# Inlining and shared subexpressions make fewer bytes, but bytes that gzip compresses less. In the order
# of their names, functions that were compiled from the same generic code are neighbours. gzip
# compresses them better. The second -Oz finds what the first one has made possible.
WASM_OPT := -Oz -Oz --skip-pass=inlining-optimizing --skip-pass=local-cse --strip-producers \
	--reorder-functions-by-name

# What the compiler and wasm-bindgen use. More features could make a module that workerd does not load.
WASM_FEATURES := $(addprefix --enable-,mutable-globals sign-ext nontrapping-float-to-int bulk-memory \
	multivalue reference-types exception-handling)

# find also lists folders, whose time changes if a file is added or removed.
workers/%/build/index.js: $$(shell find crates/*/src workers/$$*/src) workers/%/Cargo.toml \
		workers/build.rs $(wildcard workers/*.ts) openapi/%.json \
		$(wildcard crates/*/Cargo.toml) Cargo.toml Cargo.lock $(SETUP)
	$(call say,building $* …)
	$(call quietly,worker-build --release workers/$*)
	@wasm-opt $(@D)/index_bg.wasm $(WASM_FEATURES) $(WASM_OPT) -o $(@D)/index_bg.wasm
	@cp workers/*.ts $(@D)
	@esbuild $(@D)/$(or $(ENTRY_$*),entry.ts) --bundle --minify --format=esm --target=es2024 \
		--outfile=$@ --allow-overwrite --log-level=warning --external:./index_bg.wasm '--external:cloudflare:*'
	@rm $(@D)/*.ts
	@printf '» built %s: %d KB of wasm, %d KB gzipped\n' $* \
		$$(($$(wc -c <$(@D)/index_bg.wasm) / 1024)) $$(($$(gzip -c $(@D)/index_bg.wasm | wc -c) / 1024))

# The assets include Swagger UI, so that no page loads code from another site.
$(ASSETS): openapi/join.json $(shell find workers/join/web) node_modules/.package-lock.json
	@rm -rf $(@D)
	@cp -R workers/join/web $(@D)
	@cd node_modules/swagger-ui-dist && cp swagger-ui.css swagger-ui-bundle.js \
		swagger-ui-bundle.js.LICENSE.txt LICENSE NOTICE "$(CURDIR)/$(@D)/docs"
	@mkdir $(@D)/v1
	@sed 's/^ *//' openapi/join.json | tr -d '\n' >$(@D)/v1/openapi.json
	@cp $(@D)/v1/openapi.json $@

.wrangler/state/%.migrated: $$(wildcard d1-migrations/$$*/*.sql) node_modules/.package-lock.json
	$(call say,migrating the database $* …)
	$(call quietly,node --disable-warning=ExperimentalWarning ops/migrate.ts $*)
	@touch $@

.wrangler/state/seeded: $(WORKERS:%=.wrangler/state/%.migrated) seed.sql
	@node ops/seed.ts
	@touch $@
