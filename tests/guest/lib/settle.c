// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whatever a case did, when its processes are gone nobody holds the module or
 * the vendor module any more: a reference that stays is a leak. What a case
 * that failed left in the module's parameters is not for the next one.
 */
#include "module.h"
#include "tap.h"

static const char * const params[] = {
	"max_sessions", "max_users", "max_records", "max_pages", "poll_ms",
	"guard_min_ms", "guard_max_ms",
};

enum { NR_PARAMS = ARRAY_SIZE(params) };

static uint64_t values[NR_PARAMS];

static void check_settled(void)
{
	unsigned int i;

	tap_trying("after the case");
	for (i = 0; i < NR_PARAMS; i++)
		module_set_param(params[i], values[i]);
	CHECK_SOON(module_refs("kvm_wtrack") <= 0);
	CHECK_SOON(module_refs(module_vendor()) <= 0);
}

__attribute__((constructor)) static void settle_init(void)
{
	unsigned int i;

	if (module_refs("kvm_wtrack") < 0)
		return;
	for (i = 0; i < NR_PARAMS; i++)
		values[i] = module_param(params[i]);
	tap_after_case = check_settled;
}
