// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints one of each metric, of a VM and a watch whose names are no plain words. */
#include "metrics.h"

int main(void)
{
	struct vm vm = { .pid = 1, .name = "a \"b\" \\ {c=\"d\",}\n# \303\244" };
	struct session session = { .id = 1, .kind = "client", .vm = &vm };
	struct watch watch = { .name = "\\n\"" };
	const struct metrics_refusal refusal = { "limit", 1 };
	const struct model model = {
		.vms = &vm, .nr_vms = 1, .sessions = &session,
		.nr_sessions = 1, .watches = &watch, .nr_watches = 1,
	};
	const struct metrics metrics = {
		.model = &model, .version = "1.0.0", .refusals = &refusal,
		.nr_refusals = 1, .per_session = true,
	};

	metrics_write(stdout, &metrics, true);
	return 0;
}
