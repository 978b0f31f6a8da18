// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ticker [PAGES [RATE]]: runs in the guest. Announces its pages on the serial
 * console, "page INDEX gfn 0xGFN" each and then "ready", and stores eight
 * bytes to them in turn, RATE times a second; the bytes are the number of the
 * store, from 1. Obeys these lines:
 *
 *	rate N		N stores a second from now on, 0 for none; says
 *			"rate N after COUNT"
 *	burst N		N stores at once; says "burst N after COUNT"
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, STORE_BYTES = 8, MAX_PAGES = 64 };

#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)
#define SECOND_NS	UINT64_C(1000000000)

static uint8_t *pages;
static uint64_t gfns[MAX_PAGES];
static uint64_t nr_pages = 1, count, rate;
static uint64_t next_ns;

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

static void make_pages(void)
{
	size_t len = nr_pages * PAGE_BYTES;

	pages = mmap(NULL, len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (pages == MAP_FAILED || mlock(pages, len))
		err(1, "%zu bytes of memory", len);
	for (uint64_t i = 0; i < nr_pages; i++) {
		gfns[i] = get_gfn(pages + i * PAGE_BYTES);
		printf("page %llu gfn 0x%llx\n", (unsigned long long)i,
		       (unsigned long long)gfns[i]);
	}
	puts("ready");
}

/* What is locked stays in memory, but the kernel may put it elsewhere. */
static void check_pages(void)
{
	for (uint64_t i = 0; i < nr_pages; i++)
		if (get_gfn(pages + i * PAGE_BYTES) != gfns[i])
			errx(1, "page %llu was moved", (unsigned long long)i);
}

static void store(void)
{
	uint64_t slot = count / nr_pages % (PAGE_BYTES / STORE_BYTES);
	uint8_t *at = pages + count % nr_pages * PAGE_BYTES +
		      slot * STORE_BYTES;

	asm volatile("movq %[value], (%[at])"
		     : : [value] "r" (count + 1), [at] "r" (at) : "memory");
	count++;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void set_rate(uint64_t new_rate)
{
	rate = new_rate;
	next_ns = now_ns();
}

static void obey(const char *line)
{
	unsigned long long n;

	if (sscanf(line, "rate %llu", &n) == 1) {
		set_rate(n);
		printf("rate %llu after %llu\n", n, (unsigned long long)count);
	} else if (sscanf(line, "burst %llu", &n) == 1) {
		for (unsigned long long i = 0; i < n; i++)
			store();
		check_pages();
		printf("burst %llu after %llu\n", n, (unsigned long long)count);
	} else {
		printf("what is \"%s\"?\n", line);
	}
}

/* Those that are due; after a pause it does not catch up. */
static void store_due(void)
{
	uint64_t now = now_ns();

	for (int i = 0; rate && next_ns <= now && i < 1000; i++) {
		store();
		next_ns += SECOND_NS / rate;
	}
	if (next_ns + SECOND_NS < now)
		next_ns = now;
}

static int wait_ms(void)
{
	uint64_t now = now_ns();

	if (!rate)
		return -1;
	return next_ns > now ? (next_ns - now) / 1000000 : 0;
}

static void read_command(void)
{
	static char line[80];
	static size_t used;
	ssize_t n = read(STDIN_FILENO, line + used, sizeof(line) - 1 - used);
	char *end;

	if (n <= 0)
		err(1, "the console is gone");
	used += n;
	line[used] = '\0';
	while ((end = strpbrk(line, "\r\n"))) {
		*end++ = '\0';
		if (*line)
			obey(line);
		used = strlen(end);
		memmove(line, end, used + 1);
	}
	if (used == sizeof(line) - 1)
		used = 0;
}

int main(int argc, char **argv)
{
	struct pollfd console = { .fd = STDIN_FILENO, .events = POLLIN };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		nr_pages = strtoull(argv[1], NULL, 0);
	if (!nr_pages || nr_pages > MAX_PAGES)
		errx(1, "1 to %d pages", MAX_PAGES);
	make_pages();
	set_rate(argc > 2 ? strtoull(argv[2], NULL, 0) : 0);
	for (;;) {
		if (poll(&console, 1, wait_ms()) > 0)
			read_command();
		store_due();
	}
}
