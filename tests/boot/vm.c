// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "vm.h"

enum { HEAR_MS = 1000, TOLD_LINES = 80 };

/* What the guest's kernel says when something is wrong with it. */
static const char *const complaints[] = {
	"BUG:", "WARNING:", "Oops", "Kernel panic", "Call Trace",
	"general protection", "stack segment", "double fault", "invalid opcode",
	"segfault", "soft lockup", "rcu: INFO", "blocked for more than",
	"Bad page", "x86/fpu: Bad FPU state", "traps:", "corrupt",
};

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

static void run_qemu(char **command)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(command[0], command);
	err(1, "%s", command[0]);
}

/* Its one mapping that has just the size of the guest's memory. */
static uint64_t find_ram(pid_t pid)
{
	uint64_t start, end, found = 0;
	char path[32], *line = NULL;
	unsigned int places = 0;
	size_t room = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		err(1, "%s", path);
	while (getline(&line, &room, maps) > 0) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 ||
		    end - start != (uint64_t)RAM_PAGES * PAGE_BYTES)
			continue;
		found = start;
		places++;
	}
	free(line);
	fclose(maps);
	if (places != 1)
		errx(1, "%s: %u mappings may be the guest's memory", path,
		     places);
	return found;
}

static void execute(struct vm *vm, const char *command)
{
	char line[80];

	snprintf(line, sizeof(line), "{\"execute\": \"%s\"}", command);
	channel_say(&vm->monitor, line);
}

static void hear_kernel(struct vm *vm, const char *line)
{
	if (!vm->started && strstr(line, "Linux version ")) {
		vm->started = true;
		vm->start_ns = now_ns();
	}
	for (size_t i = 0; i < sizeof(complaints) / sizeof(*complaints); i++)
		if (strstr(line, complaints[i])) {
			vm->complaints++;
			break;
		}
	/* What the first one is about, the registers among it. */
	if (vm->complaints && vm->told++ < TOLD_LINES)
		printf("# guest: %s\n", line);
}

static void hear_program(struct vm *vm, const char *said)
{
	printf("# %.1f s: guest: %s\n", (now_ns() - vm->start_ns) / 1e9, said);
	vm->said++;
	if (!strcmp(said, GUEST_UP))
		vm->user_ns = now_ns();
	else if (!strncmp(said, GUEST_GOOD, strlen(GUEST_GOOD)))
		vm->results++;
	else
		vm->works = false;
}

static void hear_console(struct vm *vm)
{
	char line[256];

	while (channel_line(&vm->console, line, sizeof(line))) {
		snprintf(vm->last, sizeof(vm->last), "%.70s", line);
		if (!strncmp(line, GUEST_SAYS, strlen(GUEST_SAYS)))
			hear_program(vm, line + strlen(GUEST_SAYS));
		else
			hear_kernel(vm, line);
	}
}

static void hear_monitor(struct vm *vm)
{
	char line[1024];

	while (channel_line(&vm->monitor, line, sizeof(line))) {
		if (strstr(line, "\"SHUTDOWN\"")) {
			vm->off = strstr(line, "\"guest-shutdown\"");
			vm->end_ns = now_ns();
		} else if (strstr(line, "\"STOP\"")) {
			vm->stopped = true;
		} else if (strstr(line, "\"RESUME\"")) {
			vm->stopped = false;
		} else if (strstr(line, "\"return\"")) {
			vm->ready = true;
		} else if (strstr(line, "\"error\"") ||
			   strstr(line, "\"GUEST_PANICKED\"")) {
			printf("# QEMU: %s\n", line);
			vm->broken = true;
		}
	}
}

void vm_hear(struct vm *vm, int fd)
{
	struct pollfd fds[] = {
		{ vm->console.fd, POLLIN, 0 },
		{ vm->monitor.fd, POLLIN, 0 },
		{ fd, POLLIN, 0 },
	};

	if (poll(fds, 3, HEAR_MS) < 0)
		err(1, "poll");
	if (fds[0].revents && channel_fill(&vm->console))
		hear_console(vm);
	if (fds[1].revents) {
		if (!channel_fill(&vm->monitor))
			errx(1, "QEMU ended early");
		hear_monitor(vm);
	}
}

void vm_start(struct vm *vm, char **command)
{
	memset(vm, 0, sizeof(*vm));
	vm->pid = fork();
	if (vm->pid < 0)
		err(1, "fork");
	if (!vm->pid)
		run_qemu(command);
	channel_open(&vm->console, "console");
	channel_open(&vm->monitor, "monitor");
	vm->works = true;
	execute(vm, "qmp_capabilities");
	while (!vm->ready)
		vm_hear(vm, -1);
	vm->ram = find_ram(vm->pid);
}

void vm_continue(struct vm *vm)
{
	vm->begin_ns = now_ns();
	execute(vm, "cont");
}

void vm_pause(struct vm *vm)
{
	execute(vm, "stop");
	while (!vm->stopped && !vm->broken)
		vm_hear(vm, -1);
}

void vm_resume(struct vm *vm)
{
	if (vm->end_ns)
		return;
	execute(vm, "cont");
	while (vm->stopped && !vm->end_ns && !vm->broken)
		vm_hear(vm, -1);
}

void vm_describe(struct vm *vm)
{
	static const char ask[] = "{\"execute\": \"human-monitor-command\","
		"\"arguments\": {\"command-line\": \"info registers\"}}";
	char line[4096];

	channel_say(&vm->monitor, ask);
	while (channel_fill(&vm->monitor))
		while (channel_line(&vm->monitor, line, sizeof(line))) {
			printf("# QEMU: %s\n", line);
			if (strstr(line, "RIP"))
				return;
		}
}

void vm_end(struct vm *vm)
{
	execute(vm, "quit");
	while (channel_fill(&vm->monitor))
		vm->monitor.used = 0;
	channel_close(&vm->monitor);
	channel_close(&vm->console);
	waitpid(vm->pid, NULL, 0);
}

void vm_read(const struct vm *vm, uint64_t gfn, uint64_t nr_pages, void *to)
{
	size_t len = nr_pages * PAGE_BYTES;
	struct iovec local = { to, len };
	struct iovec remote = {
		(void *)(uintptr_t)(vm->ram + gfn * PAGE_BYTES), len
	};

	if (process_vm_readv(vm->pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		err(1, "reading the memory of process %d", vm->pid);
}
