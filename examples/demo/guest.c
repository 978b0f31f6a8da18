// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs in the guest. Announces one page of its memory on the serial console,
 * waits for "go", fills the page, tells how many stores that were, and waits
 * for "end".
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "fill.h"

enum { PAUSE_NS = 3000000 };

#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

static uint64_t get_gfn(const void *page)
{
	off_t offset = (uintptr_t)page / PAGE_BYTES * sizeof(uint64_t);
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "/proc/self/pagemap");
	if (pread(fd, &entry, sizeof(entry), offset) != sizeof(entry))
		err(1, "reading /proc/self/pagemap");
	close(fd);
	if (!(entry & PAGEMAP_PRESENT) || !(entry & PAGEMAP_PFN))
		errx(1, "the page has no frame number");
	return entry & PAGEMAP_PFN;
}

static uint8_t *make_page(const uint8_t *marker)
{
	uint8_t *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(1, "mmap");
	memcpy(page, marker, MARKER_BYTES);
	if (mlock(page, PAGE_BYTES))
		err(1, "mlock");
	return page;
}

static void announce(uint64_t gfn, const uint8_t *marker)
{
	char hex[2 * MARKER_BYTES + 1];

	for (int i = 0; i < MARKER_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", marker[i]);
	printf(REPORT_PAGE "\n", (unsigned long long)gfn, hex);
}

static void wait_for(const char *word)
{
	char line[64];

	do {
		if (!fgets(line, sizeof(line), stdin))
			errx(1, "the console is gone");
		line[strcspn(line, "\r\n")] = '\0';
	} while (strcmp(line, word));
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* For people to follow. The emulated clock would leap over a sleep. */
static void rest(void)
{
	uint64_t end = now_ns() + PAUSE_NS;

	while (now_ns() < end)
		;
}

static void say_kind(unsigned int count, const char *what)
{
	printf(REPORT_NOW "%u x %s\n", count, what);
	tcdrain(STDOUT_FILENO);
	rest();
}

int main(void)
{
	struct stores made = { 0 };
	const unsigned int *n = made.by_size;
	uint8_t marker[MARKER_BYTES];
	uint64_t gfn, seed;
	uint8_t *page;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getrandom(marker, sizeof(marker), 0) != sizeof(marker))
		err(1, "getrandom");
	memcpy(&seed, marker, sizeof(seed));
	page = make_page(marker);
	gfn = get_gfn(page);
	announce(gfn, marker);
	wait_for("go");
	fill(page, seed, &made, say_kind, rest);
	if (get_gfn(page) != gfn)
		errx(1, "the page has moved");
	printf(REPORT_DONE "\n", n[0], n[1], n[2], n[3],
	       (unsigned long long)page_sum(page));
	wait_for("end");
	return 0;
}
