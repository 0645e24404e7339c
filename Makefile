# SPDX-License-Identifier: MIT
# baresock: `make help` lists what there is to make. meson.build gives the same products.

VERSION = 0.1.0
SOVERSION = 0

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=

# Everything that is made is below BUILD; another one for each other set of flags.
BUILD ?= build
CXXFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow
STANDARD = -std=c++23

HEADERS = $(wildcard include/baresock/*.hpp include/baresock/*.def include/baresock/detail/*.hpp)
SOURCES = $(wildcard lib/*.cpp)
PAGES = $(wildcard man/*.3 man/*.7)
TESTS = $(filter-out test/main.cpp test/fault.cpp,$(wildcard test/*.cpp))
EXAMPLES = $(patsubst test/example/%.cpp,$(BUILD)/example/%,$(wildcard test/example/*.cpp))
FUZZERS = $(filter-out replay,$(patsubst test/fuzz/%.cpp,%,$(wildcard test/fuzz/*.cpp)))

STATIC = $(BUILD)/libbaresock.a
SHARED = $(BUILD)/libbaresock.so.$(VERSION)

compile = $(CXX) $(STANDARD) $(WARNINGS) -Iinclude $(CPPFLAGS) $(CXXFLAGS) -MMD -MP
link = $(CXX) $(CXXFLAGS) $(LDFLAGS)

.PHONY: all
all: $(STATIC) $(SHARED) ## the static and the shared library (the default)

.PHONY: demo
demo: $(BUILD)/example/demo ## a tour over real sockets
	$<

.PHONY: examples
examples: $(EXAMPLES) ## the programs of test/example

.PHONY: fuzzers
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)

.PHONY: check
check: all $(BUILD)/test/unit $(BUILD)/test/fault examples fuzzers ## every test; needs doctest
	BUILD=$(BUILD) CXX="$(CXX)" CXXFLAGS="$(CXXFLAGS)" test/run

.PHONY: lint
lint: ## format, clang-tidy, headers alone, pages against names, source lists
	BUILD=$(BUILD) test/check/lint

.PHONY: bench
bench: $(STATIC) ## what a call costs over the raw one; needs valgrind and strace
	BUILD=$(BUILD) CXX="$(CXX)" test/bench/figures

.PHONY: format
format: ## lays out the sources with clang-format
	$(CLANG_FORMAT) -i $$(git ls-files '*.cpp' '*.hpp')
CLANG_FORMAT ?= clang-format-19

.PHONY: coverage
coverage: ## line coverage of include/ and lib/ by the tests; needs gcovr
	test/check/coverage

.PHONY: man
man: $(BUILD)/man/.done ## the pages and their aliases, to be read with man -M build/man
$(BUILD)/man/.done: $(PAGES) man/links man/install include/baresock/options.def include/baresock/controls.def
	rm -rf $(@D)
	MANDIR=$(@D) man/install $(PAGES)
	touch $@

$(BUILD)/baresock.pc: lib/baresock.pc.in Makefile
	@mkdir -p $(@D)
	sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@LIBDIR@,$(LIBDIR),' -e 's,@INCLUDEDIR@,$(INCLUDEDIR),' \
	  -e 's,@VERSION@,$(VERSION),' $< >$@

.PHONY: install
install: all $(BUILD)/baresock.pc ## into DESTDIR and PREFIX (/usr/local)
	install -d $(DESTDIR)$(INCLUDEDIR)/baresock/detail $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 $(filter-out include/baresock/detail/%,$(HEADERS)) $(DESTDIR)$(INCLUDEDIR)/baresock
	install -m 644 $(filter include/baresock/detail/%,$(HEADERS)) $(DESTDIR)$(INCLUDEDIR)/baresock/detail
	install -m 644 $(STATIC) $(DESTDIR)$(LIBDIR)
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)
	ln -sf libbaresock.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libbaresock.so.$(SOVERSION)
	ln -sf libbaresock.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libbaresock.so
	install -m 644 $(BUILD)/baresock.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	MANDIR=$(DESTDIR)$(MANDIR) man/install $(PAGES)

.PHONY: uninstall
uninstall: ## what install put there
	rm -rf $(DESTDIR)$(INCLUDEDIR)/baresock
	rm -f $(DESTDIR)$(LIBDIR)/libbaresock.a $(DESTDIR)$(LIBDIR)/libbaresock.so \
	  $(DESTDIR)$(LIBDIR)/libbaresock.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libbaresock.so.$(VERSION) \
	  $(DESTDIR)$(LIBDIR)/pkgconfig/baresock.pc
	MANDIR=$(DESTDIR)$(MANDIR) man/install --remove $(PAGES)

.PHONY: clean
clean: ## removes BUILD
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile
	@echo 'Variables: BUILD CXX CPPFLAGS CXXFLAGS LDFLAGS PREFIX LIBDIR INCLUDEDIR MANDIR DESTDIR'

# One set of objects serves both libraries. Of the shared one only our symbols are seen: lib/baresock.map.
OBJECTS = $(SOURCES:lib/%.cpp=$(BUILD)/lib/%.o)

$(BUILD)/lib/%.o: lib/%.cpp
	@mkdir -p $(@D)
	$(compile) -fPIC -c $< -o $@

$(STATIC): $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(SHARED): $(OBJECTS) lib/baresock.map
	$(link) -shared -Wl,-soname,libbaresock.so.$(SOVERSION) -Wl,--version-script=lib/baresock.map -Wl,--no-undefined \
	  $(OBJECTS) -o $@
	ln -sf libbaresock.so.$(VERSION) $(BUILD)/libbaresock.so.$(SOVERSION)
	ln -sf libbaresock.so.$(SOVERSION) $(BUILD)/libbaresock.so

$(BUILD)/example/%: test/example/%.cpp $(STATIC)
	@mkdir -p $(@D)
	$(compile) $(LDFLAGS) $< $(STATIC) -pthread -o $@

$(BUILD)/test/%.o: test/%.cpp
	@mkdir -p $(@D)
	$(compile) -c $< -o $@

$(BUILD)/test/unit: $(BUILD)/test/main.o $(TESTS:test/%.cpp=$(BUILD)/test/%.o) $(STATIC)
	$(link) $^ -pthread -o $@

# The library again, with the calls of the tests in place of the system's.
$(BUILD)/fault/%.o: lib/%.cpp test/fault.hpp
	@mkdir -p $(@D)
	$(compile) -DBARESOCK_SYSTEM=fake -include test/fault.hpp -c $< -o $@

$(BUILD)/test/fault.o: CPPFLAGS += -DBARESOCK_SYSTEM=fake -include test/fault.hpp
$(BUILD)/test/fault: $(BUILD)/test/main.o $(BUILD)/test/fault.o $(SOURCES:lib/%.cpp=$(BUILD)/fault/%.o)
	$(link) $^ -pthread -o $@

# Replays a corpus; clang's libFuzzer drives the same functions in .ci/run.
$(BUILD)/fuzz/%: test/fuzz/%.cpp test/fuzz/replay.cpp $(STATIC)
	@mkdir -p $(@D)
	$(compile) $(LDFLAGS) $^ -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
