# One command, `make check`, says whether this tree is sound. It needs Go and
# make; a C compiler adds the race detector. `make help` lists the rest.
GO ?= go
PKGS := ./...
# RACEPART="1 2" is the second half of the rooms under the race detector; empty is all.
RACEPART ?=
# The race detector needs a C compiler; without one the tests run plain.
RACE := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)

.PHONY: check fmt vet lint generate test race vuln build fuzz browser pictures openapi-lint conformance conformance-terraform h2spec attack collect-attack moves remedy worlds detection tokens bench cover release release-key reproducible package-test help

check: fmt vet lint generate test vuln ## format, vet, lint, generated files, tests, known vulnerabilities
	@echo "check: all well"

fmt: ## fail on files that are not gofmt-formatted
	@bad="$$(gofmt -l cmd internal e2e bench conformance packaging verify)"; test -z "$$bad" || { echo "not gofmt-formatted:"; echo "$$bad"; exit 1; }

vet: ## go vet, also for the browser's and the package's tests
	$(GO) vet $(PKGS)
	$(GO) vet -tags browser ./e2e/... ./internal/partnercloud/...
	$(GO) vet -tags deb ./e2e/deb
	$(GO) vet -tags judge ./cmd/...
	cd verify && $(GO) vet ./...

lint: ## staticcheck, pinned in go.mod
	$(GO) tool staticcheck $(PKGS)

generate: ## regenerate and fail on a difference
	@./.ci/generate-and-diff

test: ## all tests; with a C compiler once more, shorter, under the race detector
	$(GO) test -timeout 20m $(PKGS)
	cd verify && $(GO) test -timeout 10m ./...
	@test -n "$(RACE)" || echo "NOTE: no C compiler found: nothing ran under the race detector"
	@test -z "$(RACE)" || $(GO) test -race -short -timeout 25m $$($(GO) list $(PKGS) | grep -vE '/internal/(arch|attack|cli)$$' | ./.ci/part $(RACEPART))
	@test -d ../shared/data || echo "NOTE: ../shared/data is absent: every test over exports written by others was SKIPPED"

race: ## the race detector over all, and over the whole command line and the enemy, which test leaves out
	$(GO) test -race -timeout 60m $(PKGS)

vuln: ## govulncheck against the vulnerability database, when it can be reached
	@./.ci/vuln

build: ## one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o partnerguard ./cmd/partnerguard

FUZZTIME ?= 30s
FUZZPART ?=
fuzz: ## every fuzz target, FUZZTIME each (default 30s); FUZZPART="1 4" is one part of four
	@./.ci/fuzz $(FUZZTIME) $(FUZZPART)

browser: ## real-browser checks of every page; needs Chromium, and Node for the walk
	@list="$$($(GO) test -tags browser -list . ./e2e | grep '^Test' | ./.ci/part $(E2EPART) | paste -sd '|')"; \
	  test -n "$$list" || { echo "no browser checks found"; exit 1; }; \
	  set -x; $(GO) test -tags browser -count=1 -timeout 20m -run "^($$list)\$$" ./e2e/...
	@for p in authority portal; do $(GO) test -tags browser -list 'TestPages|TestSecurityKey' ./internal/partnercloud/$$p | grep -q '^Test' || \
	  { echo "internal/partnercloud/$$p has lost its browser checks"; exit 1; }; done
	$(GO) test -tags browser -count=1 -run 'TestPages|TestSecurityKey' ./internal/partnercloud/authority ./internal/partnercloud/portal

pictures: ## the documentation's pictures anew, as docs/console-*.png, delegation-*.png, fraud-*.png, mfa-*.png and otp-*.png; needs Chromium
	PICTURES="$(abspath docs)" $(GO) test -tags browser -count=1 -run '^(TestHouse|TestMFA|TestOTPPage|TestDelegation|TestFraud)$$/^(pictures|enrol|passcode|key|log)$$' ./e2e

openapi-lint: ## the API's document, by a public linter; needs Node with npm
	@mkdir -p dist
	OPENAPI="$(abspath dist/openapi.json)" $(GO) test -count=1 -run TestAPIDocument ./internal/app
	npx --yes @redocly/cli@2.77.0 lint dist/openapi.json

conformance: ## Microsoft's own clients against the partner cloud; needs Chromium, Node with npm, curl, oathtool
	cd conformance && $(GO) vet ./... && $(GO) test -count=1 -timeout 20m

conformance-terraform: ## Terraform: azuread 3.9.0 (its tag on GitHub, by commit) applies a plan's export, 1.6.0 docs/walk/partner-baseline; needs git, Azure CLI (Debian's azure-cli), Chromium; builds for many minutes
	./conformance/terraform/provider
	cd conformance && $(GO) vet -tags terraform . && $(GO) test -tags terraform -count=1 -timeout 60m -v -run TestTerraform .

h2spec: ## a public suite of HTTP/2 against the gateway's proxy; fetches h2spec 2.2.1 as a Go module
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	(cd "$$dir" && GOFLAGS= GOBIN="$$dir" go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible) && \
	H2SPEC="$$dir/h2spec" go test -count=1 -run TestH2Spec -v ./internal/gateway/proxy

attack: ## an enemy in the database, all of it: each value of each column, each table put back
	PARTNERGUARD_ATTACK=whole $(GO) test -count=1 -timeout 40m ./internal/attack

collect-attack: ## bad days of collecting in full: fifty kills by a seed (PARTNERGUARD_SEED), each fault of the cloud and of our own
	PARTNERGUARD_ATTACK=whole $(GO) test -count=1 -timeout 20m -run 'TestKilled|TestWorkers|BadDays|TestClockJumps|TestStuckLog|TestPoisoned' ./internal/collect
	PARTNERGUARD_ATTACK=whole $(GO) test -count=1 -timeout 20m -run TestKilled ./internal/archive

worlds: ## the recommendation against fifty worlds lived in the partner cloud, instead of two
	PARTNERGUARD_WORLDS=whole $(GO) test -count=1 -timeout 40m -run TestWorldsOfThePartnerCloud ./internal/app

detection: ## the fraud detector on all 260 simulated worlds, beside its peers, and the table of docs/spend-detection.md
	PARTNERGUARD_DETECTION=whole $(GO) test -count=1 -timeout 40m -v -run 'TestDetection|TestFrozen' ./internal/fraud/worlds

tokens: ## the gateway's attack corpus: every token, refused by its reason; fails on one that passes
	TOKENS=1 $(GO) test -count=1 -run '^TestCorpus$$' -v ./internal/gateway/verify

moves: ## the walk of faults and deaths over 500 customers' moves of delegation, and its model in full
	PARTNERGUARD_MOVES=500 $(GO) test -count=1 -timeout 180m -run 'TestWalk|TestStates' ./internal/delegation/move

remedy: ## plans on lab tenants, every fault at each request, and kill -9 at each step, whole
	$(GO) test -count=1 -timeout 30m ./internal/remedy/...
	PARTNERGUARD_REMEDY=whole $(GO) test -count=1 -timeout 60m -run 'Remedy' ./internal/app

bench: ## speed as ratios beside a peer; needs a C compiler
	$(MAKE) -C bench
	$(MAKE) -C bench/access
	$(MAKE) -C bench/renew
	$(MAKE) -C bench/broker
	$(MAKE) -C bench/rejudge
	$(MAKE) -C bench/collect
	$(MAKE) -C bench/archive
	$(MAKE) -C bench/console
	$(MAKE) -C bench/mfa
	$(MAKE) -C bench/bridge
	$(MAKE) -C bench/delegation
	$(MAKE) -C bench/fraud
	$(MAKE) -C bench/gateway
	$(MAKE) -C bench/pack
	$(MAKE) -C bench/remedy

cover: ## test coverage per package
	$(GO) test -cover $(PKGS)

release: ## what is handed out, into dist/: five platforms, packages, bills of materials, sums; KEY=FILE signs
	cd packaging && $(GO) run . release $(if $(KEY),-key "$(abspath $(KEY))")

release-key: ## KEY=FILE makes the key that signs releases, outside of the repository
	@test -n "$(KEY)" || { echo "say where: make release-key KEY=FILE"; exit 2; }
	cd packaging && $(GO) run . key -key "$(abspath $(KEY))"

reproducible: ## this commit's release built twice, in two folders, byte by byte the same; ONLY=all for all platforms
	cd packaging && $(GO) vet ./... && $(GO) test -count=1 ./...
	./packaging/reproducible

package-test: ## the Debian package's life in a root of its own; needs root, mmdebstrap and Debian's mirrors
	./packaging/package-test

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
