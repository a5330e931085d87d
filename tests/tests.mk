# The test targets. A suite is a folder of tests/ with an executable `run`; see tests/run.

include tests/native.mk

test: deps all test-programs ## build everything and run every test, PostgreSQL included
	@tests/run

check: test ## the same as test
