// SPDX-License-Identifier: GPL-2.0-or-later
/* What a module answers that is older than the guard. Loaded into the tool. */
#include <string.h>

#include <wtrack/wtrack.h>

int wtrack_get_info(struct wtrack_info *ret, size_t size)
{
	memset(ret, 0, size);
	ret->features = WTRACK_FEAT_FOREIGN_ATTACH | WTRACK_FEAT_COALESCE |
			WTRACK_FEAT_VCPU | WTRACK_FEAT_RIP |
			WTRACK_FEAT_RESTRICT | WTRACK_FEAT_LONG_WRITES;
	return 0;
}
