# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# ext4diotop: all, deps, demo, test, fuzz, lab, check, install, uninstall, clean
# Variables: V=1 (show commands), STATIC=1 (one static binary), PREFIX, DESTDIR,
# CLANG, BPFTOOL, ARCH (x86 or arm64: of the BPF objects).

B := build
PREFIX ?= /usr/local
DESTDIR ?=
CLANG ?= clang
BPFTOOL ?= bpftool
PKG_CONFIG ?= pkg-config
LLVM_STRIP ?= $(firstword $(shell command -v llvm-strip llvm-strip-14 llvm-strip-19 2>/dev/null) strip)
VERSION := 0.1.0

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

ARCH ?= $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(shell uname -m)))

# --- what must be there: one line each, with the package's name -------------
need = $(if $(shell command -v $(1) 2>/dev/null),,$(error $(1) is missing: apt-get install $(2), or run 'make deps'))
ifneq ($(filter-out deps clean uninstall help demo test lab bench,$(or $(MAKECMDGOALS),all)),)
$(call need,$(CLANG),clang)
$(call need,$(BPFTOOL),bpftool)
$(call need,$(PKG_CONFIG),pkg-config)
$(call need,protoc-c,protobuf-c-compiler)
ifneq ($(shell $(PKG_CONFIG) --atleast-version=1.1.2 libbpf 2>/dev/null && echo yes),yes)
$(error libbpf 1.1.2 or later is missing: apt-get install libbpf-dev, or run 'make deps')
endif
endif

WARN := -Wall -Wextra -Werror -Wno-unused-parameter
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DE4D_VERSION='"$(VERSION)"' -Iinclude -Isrc -I$(B)/skel -I$(B)/gen
BASE_CFLAGS := -std=gnu11 $(WARN)
# libkdumpfile (salvage from compressed kdumps) is optional: built in where it is there
USES := libbpf libzstd ncursesw sqlite3 libprotobuf-c jansson
ifeq ($(STATIC),1)
LINK := -static
LIBS := $(shell $(PKG_CONFIG) --static --libs $(USES)) -lcap -lm
else
LINK :=
ifeq ($(shell $(PKG_CONFIG) --exists libkdumpfile 2>/dev/null && echo yes),yes)
USES += libkdumpfile
CPPFLAGS += -DE4D_KDUMPFILE
endif
LIBS := $(shell $(PKG_CONFIG) --libs $(USES)) -lcap -lm
endif

# A change of STATIC or CFLAGS relinks; nothing else does.
MODE := $(B)/.mode
$(shell mkdir -p $(B); echo '$(STATIC) $(CFLAGS) $(ARCH)' | cmp -s - $(MODE) || echo '$(STATIC) $(CFLAGS) $(ARCH)' >$(MODE))

SRCS := $(wildcard src/*.c src/*/*.c)
OBJS := $(SRCS:src/%.c=$(B)/obj/%.o) $(B)/obj/report/perfetto.pb-c.o
TIERS := fentry kprobe tracepoint
SKELS := $(foreach t,$(TIERS),$(B)/skel/$(t).skel.h $(B)/skel/$(t)_v2.skel.h)
BPF_HDRS := $(wildcard bpf/*.h include/*.h vmlinux/*.h vmlinux/*/*.h)
LIVE := $(patsubst tests/live/%.c,$(B)/live/%,$(wildcard tests/live/test_*.c))
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
WRITES := $(filter $(B)/obj/workload/%,$(OBJS))
WORKLOAD := $(patsubst tools/workload/%.c,$(B)/tools/workload/%.o,$(wildcard tools/workload/*.c)) $(WRITES)
JUDGE := $(patsubst tools/judge/%.c,$(B)/tools/judge/%.o,$(wildcard tools/judge/*.c))
SCORE := $(patsubst tools/lab/score/%.c,$(B)/tools/lab/score/%.o,$(wildcard tools/lab/score/*.c)) \
	$(filter %/load.o,$(JUDGE)) $(B)/obj/record/names.o
HOLDWRITE := $(patsubst tools/lab/crash/%.c,$(B)/tools/lab/crash/%.o,$(wildcard tools/lab/crash/*.c)) \
	$(WRITES) $(filter %/load.o,$(JUDGE))

RANDWRITE := $(patsubst tools/%.c,$(B)/tools/%.o,$(wildcard tools/lab/randwrite/*.c)) $(WRITES)

.PHONY: all deps demo test lab bench bench-bin fuzz fuzz-bin check install uninstall clean help arm64-bpf unit live
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/ext4diotop $(B)/workload $(B)/judge $(B)/randwrite $(B)/score

help:
	@sed -n '2,4s/^# //p' Makefile

deps:
	@tools/deps.sh

demo:
	@tools/demo.sh

test:
	@tests/run.sh

lab:
	@tools/lab/lab.sh

# --- BPF objects --------------------------------------------------------------
BPF_CFLAGS = -g -O2 -target bpf -D__TARGET_ARCH_$(1) $(WARN) -Ivmlinux/$(1) -Iinclude -Ibpf \
	$(shell $(PKG_CONFIG) --cflags libbpf)

# one object for each tier and architecture; _v2 is for kernels without cmpxchg
define bpf_rule
$(B)/bpf/$(1)/%_v2.bpf.o: bpf/%.bpf.c $(BPF_HDRS) $(MODE)
	$$(say) BPF $$@
	@mkdir -p $$(@D)
	$$(Q)$(CLANG) $(call BPF_CFLAGS,$(1)) -mcpu=v2 -DE4D_NO_CMPXCHG -c $$< -o $$@
	$$(Q)$(LLVM_STRIP) -g $$@
$(B)/bpf/$(1)/%.bpf.o: bpf/%.bpf.c $(BPF_HDRS) $(MODE)
	$$(say) BPF $$@
	@mkdir -p $$(@D)
	$$(Q)$(CLANG) $(call BPF_CFLAGS,$(1)) -mcpu=v3 -c $$< -o $$@
	$$(Q)$(LLVM_STRIP) -g $$@
endef
$(foreach a,x86 arm64,$(eval $(call bpf_rule,$(a))))

# both architectures' objects build everywhere
arm64-bpf: $(foreach t,$(TIERS),$(B)/bpf/arm64/$(t).bpf.o $(B)/bpf/arm64/$(t)_v2.bpf.o)

$(B)/skel/%.skel.h: $(B)/bpf/$(ARCH)/%.bpf.o
	$(say) SKEL $@
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $* >$@

# --- user side ---------------------------------------------------------------
$(B)/obj/%.o: src/%.c $(MODE)
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/obj/probe/objects.o: $(SKELS)

# what src/report makes of its .proto and of the page's parts
$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h: src/%.proto
	$(say) PROTO $@
	@mkdir -p $(B)/gen
	$(Q)protoc-c --proto_path=src --c_out=$(B)/gen $<

$(B)/gen/%.inc: src/% Makefile
	$(say) TEXT $@
	@mkdir -p $(@D)
	$(Q)sed '1i static const char $(subst .,_,$(<F))[] =' $< | sed '1!{s/[\\"]/\\&/g; s/.*/"&\\n"/}; $$a ;' >$@

$(B)/obj/%.pb-c.o: $(B)/gen/%.pb-c.c $(MODE)
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/obj/report/perfetto.o: $(B)/gen/report/perfetto.pb-c.h
$(B)/obj/report/html.o: $(patsubst src/%,$(B)/gen/%.inc,$(wildcard src/report/html/*))

$(B)/ext4diotop: $(OBJS)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(OBJS) $(LIBS)

$(B)/tools/%.o: tools/%.c $(MODE)
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/workload: $(WORKLOAD)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lpthread

$(B)/randwrite: $(RANDWRITE)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^

$(B)/svg: $(B)/tools/picture/svg.o
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^

$(B)/judge: $(JUDGE)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -ljansson

$(B)/score: $(SCORE)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -ljansson

$(B)/holdwrite: $(HOLDWRITE)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lpthread -ljansson

# --- tests -------------------------------------------------------------------
$(B)/tests/%: tests/unit/%.c $(OBJS)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -DE4D_SOURCE='"$(CURDIR)"' $(BASE_CFLAGS) $(CFLAGS) $(LINK) -MMD -MP -o $@ $< \
		$(filter-out $(B)/obj/main.o,$(OBJS)) -lcmocka -ljansson $(LIBS)

$(B)/live/%: tests/live/%.c $(OBJS)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) $(LINK) -MMD -MP -o $@ $< \
		$(filter-out $(B)/obj/main.o,$(OBJS)) -lcmocka $(LIBS)

$(B)/makedump: tests/report/makedump.c tools/bench/records.c $(OBJS)
	$(say) TEST $@
	$(Q)$(CC) $(CPPFLAGS) -Itools/bench $(BASE_CFLAGS) $(CFLAGS) $(LINK) -o $@ $(filter %.c,$^) \
		$(filter-out $(B)/obj/main.o,$(OBJS)) $(LIBS)

# --- benchmark: QUICK=1 is the short form, BENCH_ARGS go to tools/bench/bench.sh --
BENCH := $(addprefix $(B)/bench/,plugin.so writer floor consume user view live loss files trace)
BENCH_HDRS := $(wildcard tools/bench/*.h)

bench:
	@tools/bench/bench.sh $(if $(QUICK),--quick) $(BENCH_ARGS)

bench-bin: $(BENCH)

$(B)/bench/plugin.so: tools/bench/plugin.c $(BENCH_HDRS) $(MODE)
	$(say) BENCH $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_CFLAGS) $(CFLAGS) -shared -fPIC -o $@ $<

$(B)/bench/%.bpf.o: tools/bench/%.bpf.c $(BPF_HDRS) $(BENCH_HDRS) $(MODE)
	$(say) BPF $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(call BPF_CFLAGS,$(ARCH)) -Itools/bench -mcpu=v3 -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(B)/bench/%.skel.h: $(B)/bench/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $* >$@

$(B)/bench/floor $(B)/bench/live: tools/bench/empty.c
$(B)/bench/user $(B)/bench/loss: tools/bench/records.c
$(B)/bench/loss: $(B)/bench/loss.skel.h
$(B)/bench/files: $(B)/bench/files.skel.h
$(B)/bench/%: tools/bench/%.c $(BENCH_HDRS) $(OBJS)
	$(say) BENCH $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -I$(B)/bench $(BASE_CFLAGS) $(CFLAGS) $(LINK) -o $@ $(filter %.c,$^) \
		$(filter-out $(B)/obj/main.o,$(OBJS)) -lpthread $(LIBS)

# --- fuzzing: the reader and salvage, without libbpf and libkdumpfile; FUZZ_TIME in seconds, for both --
FUZZ_TIME ?= 600
FUZZ_SRCS := $(filter-out src/trace/writer.c src/trace/rotate.c src/trace/worker.c,$(wildcard src/trace/*.c)) src/flight/page.c src/util/crc32c.c \
	src/util/log.c src/util/escape.c src/util/outbuf.c src/record/names.c
FUZZ_FLAGS := -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

$(B)/fuzz/seeds: tests/fuzz/seeds.c tests/unit/traces.h include/trace.h include/flight.h $(MODE)
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) -o $@ $< -lzstd

$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h $(FUZZ_SRCS) $(wildcard src/trace/*.h) $(MODE)
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(filter-out -DE4D_KDUMPFILE,$(CPPFLAGS)) $(BASE_CFLAGS) $(FUZZ_FLAGS) -o $@ $< $(FUZZ_SRCS) -lzstd

fuzz-bin: $(addprefix $(B)/fuzz/,seeds reader salvage)

fuzz: fuzz-bin
	@tests/fuzz/run.sh $(B)/fuzz $(FUZZ_TIME)

unit: $(UNIT) $(B)/tests/dump_top
live: $(LIVE)

check:
	@tools/check.sh

install: all
	install -D -m 755 $(B)/ext4diotop $(DESTDIR)$(PREFIX)/bin/ext4diotop
	@for m in $(wildcard docs/man/*.8); do install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man8/$${m##*/}; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/ext4diotop $(DESTDIR)$(PREFIX)/share/man/man8/ext4diotop*.8

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
