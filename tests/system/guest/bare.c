// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest of a VM that has no time to boot a Linux: does on the bare
 * processor what ticker.c does, and is told the same, and besides:
 *
 *	pages N		from now on stores to the first N pages in turn;
 *			announces them
 *
 * Its pages begin at gfn 0x8000. It looks what is to be done a hundred times
 * a second, and halts in between.
 */
#include <stdint.h>

enum {
	PAGE_BYTES = 4096, STORE_BYTES = 8, MAX_PAGES = 64,
	FIRST_GFN = 0x8000,
	SERIAL = 0x3f8, SERIAL_FIFO = 2, SERIAL_STATUS = 5,
	SERIAL_HAS_DATA = 0x01, SERIAL_IS_EMPTY = 0x20,
	PIC = 0x20, PIC_MASK = 0x21, PIT = 0x40, PIT_MODE = 0x43,
	PIT_HZ = 1193182, HZ = 100,
	VECTOR = 0x20, CODE64 = 0x18, INTERRUPT_GATE = 0x8e00,
};

volatile uint32_t bare_ticks;
void bare_tick(void);
void bare_main(void);

static uint64_t idt[2 * (VECTOR + 8)] __attribute__((aligned(16)));
static uint32_t nr_pages, rate, count, tick, left_over;
static char line[80];
static uint32_t used;

static void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a" (value), "Nd" (port));
}

static uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a" (value) : "Nd" (port));
	return value;
}

static void put(char c)
{
	while (!(inb(SERIAL + SERIAL_STATUS) & SERIAL_IS_EMPTY))
		;
	outb(SERIAL, c);
}

static void say(const char *text)
{
	while (*text)
		put(*text++);
}

static void say_number(uint32_t n, uint32_t base)
{
	if (n >= base)
		say_number(n / base, base);
	put("0123456789abcdef"[n % base]);
}

static void store(void)
{
	uint32_t slot = count / nr_pages % (PAGE_BYTES / STORE_BYTES);
	uint64_t at = (FIRST_GFN + count % nr_pages) * (uint64_t)PAGE_BYTES +
		      slot * STORE_BYTES;

	count++;
	asm volatile("movq %[value], (%[at])"
		     : : [value] "r" ((uint64_t)count), [at] "r" (at)
		     : "memory");
}

static void announce(uint32_t n)
{
	nr_pages = n && n <= MAX_PAGES ? n : 1;
	for (uint32_t i = 0; i < nr_pages; i++) {
		say("page ");
		say_number(i, 10);
		say(" gfn 0x");
		say_number(FIRST_GFN + i, 16);
		say("\r\n");
	}
	say("ready\r\n");
}

static void confirm(const char *what, uint32_t n)
{
	say(what);
	say_number(n, 10);
	say(" after ");
	say_number(count, 10);
	say("\r\n");
}

/* Whether the line begins with that word; then its number is in *n. */
static int is_command(const char *word, uint32_t *n)
{
	const char *at = line;

	while (*word)
		if (*at++ != *word++)
			return 0;
	for (*n = 0; *at >= '0' && *at <= '9'; at++)
		*n = 10 * *n + *at - '0';
	return 1;
}

static void obey(void)
{
	uint32_t n;

	if (is_command("pages ", &n)) {
		announce(n);
	} else if (is_command("rate ", &n)) {
		rate = n;
		left_over = 0;
		tick = bare_ticks;
		confirm("rate ", n);
	} else if (is_command("burst ", &n)) {
		for (uint32_t i = 0; i < n; i++)
			store();
		confirm("burst ", n);
	}
}

static void read_commands(void)
{
	while (inb(SERIAL + SERIAL_STATUS) & SERIAL_HAS_DATA) {
		char c = inb(SERIAL);

		if (c != '\n' && c != '\r') {
			if (used < sizeof(line) - 1)
				line[used++] = c;
			continue;
		}
		line[used] = '\0';
		used = 0;
		obey();
	}
}

/* After a pause it does not catch up. */
static void store_due(void)
{
	uint32_t passed = bare_ticks - tick;

	tick += passed;
	if (passed > HZ)
		passed = HZ;
	for (left_over += passed * rate; left_over >= HZ; left_over -= HZ)
		store();
}

/* The timer's interrupt alone; it comes at vector 0x20. */
static void start_timer(void)
{
	struct {
		uint16_t limit;
		void *base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, idt };
	uint64_t handler = (uintptr_t)bare_tick;

	for (int i = VECTOR; i < VECTOR + 8; i++) {
		idt[2 * i] = (handler & 0xffff) | CODE64 << 16 |
			     (uint64_t)INTERRUPT_GATE << 32 |
			     (handler >> 16 & 0xffff) << 48;
		idt[2 * i + 1] = handler >> 32;
	}
	asm volatile("lidt %0" : : "m" (pointer));
	outb(PIC, 0x11);
	outb(PIC_MASK, VECTOR);
	outb(PIC_MASK, 4);
	outb(PIC_MASK, 1);
	outb(PIC_MASK, 0xfe);
	outb(PIT_MODE, 0x34);
	outb(PIT, PIT_HZ / HZ & 0xff);
	outb(PIT, PIT_HZ / HZ >> 8);
}

void bare_main(void)
{
	outb(SERIAL + SERIAL_FIFO, 0x01);
	start_timer();
	announce(1);
	for (;;) {
		asm volatile("sti; hlt; cli" : : : "memory");
		read_commands();
		store_due();
	}
}
