# Two commands do everything: `make demo` shows the gateway, `make test` proves it.

GO       ?= go
SUDO     := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT      := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0
GOFUMPT  := $(GO) run mvdan.cc/gofumpt@v0.12.0
STATIC   := $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
PKG      ?= ./...
FUZZTIME ?= 30s
PLAYWRIGHT := 1.65.1

.PHONY: accuracy-all model build demo run test needs needs-demo needs-test lint check-format unit conformance accuracy bench fuzz test-faults clean

build: needs
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/congthu ./cmd/congthu
	CGO_ENABLED=1 $(GO) build -trimpath -o bin/congthu-scan ./cmd/congthu-scan

demo: build needs-demo
	bin/congthu demo

run: build
	bin/congthu demo --stay

test: needs-test build lint unit

# libyara and pkg-config are what the scan worker is built with.
needs:
	@pkg-config --exists yara 2>/dev/null && command -v gcc >/dev/null || { \
	  echo "installing libyara-dev, pkg-config and gcc with apt-get"; \
	  $(APT) update && $(APT) install -y --no-install-recommends libyara-dev pkg-config gcc libc6-dev; }

# The demo opens the encrypted letter with gpg, as its recipient would.
needs-demo:
	@command -v gpg >/dev/null || { echo "installing gnupg with apt-get"; \
	  $(APT) update && $(APT) install -y --no-install-recommends gnupg; }

# The real counterparts that the tests speak with.
needs-test: needs
	@for p in gpg:gnupg sq:sq swaks:swaks smtp-source:postfix strace:strace python3:python3 xmllint:libxml2-utils yara:yara clamd:clamav-daemon qrencode:qrencode mkfs.ext4:e2fsprogs mount:mount 7z:p7zip-full gcab:gcab genisoimage:genisoimage compress:ncompress bzip2:bzip2 cpio:cpio openssl:openssl tmux:tmux chromium:chromium node:nodejs npm:npm; do \
	  PATH=$$PATH:/usr/sbin command -v $${p%%:*} >/dev/null || missing="$$missing $${p##*:}"; done; \
	/usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null || missing="$$missing python3-dkim python3-nacl"; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	[ -x /usr/lib/gnupg/gpg-wks-client ] || missing="$$missing gpg-wks-client"; \
	perl -MNet::SSLeay -e 1 2>/dev/null || missing="$$missing libnet-ssleay-perl"; \
	perl -MMIME::Parser -e 1 2>/dev/null || missing="$$missing libmime-tools-perl"; \
	if [ -n "$$missing" ]; then echo "installing$$missing with apt-get"; \
	  $(APT) update && $(APT) install -y --no-install-recommends $$missing; fi
	@[ -d .cache/node/node_modules/playwright-core ] || { echo "installing playwright-core with npm"; \
	  npm install --silent --no-audit --no-fund --prefix .cache/node playwright-core@$(PLAYWRIGHT) || echo "npm could not install it: the test in a browser will be skipped"; }

lint: check-format
	$(GO) vet ./...
	$(STATIC) ./...

check-format:
	@out=$$($(GOFUMPT) -l cmd internal) || exit 1; \
	if [ -n "$$out" ]; then echo "not formatted by gofumpt:"; echo "$$out"; exit 1; fi

unit:
	$(GO) test -race -timeout 30m $(PKG)

# The published test suites (CONGTHU_SUITES, else ../shared/suites): one line a suite,
# every deviation with its reason; exit 1 when one is not listed or a suite is missing.
conformance:
	@dirs=$$(grep -rlE '^func TestConformance' --include=*_test.go cmd internal | xargs -n 1 dirname | sort -u | sed 's,^,./,'); \
	out=$$(CONGTHU_CONFORMANCE=1 $(GO) test -count 1 -v -run '^TestConformance' $$dirs 2>&1); status=$$?; \
	echo "$$out" | sed -n 's/^conformance: //p'; \
	[ $$status = 0 ] || { echo "$$out" | grep -vE '^(conformance: |=== |--- PASS|ok |PASS)'; exit 1; }

# How well letters are told apart: the public corpus by cross validation, by sources left
# out and online; how many good letters are held and bad ones caught by the whole judge. ARGS measures a collection of yours:
#   make accuracy ARGS="--online /data/trec06p/full/index"   or  ARGS="--train A --test B"
SUITES   ?= $(or $(CONGTHU_SUITES),../shared/suites)
SPAM     := $(SUITES)/spam/sa_open
UNPACKED := .cache/sa_open
accuracy: build
	@if [ -n "$(ARGS)" ]; then bin/congthu train --eval $(ARGS); else $(MAKE) --no-print-directory accuracy-all; fi

accuracy-all: $(UNPACKED)
	bin/congthu train --eval --cv 5 --root $(UNPACKED) $(SPAM).tsv
	bin/congthu train --eval --online --root $(UNPACKED) $(SPAM).tsv
	@out=$$($(GO) test -count 1 -v -run '^(TestAccuracy|TestVietnamese|TestContentRulesOnPublicMail)' ./cmd/congthu 2>&1); status=$$?; \
	echo "$$out" | sed -n 's/^accuracy: //p'; \
	[ $$status = 0 ] || { echo "$$out" | grep -vE '^(accuracy: |=== |--- PASS|ok |PASS)'; exit 1; }

# The classifier's starting model, of the material that rules/model/README.md names.
model: build $(UNPACKED)
	bin/congthu train --out rules/model/start.model --vietnamese 10 --root $(UNPACKED) $(SPAM).tsv

$(UNPACKED):
	mkdir -p $@ && tar xzf $(SPAM).tgz -C $@

bench:
	$(GO) test -run '^$$' -bench . -benchtime 1s -benchmem $(PKG)

# Long fault injection: many more kills, cut power and broken disks than the default
# run. What the tests count (internal/figures) is summed up in the last line, which is
# an error when anything was lost.
FAULTY := ./internal/store ./internal/queue ./internal/quarantine ./internal/relay ./internal/inspect/attach ./internal/audit ./internal/digest ./internal/review ./internal/e2e
test-faults: needs-test
	@export CONGTHU_FAULTS=long CONGTHU_FIGURES=$$(mktemp); bad=0; \
	$(GO) test -count 1 -timeout 60m ./internal/faults || bad=1; \
	$(GO) test -count 1 -timeout 60m -run 'Fault|Kill|Crash|Loss|Postgres|HundredThousand|ManyHeld' $(FAULTY) || bad=1; \
	$(GO) run ./internal/faults/total $$CONGTHU_FIGURES || bad=1; rm -f $$CONGTHU_FIGURES; exit $$bad

# Each fuzz target for FUZZTIME. A target that fails is run again: an input that was found
# to fail is kept and fails again, a worker that was only late at the end does not.
fuzz:
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include=*_test.go cmd internal); do \
	  for t in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/p' $$f); do \
	    d=./$$(dirname $$f); echo "$$t in $$d"; \
	    $(GO) test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 200x $$d || $(GO) test -run "^$$t\$$" -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 200x $$d; done; done

clean:
	rm -rf bin .cache
