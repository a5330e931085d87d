# Subscriptions: their benchmark.

.PHONY: bench-subscription
bench-subscription: build/bench/subscription_sqlite ## measure subscriptions on SQLite
	@bench/step subscription_sqlite build/bench/subscription_sqlite
