// SPDX-License-Identifier: GPL-2.0-or-later
/* How much of a user's limits a session takes. */
#include <errno.h>

#include "open_options.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t power_of_two_below(uint64_t n)
{
	while (n & (n - 1))
		n &= n - 1;
	return n;
}

static int pages_of(const struct open_options *options,
		    const struct config *config, const struct wtrack_info *info,
		    uint64_t *ret)
{
	uint64_t share;

	if (options->max_pages > config->session_pages)
		return -ERANGE;
	if (options->max_pages) {
		*ret = options->max_pages;
		return 0;
	}
	share = config->user_pages /
		(config->user_sessions ? config->user_sessions : 1);
	share = min_u64(share, config->session_pages);
	share = min_u64(share, info->max_pages);
	*ret = share ? share : 1;
	return 0;
}

static int records_of(const struct open_options *options,
		      const struct config *config,
		      const struct wtrack_info *info, uint32_t *ret)
{
	uint64_t max = config->session_ring_bytes / RECORD_BYTES;
	uint64_t share;

	if (options->max_records > max)
		return -ERANGE;
	if (options->max_records) {
		*ret = options->max_records;
		return 0;
	}
	share = config->user_ring_bytes / RECORD_BYTES /
		(config->user_sessions ? config->user_sessions : 1);
	share = min_u64(share, max);
	share = min_u64(share, info->max_records);
	share = power_of_two_below(share);
	*ret = share > info->min_records ? (uint32_t)share : info->min_records;
	return 0;
}

int open_options_amount(const struct open_options *options,
			const struct config *config,
			const struct wtrack_info *info,
			struct limit_amount *ret, uint32_t *ret_records,
			const char **ret_key, uint64_t *ret_max)
{
	struct limit_amount amount = { .sessions = 1 };
	uint32_t records;

	if (pages_of(options, config, info, &amount.pages) < 0) {
		*ret_key = "SessionPages";
		*ret_max = config->session_pages;
		return -ERANGE;
	}
	if (records_of(options, config, info, &records) < 0) {
		*ret_key = "SessionRingBytes";
		*ret_max = config->session_ring_bytes;
		return -ERANGE;
	}
	amount.ring_bytes = (uint64_t)records * RECORD_BYTES;
	*ret = amount;
	*ret_records = records;
	return 0;
}
