# The test targets. A suite is a folder of tests/ with an executable `run`; see tests/run.

test: deps all ## build everything and run every test, PostgreSQL included
	@tests/run

check: test ## the same as test
