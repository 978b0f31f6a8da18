// SPDX-License-Identifier: GPL-2.0-or-later
/* One of each metric. */
#include "metrics_text.h"

int main(void)
{
	const struct metrics_session session = { .vm_name = "" };
	const struct metrics_count count = { .label = "" };
	const struct metrics_vm vm = { .name = "" };
	struct metrics metrics = {
		.version = "",
		.vms = &vm,
		.nr_vms = 1,
		.sessions = &session,
		.nr_sessions = 1,
		.watches = &count,
		.nr_watches = 1,
		.refusals = &count,
		.nr_refusals = 1,
	};
	int i;

	for (i = 0; i < METRICS_KINDS; i++)
		metrics.kinds[i] = count;
	metrics_write(stdout, &metrics);
	return 0;
}
