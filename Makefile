# The commands that everybody needs; `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Outside the checkout, so that fresh clones share what is already built.
FERRITE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ferrite
export FERRITE_CACHE
export CARGO_TARGET_DIR ?= $(FERRITE_CACHE)/target

# Where the originals are that the engines are compared with.
ORIGINALS = originals=$$(e2e/testbed/build.sh) && \
	FERRITE_KUSTOMIZE=$$originals/kustomize FERRITE_HELM=$$originals/helm FERRITE_HELM3=$$originals/helm3 \
	FERRITE_GOTEMPLATE=$$originals/gotemplate FERRITE_SOPS=$$originals/sops \
	FERRITE_ENVSUBST=$$originals/envsubst FERRITE_CEL=$$originals/health FERRITE_KSTATUS=$$originals/health

N ?= 100
ONCE ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: check
check: prerequisites ## formatting, lints, documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

.PHONY: test
test: prerequisites testbed ## all tests, the ones on a real API server included
	cargo build --workspace --bins --locked
	$(ORIGINALS) FERRITE_PROGRAMS=$(CARGO_TARGET_DIR)/debug cargo test --workspace --locked --no-fail-fast

.PHONY: demo
demo: prerequisites testbed ## a commit in Git reaches a cluster, to watch; ONCE=1 ends by itself
	cargo build --workspace --bins --locked
	FERRITE_PROGRAMS=$(CARGO_TARGET_DIR)/debug $(CARGO_TARGET_DIR)/debug/demo $(if $(ONCE),--once)

.PHONY: bench
bench: prerequisites testbed ## the fleet benchmark with N=100 Kustomizations
	cargo build --release --locked --workspace --bin source-controller --bin kustomize-controller
	cargo build --locked --workspace --bin bench
	FERRITE_PROGRAMS=$(CARGO_TARGET_DIR)/release $(CARGO_TARGET_DIR)/debug/bench --count $(N) $(BENCH_ARGS)

.PHONY: bench-kustomize
bench-kustomize: prerequisites testbed ## `ferrite kustomize build` beside the original: time, CPU, memory
	cargo build --release --locked --package cli
	$(ORIGINALS) FERRITE=$(CARGO_TARGET_DIR)/release/ferrite e2e/bench/kustomize

.PHONY: bench-helm
bench-helm: prerequisites testbed ## `ferrite helm template` beside the original; LARGE_CHART=DIR adds a large chart
	cargo build --release --locked --package cli
	$(ORIGINALS) FERRITE=$(CARGO_TARGET_DIR)/release/ferrite e2e/bench/helm

.PHONY: kills
kills: prerequisites testbed ## N random kills, each followed by a comparison with an undisturbed run
	cargo build --workspace --bins --locked
	FERRITE_PROGRAMS=$(CARGO_TARGET_DIR)/debug $(CARGO_TARGET_DIR)/debug/kills --count $(N)

.PHONY: sweep
sweep: prerequisites testbed ## a kill at every write of install, upgrade, prune and delete, before and after it
	cargo build --workspace --bins --locked
	FERRITE_PROGRAMS=$(CARGO_TARGET_DIR)/debug $(CARGO_TARGET_DIR)/debug/sweep $(if $(POINTS),--points $(POINTS))

.PHONY: testbed
testbed: ## build the control plane of the test bed, once
	@e2e/testbed/build.sh >/dev/null

.PHONY: prerequisites
prerequisites:
	@e2e/prerequisites.sh
