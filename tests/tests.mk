# The test targets. A suite is a folder of tests/ with an executable `run`; see tests/run.

include tests/native.mk

test: deps all test-programs ## build everything and run every test, PostgreSQL included
	@tests/run

check: test ## the same as test

.PHONY: docs-check
docs-check: loadable ## run the SQL of README and docs on both engines, and compare the reference with the code
	@tests/run docs
