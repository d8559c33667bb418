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

VERSION   := 0.1.0
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
PKGS := libpcre2-8 jansson libsodium libutf8proc
ifneq ($(wildcard engine/dump/insn.c),)
  PKGS += capstone
endif
PKG_CFLAGS := $(shell $(PKGCONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKGCONFIG) --libs $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
        -Wsign-conversion $(if $(WERROR),-Werror)
BASE_FLAGS := -std=c17 -D_GNU_SOURCE -DDFR_VERSION='"$(VERSION)"' $(WARN) $(MODE_FLAGS.$(MODE)) \
        -ffile-prefix-map=$(CURDIR)/= -pthread
INCLUDES  := -Iengine -Iengine/include -I. -I$(GEN)
LIB_FLAGS := -fPIC -fvisibility=hidden $(PKG_CFLAGS)
LINK      := $(MODE_LINK.$(MODE)) -pthread -Wl,--as-needed
HARDEN    := $(if $(filter release,$(MODE)),-z relro -z now)
LIBS      := $(PKG_LIBS)

# --- Sources ----------------------------------------------------------------------------------
# Lower layers first; tests/checks/layers.sh holds each to the ones before it.
LAYERS    := base facts text dump code lang vm rank pack report api
LIB_SRC   := $(foreach l,$(LAYERS),$(sort $(wildcard engine/$(l)/*.c)))
CLI_SRC   := $(sort $(wildcard engine/cli/*.c))
TOOL_SRC  := $(sort $(wildcard engine/tools/*.c))
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))

GRAMMAR_Y := $(wildcard grammar/dfr.y)
GRAMMAR_L := $(wildcard grammar/dfr.l)
GEN_C     := $(if $(GRAMMAR_Y),$(GEN)/dfr.tab.c) $(if $(GRAMMAR_L),$(GEN)/dfr.lex.c)
GEN_H     := $(if $(GRAMMAR_Y),$(GEN)/dfr.tab.h) $(if $(GRAMMAR_L),$(GEN)/dfr.lex.h)

LIB_OBJ   := $(LIB_SRC:%.c=$(B)/obj/%.o) $(GEN_C:$(GEN)/%.c=$(B)/obj/gen/%.o)
CLI_OBJ   := $(CLI_SRC:%.c=$(B)/obj/%.o)
TOOLS     := $(TOOL_SRC:engine/tools/%.c=$(B)/tools/%)
UNITS     := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
FUZZERS   := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
REPLAYS   := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/fuzz/replay_%)
BENCHES   := $(BENCH_SRC:tests/bench/%.c=$(B)/bench/%)

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
	$(Q)$(CC) $(LINK) $(HARDEN) -o $@ $(CLI_OBJ) $(LIB_A) $(LDFLAGS) $(LIBS)

# Programs of one file each: build-time tools, unit tests, fuzz replays, benchmarks.
$(B)/tools/%: engine/tools/%.c $(LIB_A) $(B)/flags | $(GEN_H)
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
  $(FUZZERS:=.d) $(REPLAYS:=.d)

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

## clean: remove everything built
.PHONY: clean
clean:
	rm -rf build

## help: this list
.PHONY: help
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
