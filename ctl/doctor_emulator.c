// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: stores that KVM's emulator makes not, or not known. */
#include <stdio.h>

#include "doctor.h"
#include "json.h"

#define KERNEL(major, minor)	((major) << 8 | (minor))

/* What docs/OBSERVED.md has, one line a kind of stores. */
struct fact {
	const char *key;	/* member of details */
	unsigned int until;	/* exact from that kernel on, 0: on none */
	unsigned int from;	/* applies from that kernel on */
	bool shadow;		/* applies to shadow paging alone */
	const char *what;
};

static const struct fact facts[] = {
	{ "page_changed", 0, 0, false, "x87 stores but fnstcw and fnstsw" },
	{ "page_changed", 0, 0, false, "MMX but movq" },
	{ "page_changed", 0, 0, false, "SSE of a part of a register" },
	{ "page_changed", 0, 0, false, "AVX of a part of a register" },
	{ "page_changed", KERNEL(7, 3), 0, false, "AVX of a whole register" },
	{ "page_changed", 0, 0, false, "cmpxchg16b" },
	{ "page_changed", 0, 0, false, "fxsave, xsave, nested enter" },
	{ "page_changed", 0, 0, false, "delivery of interrupts and exceptions" },
	{ "page_changed", 0, 0, false, "locked stores across pages" },
	{ "page_changed", 0, KERNEL(6, 18), false, "16-bit code on AMD" },
	{ "torn", 0, 0, false, "stores of 2 and 4 bytes, as others see them" },
	{ "torn", 0, 0, false, "stores of 8 bytes on processors with FSRM" },
	{ "unreported", 0, 0, false, "sgdt, sidt, 32-bit fxsave" },
	{ "unreported", 0, 0, false, "accessed bits of segment descriptors" },
	{ "not_seen", 0, 0, false, "DMA, vhost, the VMM's own stores, loadvm" },
	{ "not_seen", 0, 0, true, "accessed and dirty bits of page tables" },
	{ "not_tried", 0, 0, false, "AVX-512, movdir64b, xsavec" },
};

static unsigned int kernel_of(const char *release)
{
	unsigned int major = 0, minor = 0;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return 0;
	return KERNEL(major, minor);
}

static bool applies(const struct fact *fact, unsigned int kernel, bool shadow)
{
	return (!fact->until || kernel < fact->until) && kernel >= fact->from &&
	       (!fact->shadow || shadow);
}

static void add_facts(const struct doctor *doctor, struct json_object *details)
{
	unsigned int kernel = kernel_of(doctor->release);
	struct json_object *array;
	size_t i;

	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (!applies(&facts[i], kernel, doctor->shadow))
			continue;
		if (!json_object_object_get_ex(details, facts[i].key, &array))
			array = json_array(details, facts[i].key);
		json_object_array_add(array,
				      json_object_new_string(facts[i].what));
	}
}

void doctor_emulator(struct doctor *doctor)
{
	bool known = !doctor->info_result;
	bool guard = known && doctor->info.features & WTRACK_FEAT_GUARD;
	bool avx = kernel_of(doctor->release) < KERNEL(7, 3);
	struct check *check;

	if (known && !guard) {
		check = doctor_add(doctor, "emulator", CHECK_FAIL,
				   "this module does not protect guests from "
				   "stores KVM cannot emulate");
		check_hint(check, EXIT_UNSUPPORTED, "install a newer module: "
			   "a guest could hang");
	} else {
		check = doctor_add(doctor, "emulator", CHECK_OK,
				   "seen as \"page changed\" only: x87, SSE "
				   "scalars, AVX%s, cmpxchg16b",
				   avx ? "" : " of a part");
	}
	json_object_object_add(check->details, "guard", known ?
			       json_object_new_boolean(guard) : NULL);
	add_facts(doctor, check->details);
}
