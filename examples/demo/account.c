// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <wtrack/wtrack.h>

#include "account.h"

static int size_log2(size_t size)
{
	switch (size) {
	case 1: return 0;
	case 2: return 1;
	case 4: return 2;
	case 8: return 3;
	default: return -1;
	}
}

void account_event(struct account *account, const struct wtrack_event *event)
{
	uint64_t seq = wtrack_event_get_seq(event);
	uint64_t offset = wtrack_event_get_gpa(event) - account->gpa;
	size_t len = wtrack_event_get_len(event);
	int size = size_log2(wtrack_event_get_total(event));

	if (seq != ++account->last_seq ||
	    wtrack_event_get_type(event) != WTRACK_EVENT_WRITE ||
	    offset >= PAGE_BYTES || len > PAGE_BYTES - offset || size < 0) {
		account->last_seq = seq;
		account->odd++;
		return;
	}
	memcpy(account->copy + offset, wtrack_event_get_data(event), len);
	account->seen.by_size[size]++;
}

static unsigned int sum(const struct stores *stores)
{
	const unsigned int *n = stores->by_size;

	return n[0] + n[1] + n[2] + n[3];
}

static void print_table(const struct account *account,
			const struct claim *claim)
{
	static const char line[] = "--------------------------------";

	printf("%-20s %16s %16s\n", "", "guest made", "events received");
	for (int i = 0; i < 4; i++)
		printf("stores of %d byte%-4s %16u %16u\n", 1 << i,
		       i ? "s" : "", claim->made.by_size[i],
		       account->seen.by_size[i]);
	printf("%-20s %16u %16u\n", "all stores", sum(&claim->made),
	       sum(&account->seen));
	printf("%s\n", line);
	printf("checksum of the page, %d bytes\n", PAGE_BYTES);
	printf("  copy kept from events alone    %016" PRIx64 "\n",
	       page_sum(account->copy));
	printf("  re-read from the VMM's memory  %016" PRIx64 "\n",
	       page_sum(claim->memory));
	printf("  as the guest reads it          %016" PRIx64 "\n",
	       claim->guest_sum);
	printf("%s\n", line);
	printf("events out of order, foreign or missing %u\n", account->odd);
	printf("ring overflows %" PRIu64 ", writes to resync %" PRIu64 "\n",
	       claim->overflows, claim->resync_writes);
}

static unsigned int cases;

static bool verdict(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++cases, what);
	return good;
}

bool account_close(const struct account *account, const struct claim *claim)
{
	const uint8_t *copy = account->copy;
	bool good = true;

	print_table(account, claim);
	good &= verdict(sum(&claim->made) &&
			!memcmp(&claim->made, &account->seen,
				sizeof(claim->made)),
			"stores the guest made = write events received");
	good &= verdict(!memcmp(copy, claim->memory, PAGE_BYTES),
			"memory in the VMM = last bytes seen in events");
	good &= verdict(page_sum(copy) == claim->guest_sum,
			"memory as the guest reads it = last bytes seen");
	good &= verdict(!account->odd && !claim->overflows &&
			!claim->resync_writes,
			"no event is lost, and none is of another page");
	good &= verdict(claim->vm_gone, "the end of the VM is told");
	printf("1..%u\n", cases);
	return good;
}
