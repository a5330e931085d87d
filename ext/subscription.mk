# Subscriptions: their benchmark.

.PHONY: bench-subscription
bench: bench-subscription
bench-subscription: build/bench/subscription_sqlite ## measure subscriptions on SQLite
	build/bench/subscription_sqlite
