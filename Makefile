# evercore: `make help` lists every target with one line of explanation.
# Each part of the house brings its own rules: ext/ext.mk, sql/sql.mk, …

CXX       ?= g++
CC        ?= gcc
AR        ?= ar
CXXFLAGS  ?= -O2 -g
CFLAGS    ?= -O2 -g
PREFIX    ?= /usr/local
DESTDIR   ?=
libdir      ?= $(PREFIX)/lib
includedir  ?= $(PREFIX)/include
bindir      ?= $(PREFIX)/bin
pkgconfigdir ?= $(libdir)/pkgconfig
PKG_CONFIG ?= pkg-config
PG_CONFIG  ?= pg_config
PYTHON     ?= /usr/bin/python3

VERSION  := $(shell cat VERSION)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
STD      := -std=c++20

.DEFAULT_GOAL := all
.PHONY: all help deps test check soak fuzz bench demo install clean

include $(wildcard ext/ext.mk sql/sql.mk lib/lib.mk tests/tests.mk bench/bench.mk)

all: loadable static ## build everything

help: ## show this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

deps: ## install the Debian packages that building and testing need
	@./tests/deps

demo: ## import this machine's package history and show what SQL can do with it (LOG=FILE)
	@./tests/deps build
	@$(MAKE) --no-print-directory loadable
	@./examples/demo $(LOG)

clean: ## remove everything that was built
	rm -rf build dist
