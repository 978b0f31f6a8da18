// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "memory.h"
#include "report.h"

static bool read_vmm(pid_t vmm, uint64_t address, void *to, size_t len)
{
	struct iovec local = { to, len };
	struct iovec remote = { (void *)(uintptr_t)address, len };

	return process_vm_readv(vmm, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

static bool has_marker(pid_t vmm, uint64_t address, const uint8_t *marker)
{
	uint8_t start[MARKER_BYTES];

	return read_vmm(vmm, address, start, sizeof(start)) &&
	       !memcmp(start, marker, sizeof(start));
}

uint64_t memory_find(pid_t vmm, uint64_t gpa, const uint8_t *marker)
{
	uint64_t start, end, found = 0;
	unsigned int places = 0;
	char path[32], *line = NULL;
	size_t room = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", vmm);
	maps = fopen(path, "re");
	if (!maps)
		err(1, "%s", path);
	while (getline(&line, &room, maps) > 0) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			errx(1, "%s: not understood: %s", path, line);
		if (end - start < gpa + PAGE_BYTES ||
		    !has_marker(vmm, start + gpa, marker))
			continue;
		found = start + gpa;
		places++;
	}
	free(line);
	fclose(maps);
	return places == 1 ? found : 0;
}

void memory_read_page(pid_t vmm, uint64_t address, uint8_t *page)
{
	if (!read_vmm(vmm, address, page, PAGE_BYTES))
		err(1, "reading the memory of process %d", vmm);
}
