// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of keys. */
#include <errno.h>
#include <strings.h>

#include "ini.h"

int ini_value_bool(const char *value, bool *ret)
{
	static const char *const words[2][5] = {
		{ "no", "false", "off", "0", "n" },
		{ "yes", "true", "on", "1", "y" },
	};
	size_t i;

	for (i = 0; i < 10; i++) {
		if (strcasecmp(value, words[i / 5][i % 5]))
			continue;
		*ret = i / 5;
		return 0;
	}
	return -EINVAL;
}
