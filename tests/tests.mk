# The test targets. A suite is a folder of tests/ with an executable `run`; see tests/run.

include tests/native.mk
include tests/lint/lint.mk
include tests/simulate/simulate.mk
include tests/coverage/coverage.mk

test: deps ## build everything and run every test, PostgreSQL included
	@$(MAKE) --no-print-directory -j$(JOBS) all test-programs lib-test-programs
	@tests/run

check: test ## the same as test

.PHONY: docs-check
docs-check: loadable ## run the SQL and commands of README and docs on both engines, and compare the reference with the code
	@tests/run docs

.PHONY: test-hosts
test-hosts: loadable ## load the extension in every host of docs/hosts.md that Debian or npm has (as root: a system of its own below build)
	@tests/hosts/others/check

.PHONY: test-debian
SUITE ?= trixie
test-debian: ## build and test all in another Debian (SUITE=trixie), with another compiler (COMPILER=clang-16); as root, in a system below build
	@tests/debian/check $(SUITE) $(COMPILER)

.PHONY: soak-conditions
soak: soak-conditions
soak-conditions: loadable sql ## 100,000 decisions of twelve writers on each engine, and the checker of their histories (EVERCORE_CONDITIONS, SEED)
	@EVERCORE_CONDITIONS=$(or $(EVERCORE_CONDITIONS),100000) tests/conditions/run

.PHONY: sqlsmith
soak: sqlsmith
sqlsmith: sql ## 3,000 queries by sqlsmith on a PostgreSQL store, by one who reads, one who writes and one who maintains it (SEED, QUERIES)
	@tests/fuzz/sqlsmith $(if $(SEED),--seed $(SEED)) --queries $(or $(QUERIES),3000)

.PHONY: mutants
mutants: ## break each promise in one place, on both engines and in the library, and see the tests find it (half an hour; WORDS=lease for some)
	@tests/mutants/check $(WORDS)

.PHONY: trust
trust: ## write docs/trust.md from what `make test` and `make mutants` found: promises, suites, what was broken on purpose
	@tests/trust/write

# What `make help` says of targets that a macro makes (tests/native.mk, lib/lib.mk).
asan: ## run the unit, extension and fault tests under AddressSanitizer
ubsan: ## run the unit, extension and fault tests under UndefinedBehaviorSanitizer
asan-library: ## run the library's tests under AddressSanitizer
ubsan-library: ## run the library's tests under UndefinedBehaviorSanitizer
tsan-library: ## run the library's tests under ThreadSanitizer
