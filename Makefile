# dfrule: one GNU makefile, no fetching, `make -j` always safe.
#   make              the library and the command, in build/release
#   make MODE=asan    the same, in build/asan, with sanitizers
#   make help         every target
# A source file is found by its folder: add engine/<layer>/x.c or tests/unit/test_x.c and build.

MODE      ?= release
prefix    ?= /usr/local
bindir    ?= $(prefix)/bin
libdir    ?= $(prefix)/lib
includedir ?= $(prefix)/include
datadir   ?= $(prefix)/share
mandir    ?= $(datadir)/man
BISON     ?= bison
FLEX      ?= flex
CLANG     ?= clang
PYTHON    ?= python3
PKGCONFIG ?= pkg-config
FORMAT    ?= $(firstword $(shell command -v clang-format-14 clang-format 2>/dev/null) clang-format)

# The version stands in the public header alone.
VERSION   := $(shell sed -n 's/^\#define DFRULE_VERSION "\(.*\)"/\1/p' engine/include/dfrule.h)
SOVERSION := 0
B         := build/$(MODE)
GEN       := $(B)/gen

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n' '$(1)' '$(2)')

# --- Modes ------------------------------------------------------------------------------------
ifeq ($(origin CC),default)
  CC := $(if $(filter fuzz,$(MODE)),$(CLANG),gcc)
endif
ifeq ($(origin AR),default)
  AR := ar
endif
SANITIZE := address,undefined
MODE_FLAGS.release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
MODE_FLAGS.debug   := -O0 -g3
MODE_FLAGS.asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
MODE_FLAGS.cov     := -O0 -g --coverage -fprofile-abs-path
MODE_FLAGS.fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,$(SANITIZE) \
                      -fno-sanitize-recover=all
ifeq ($(MODE_FLAGS.$(MODE)),)
  $(error MODE=$(MODE) is not one of release debug asan cov fuzz)
endif
MODE_LINK.asan := -fsanitize=$(SANITIZE)
MODE_LINK.cov  := --coverage
MODE_LINK.fuzz := -fsanitize=$(SANITIZE)

# --- Flags ------------------------------------------------------------------------------------
PKGS := libpcre2-8 jansson libsodium libutf8proc libmspack yaml-0.1
ifneq ($(wildcard engine/dump/insn.c),)
  PKGS += capstone
endif
PKG_CFLAGS := $(shell $(PKGCONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKGCONFIG) --libs $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
        -Wsign-conversion $(if $(WERROR),-Werror)
BASE_FLAGS := -std=c17 -D_GNU_SOURCE -DDFR_VERSION='"$(VERSION)"' $(WARN) $(MODE_FLAGS.$(MODE)) \
        -ffile-prefix-map=$(CURDIR)=. -pthread
INCLUDES  := -Iengine -Iengine/include -I. -I$(GEN)
LIB_FLAGS := -fPIC -fvisibility=hidden $(PKG_CFLAGS)
LINK      := $(MODE_LINK.$(MODE)) -pthread -Wl,--as-needed
HARDEN    := $(if $(filter release,$(MODE)),-z relro -z now)
LIBS      := $(PKG_LIBS) -lm
# What the command alone needs: the library opens no connection.
CLI_LIBS  := $(shell $(PKGCONFIG) --libs libcurl 2>/dev/null)
comma     := ,

# --- Sources ----------------------------------------------------------------------------------
# Lower layers first; tests/checks/layers.sh holds each to the ones before it.
LAYERS    := base facts memory image text dump forge code lang vm rank pack report measure api
LIB_SRC   := $(foreach l,$(LAYERS),$(sort $(wildcard engine/$(l)/*.c)))
CLI_SRC   := $(sort $(wildcard engine/cli/*.c))
TOOL_SRC  := $(sort $(wildcard engine/tools/*.c))
PROBE_SRC := $(sort $(wildcard tests/tools/*.c))
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
STRESS_SRC := $(sort $(wildcard tests/stress/*.c))

GRAMMAR_Y := $(wildcard grammar/dfr.y)
GRAMMAR_L := $(wildcard grammar/dfr.l)
GEN_C     := $(if $(GRAMMAR_Y),$(GEN)/dfr.tab.c) $(if $(GRAMMAR_L),$(GEN)/dfr.lex.c)
GEN_H     := $(if $(GRAMMAR_Y),$(GEN)/dfr.tab.h) $(if $(GRAMMAR_L),$(GEN)/dfr.lex.h)

LIB_OBJ   := $(LIB_SRC:%.c=$(B)/obj/%.o) $(GEN_C:$(GEN)/%.c=$(B)/obj/gen/%.o)
CLI_OBJ   := $(CLI_SRC:%.c=$(B)/obj/%.o)
TOOLS     := $(TOOL_SRC:engine/tools/%.c=$(B)/tools/%) $(PROBE_SRC:tests/tools/%.c=$(B)/probes/%)
UNITS     := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
FUZZERS   := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
REPLAYS   := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/fuzz/replay_%)
BENCHES   := $(BENCH_SRC:tests/bench/%.c=$(B)/bench/%)
STRESSES  := $(STRESS_SRC:tests/stress/%.c=$(B)/stress/%)

LIB_A     := $(B)/libdfrule.a
LIB_SO    := $(B)/libdfrule.so.$(VERSION)
MAP       := $(wildcard engine/api/libdfrule.map)
DFRULE    := $(if $(CLI_SRC),$(B)/dfrule)

# --- Build ------------------------------------------------------------------------------------
## all: the library (static and shared) and the command, in build/$(MODE)
.PHONY: all
all: $(LIB_A) $(LIB_SO) $(DFRULE)

# A stamp that changes only when its text does: objects depend on the flags, archives on the list.
.PHONY: FORCE
$(B)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(CC) $(BASE_FLAGS) $(CFLAGS) $(PKG_CFLAGS))' \
	  | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(CC) $(BASE_FLAGS) $(CFLAGS) $(PKG_CFLAGS))' >$@
$(B)/objects: FORCE
	@mkdir -p $(@D); printf '%s\n' $(LIB_OBJ) | cmp -s - $@ || printf '%s\n' $(LIB_OBJ) >$@
$(B)/cli-objects: FORCE
	@mkdir -p $(@D); printf '%s\n' $(CLI_OBJ) | cmp -s - $@ || printf '%s\n' $(CLI_OBJ) >$@

$(GEN)/dfr.tab.c $(GEN)/dfr.tab.h &: $(GRAMMAR_Y)
	@mkdir -p $(GEN)
	$(call say,BISON,$@)
	$(Q)$(BISON) -Wall -Wno-yacc --header=$(GEN)/dfr.tab.h -o $(GEN)/dfr.tab.c $<
$(GEN)/dfr.lex.c $(GEN)/dfr.lex.h &: $(GRAMMAR_L)
	@mkdir -p $(GEN)
	$(call say,FLEX,$@)
	$(Q)$(FLEX) --header-file=$(GEN)/dfr.lex.h -o $(GEN)/dfr.lex.c $<

COMPILE = $(CC) $(BASE_FLAGS) $(INCLUDES) -MMD -MP

$(B)/obj/gen/%.o: $(GEN)/%.c $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(COMPILE) $(LIB_FLAGS) $(CFLAGS) -c -o $@ $<
$(B)/obj/engine/%.o: engine/%.c $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(COMPILE) $(LIB_FLAGS) $(CFLAGS) -c -o $@ $<

# A compiled rule set holds numbers of opcodes, builtins and fields, and is kept as long as the same
# compiler would make it: it belongs to these files.
TABLES := $(sort $(wildcard engine/code/* engine/facts/*.def engine/lang/* grammar/*))
$(B)/obj/engine/code/file.o: CFLAGS += -DDFR_ENGINE='"$(shell cat $(TABLES) | sha256sum | cut -c1-15)"'
$(B)/obj/engine/code/file.o: $(TABLES)

$(LIB_A): $(LIB_OBJ) $(B)/objects
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) Dcrs $@ $(LIB_OBJ)
$(LIB_SO): $(LIB_OBJ) $(B)/objects $(MAP)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LINK) $(HARDEN) -shared -Wl,-soname,libdfrule.so.$(SOVERSION) \
	  $(MAP:%=-Wl,--version-script=%) -o $@ $(LIB_OBJ) $(LDFLAGS) $(LIBS)
	@ln -sf $(@F) $(B)/libdfrule.so.$(SOVERSION); ln -sf libdfrule.so.$(SOVERSION) $(B)/libdfrule.so
$(B)/dfrule: $(CLI_OBJ) $(B)/cli-objects $(LIB_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LINK) $(HARDEN) -o $@ $(CLI_OBJ) $(LIB_A) $(LDFLAGS) $(LIBS) $(CLI_LIBS)

# Programs of one file each: build-time tools, probes that tests run, unit tests, fuzz replays, benchmarks.
$(B)/tools/%: engine/tools/%.c $(LIB_A) $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(PKG_CFLAGS) $(CFLAGS) -o $@ $< $(LINK) $(LIB_A) $(LDFLAGS) $(LIBS)
$(B)/probes/%: tests/tools/%.c $(LIB_A) $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(PKG_CFLAGS) $(CFLAGS) -o $@ $< $(LINK) $(LIB_A) $(LDFLAGS) $(LIBS)
$(B)/tests/%: tests/unit/%.c $(LIB_A) $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(PKG_CFLAGS) $(CFLAGS) -o $@ $< $(LINK) $(LIB_A) $(LDFLAGS) $(LIBS) -lcriterion
$(B)/bench/%: tests/bench/%.c $(LIB_A) $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(PKG_CFLAGS) $(CFLAGS) -o $@ $< $(LINK) $(LIB_A) $(LDFLAGS) $(LIBS)
$(B)/stress/%: tests/stress/%.c $(LIB_A) $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(PKG_CFLAGS) $(CFLAGS) -o $@ $< $(LINK) $(LIB_A) $(LDFLAGS) $(LIBS)
$(B)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(LIB_A) $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(PKG_CFLAGS) $(CFLAGS) -fsanitize=fuzzer -o $@ $< $(LINK) $(LIB_A) $(LDFLAGS) $(LIBS)
$(B)/fuzz/replay_%: tests/fuzz/fuzz_%.c $(B)/obj/replay.o $(LIB_A) $(B)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(PKG_CFLAGS) $(CFLAGS) -o $@ $< $(B)/obj/replay.o $(LINK) $(LIB_A) $(LDFLAGS) $(LIBS)
$(B)/obj/replay.o: tests/fuzz/replay.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(COMPILE) $(CFLAGS) -c -o $@ $<

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TOOLS:=.d) $(UNITS:=.d) $(BENCHES:=.d) \
  $(STRESSES:=.d)   $(FUZZERS:=.d) $(REPLAYS:=.d)

## tools: the build-time programs
.PHONY: tools
tools: $(TOOLS)

## units: the unit test programs, built but not run
.PHONY: units
units: $(UNITS)

## unit: run the unit tests (T=name runs one binary)
.PHONY: unit
unit: $(if $(T),$(B)/tests/test_$(T:test_%=%),$(UNITS))
	@for t in $^; do echo "== $$t"; $$t || exit 1; done

# --- Tests ------------------------------------------------------------------------------------
RUN = $(PYTHON) tests/run.py --build $(B)

## check: every test over build/$(MODE), and the checks of the house
.PHONY: check
check: all tools $(UNITS) $(REPLAYS)
	@$(RUN)

# Sanitizer builds run all that runs our code, and the command over every transcript there is.
.PHONY: check-run-asan
check-run-asan: all $(UNITS) $(REPLAYS)
	@$(RUN) --kinds unit,rules,cli,replay,sweep
## check-asan: the tests and all transcripts with address, undefined and leak sanitizers
.PHONY: check-asan
check-asan:
	@$(MAKE) --no-print-directory MODE=asan check-run-asan

## check-layers: every #include obeys the dependency line of docs/ARCHITECTURE.md
.PHONY: check-layers
check-layers:
	@tests/checks/layers.py

## check-symbols: linked names start with dfr_, the shared library exports dfrule.h alone
.PHONY: check-symbols
check-symbols: all
	@BUILD=$(B) tests/checks/symbols.py

## test: install what is missing, build, run everything; ends with `N passed, N failed`
.PHONY: test
test:
	@engine/tools/deps.sh build test
	@$(MAKE) --no-print-directory -j$(JOBS) all tools units replays >build.log 2>&1 \
	  || { cat build.log; rm -f build.log; echo "0 passed, 1 failed"; exit 1; }; rm -f build.log
	@$(MAKE) --no-print-directory check

## demo: install what is missing, build, and diagnose a crash
DEMO := corpus/transcripts/double_fault_iastor.txt
.PHONY: demo
demo:
	@engine/tools/deps.sh build
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@test -x $(B)/dfrule || { echo "make demo: there is no engine/cli to build" >&2; exit 1; }
	@test -f $(DEMO) || { echo "make demo: $(DEMO) is not there" >&2; exit 1; }
	@echo '$$ dfrule check $(DEMO)'; $(B)/dfrule check $(DEMO)
JOBS := $(shell nproc 2>/dev/null || echo 2)

# Dumps are made from their recipes, never committed: the same recipe gives the same bytes.
CORPUS_KINDS ?= triage triage-kernel full bitmap kernel rdmp summary
## corpus: build/corpus: every recipe as a transcript and as a dump of every kind
.PHONY: corpus
corpus: all
	@mkdir -p build/corpus
	@for r in corpus/recipes/*.yaml; do n=$${r##*/}; n=build/corpus/$${n%.yaml}; \
	  $(DFRULE) forge --text $$r -o $$n.txt || exit 1; \
	  for k in $(CORPUS_KINDS); do case "$$k $$(sed -n 's/^arch: *//p' $$r)" in rdmp*x86*) continue;; esac; \
	    $(DFRULE) forge --kind $$k $$r -o $$n.$$k.dmp || exit 1; done; done
	@ls build/corpus | wc -l | sed 's/$$/ files in build\/corpus/'

## replays: each fuzz target as a program that reads files
.PHONY: replays
replays: $(REPLAYS)

# Every target in turn, for SECONDS each; new inputs go to build/, crashes to the regressions.
SECONDS ?= 60
.PHONY: fuzz-run
fuzz-run: $(FUZZERS)
	@set -e; for f in $(FUZZERS); do n=$${f##*/fuzz_}; \
	  mkdir -p $(B)/corpus/$$n tests/fuzz/corpus/$$n tests/fuzz/regressions/$$n; \
	  d=tests/fuzz/$$n.dict; test -f $$d && d=-dict=$$d || d=; \
	  echo "== $$n for $(SECONDS) s"; \
	  $$f $$d -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix=tests/fuzz/regressions/$$n/ $(FUZZ_FLAGS) \
	    $(B)/corpus/$$n tests/fuzz/corpus/$$n tests/fuzz/regressions/$$n 2>$(B)/$$n.log \
	    || { tail -40 $(B)/$$n.log; exit 1; }; tail -8 $(B)/$$n.log; done
## fuzz: run every fuzz target for SECONDS=60 (F=name: one), with clang
.PHONY: fuzz
fuzz:
	@$(MAKE) --no-print-directory MODE=fuzz CC=$(CLANG) fuzz-run \
	  $(if $(F),FUZZ_SRC=tests/fuzz/fuzz_$(F).c)

.PHONY: cov-run
cov-run: all $(UNITS) $(REPLAYS)
	@find $(B) -name '*.gcda' -delete
	@$(RUN) --kinds unit,rules,cli,replay,sweep
	@lcov -q -c -d $(B) -b . --no-external -o $(B)/all.info 2>/dev/null
	@lcov -q -e $(B)/all.info '$(CURDIR)/engine/*' '$(CURDIR)/grammar/*' -o $(B)/engine.info
	@lcov --list $(B)/engine.info
	@! command -v genhtml >/dev/null || genhtml -q $(B)/engine.info -o $(B)/html
## cov: line coverage of all tests, as a table and in build/cov/html
.PHONY: cov
cov:
	@command -v lcov >/dev/null || { echo "make cov needs lcov" >&2; exit 1; }
	@$(MAKE) --no-print-directory MODE=cov cov-run

# Takes hours with everything: FILES names dumps of one kind, DAMAGE is `cut STEP` or `flip COUNT SEED`.
DAMAGE ?= cut 512
.PHONY: stress-run
stress-run: $(STRESSES)
	@$(B)/stress/damage $(DAMAGE) rules $(FILES)
## stress: damage FILES as DAMAGE="cut 512" or "flip 100000 1" says and read the rest, with sanitizers
.PHONY: stress
stress:
	@$(MAKE) --no-print-directory MODE=asan stress-run

## bench: time and memory of compiling, reading and matching
.PHONY: bench
bench: all $(BENCHES)
	@$(if $(wildcard tests/bench/bench.py),BUILD=$(B) $(PYTHON) tests/bench/bench.py,\
	  echo "make bench: there is no tests/bench/bench.py" >&2; exit 1)

## corpus-gate: the labelled cases of corpus/ against the figures kept in corpus/FIGURES
.PHONY: corpus-gate
corpus-gate: all
	@DFRULE=$(B)/dfrule tests/checks/corpus.sh

## bless: rewrite golden files with what is printed now; review the diff
.PHONY: bless
bless: all $(UNITS)
	@$(PYTHON) tests/cases.py $(B)
	@DFR_BLESS=1 $(RUN) --kinds unit >/dev/null || true
	@$(B)/dfrule corpus eval -q corpus -o tsv=corpus/FIGURES
	@git status --short tests corpus 2>/dev/null || true

# The commit is built in two folders; what comes out must have the same bytes.
## repro: two builds in two places give the same library and command
.PHONY: repro
repro:
	@set -e; tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	  for d in one two/deeper; do mkdir -p "$$tmp/$$d"; git archive HEAD | tar -x -C "$$tmp/$$d"; \
	    $(MAKE) -s --no-print-directory -C "$$tmp/$$d" -j$(JOBS) all >/dev/null; done; \
	  cd "$$tmp/one/build/release"; for f in libdfrule.a libdfrule.so.$(VERSION) dfrule; do \
	    test ! -f $$f || { cmp $$f "$$tmp/two/deeper/build/release/$$f"; sha256sum $$f; }; done

# --- Form -------------------------------------------------------------------------------------
FORMATTED := $(sort $(wildcard engine/*/*.c engine/*/*.h tests/unit/*.[ch] tests/fuzz/*.[ch] \
                               tests/tools/*.[ch] \
                               tests/bench/*.[ch] tests/stress/*.[ch]))
## format: clang-format 14 over all C files
.PHONY: format
format:
	$(FORMAT) -i $(FORMATTED)
## format-check: fail where `make format` would change something
.PHONY: format-check
format-check:
	@$(FORMAT) --dry-run -Werror $(FORMATTED)

# Off: what cannot see that an arena never gives NULL, or that dfr_fail() never returns DFR_OK.
TIDY_OFF := performance-no-int-to-ptr bugprone-easily-swappable-parameters bugprone-macro-parentheses \
  bugprone-assignment-in-if-condition bugprone-sizeof-expression \
  bugprone-narrowing-conversions bugprone-not-null-terminated-result \
  bugprone-implicit-widening-of-multiplication-result \
  clang-analyzer-valist.Uninitialized clang-analyzer-core.NullDereference \
  clang-analyzer-core.uninitialized.Assign \
  clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
TIDY := bugprone-* clang-analyzer-* misc-redundant-expression misc-unused-parameters performance-* \
  readability-misleading-indentation readability-redundant-declaration \
  readability-non-const-parameter $(TIDY_OFF:%=-%)
empty :=
TIDY_CHECKS := -checks=-*,$(subst $(empty) $(empty),$(comma),$(strip $(TIDY)))
## lint: clang-tidy, cppcheck and shellcheck, those that are installed
.PHONY: lint
lint: $(GEN_H)
	@if command -v clang-tidy >/dev/null; then printf '%s\n' $(LIB_SRC) $(CLI_SRC) \
	  | xargs -P $(JOBS) -n 4 sh -c 'clang-tidy --quiet --warnings-as-errors="*" "$(TIDY_CHECKS)" "$$@" -- \
	    -std=c17 -D_GNU_SOURCE -DDFR_VERSION=\"0\" $(INCLUDES) $(PKG_CFLAGS) 2>/dev/null' tidy; \
	  else echo "clang-tidy is not installed: skipped"; fi
	@if command -v cppcheck >/dev/null; then cppcheck -q --std=c11 -j $(JOBS) --error-exitcode=1 \
	    --enable=warning,portability --inline-suppr --library=posix --suppress=missingInclude \
	    --suppress=unknownMacro --suppress=internalAstError \
	    --suppress=identicalInnerCondition -D_GNU_SOURCE $(INCLUDES) $(LIB_SRC) $(CLI_SRC); \
	  else echo "cppcheck is not installed: skipped"; fi
	@if command -v shellcheck >/dev/null; then \
	    shellcheck .ci/run $(wildcard engine/tools/*.sh tests/*/*.sh); \
	  else echo "shellcheck is not installed: skipped"; fi

# --- Documentation ----------------------------------------------------------------------------
## docs: refresh docs/generated, the manual page and the completions from the tables
.PHONY: docs
docs: $(TOOLS)
	@mkdir -p docs/generated docs/man docs/completions
	@for t in gentables genman; do test ! -x $(B)/tools/$$t || $(B)/tools/$$t docs; done

# --- Install ----------------------------------------------------------------------------------
INSTALL ?= install
RULES   := $(sort $(shell find rules -name '*.dfr' 2>/dev/null))
define PC
prefix=$(prefix)
libdir=$(libdir)
includedir=$(includedir)

Name: dfrule
Description: Rule-driven diagnosis of Windows kernel crashes
Version: $(VERSION)
Requires.private: $(PKGS)
Libs: -L$${libdir} -ldfrule
Libs.private: -pthread -lm
Cflags: -I$${includedir}
endef
export PC

## install: into $(DESTDIR)$(prefix): command, libraries, header, dfrule.pc, man page, completions, rules
.PHONY: install
install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir) \
	  $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(datadir)/dfrule/rules \
	  $(DESTDIR)$(datadir)/bash-completion/completions \
	  $(DESTDIR)$(datadir)/zsh/site-functions $(DESTDIR)$(datadir)/fish/vendor_completions.d
	$(INSTALL) -m 755 $(B)/dfrule $(DESTDIR)$(bindir)/dfrule
	$(INSTALL) -m 644 engine/include/dfrule.h $(DESTDIR)$(includedir)/dfrule.h
	$(INSTALL) -m 644 $(LIB_A) $(DESTDIR)$(libdir)/libdfrule.a
	$(INSTALL) -m 755 $(LIB_SO) $(DESTDIR)$(libdir)/libdfrule.so.$(VERSION)
	ln -sf libdfrule.so.$(VERSION) $(DESTDIR)$(libdir)/libdfrule.so.$(SOVERSION)
	ln -sf libdfrule.so.$(SOVERSION) $(DESTDIR)$(libdir)/libdfrule.so
	@printf '%s\n' "$$PC" >$(DESTDIR)$(libdir)/pkgconfig/dfrule.pc
	$(INSTALL) -m 644 docs/man/dfrule.1 $(DESTDIR)$(mandir)/man1/dfrule.1
	$(INSTALL) -m 644 docs/completions/dfrule.bash $(DESTDIR)$(datadir)/bash-completion/completions/dfrule
	$(INSTALL) -m 644 docs/completions/_dfrule $(DESTDIR)$(datadir)/zsh/site-functions/_dfrule
	$(INSTALL) -m 644 docs/completions/dfrule.fish $(DESTDIR)$(datadir)/fish/vendor_completions.d/dfrule.fish
	@for f in $(RULES); do $(INSTALL) -D -m 644 "$$f" "$(DESTDIR)$(datadir)/dfrule/$$f"; done

## uninstall: remove what install put there
.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(bindir)/dfrule $(DESTDIR)$(includedir)/dfrule.h $(DESTDIR)$(libdir)/libdfrule.a \
	  $(DESTDIR)$(libdir)/libdfrule.so* $(DESTDIR)$(libdir)/pkgconfig/dfrule.pc \
	  $(DESTDIR)$(mandir)/man1/dfrule.1 $(DESTDIR)$(datadir)/bash-completion/completions/dfrule \
	  $(DESTDIR)$(datadir)/zsh/site-functions/_dfrule \
	  $(DESTDIR)$(datadir)/fish/vendor_completions.d/dfrule.fish
	@for f in $(RULES); do rm -f "$(DESTDIR)$(datadir)/dfrule/$$f"; done
	@find $(DESTDIR)$(datadir)/dfrule -type d -empty -delete 2>/dev/null || true

## dist: a source archive with the same bytes wherever it is made
.PHONY: dist
dist:
	@mkdir -p build
	git archive --format=tar --prefix=dfrule-$(VERSION)/ HEAD | gzip -n9 >build/dfrule-$(VERSION).tar.gz
	@sha256sum build/dfrule-$(VERSION).tar.gz

## clean: remove everything built
.PHONY: clean
clean:
	rm -rf build

## help: this list
.PHONY: help
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
