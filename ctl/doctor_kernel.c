// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: the kernel's option, KVM. */
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "json.h"
#include "sysfile.h"

#define OPTION	"CONFIG_KVM_EXTERNAL_WRITE_TRACKING"

enum answer { NOT_KNOWN, NO, YES };

/* In what stdio reads as lines; a kernel's configuration says all or nothing. */
static enum answer search(FILE *file)
{
	enum answer answer = NOT_KNOWN;
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		if (!strcmp(line, OPTION "=y\n"))
			return YES;
		if (!strncmp(line, "CONFIG_KVM", 10))
			answer = NO;
	}
	return answer;
}

static enum answer search_path(const char *path)
{
	FILE *file = fopen(path, "re");
	enum answer answer;

	if (!file)
		return NOT_KNOWN;
	answer = search(file);
	fclose(file);
	return answer;
}

static enum answer search_proc(void)
{
	enum answer answer;
	FILE *file;

	if (!sysfile_exists("/proc/config.gz"))
		return NOT_KNOWN;
	file = popen("gzip -cd </proc/config.gz 2>/dev/null", "re");
	if (!file)
		return NOT_KNOWN;
	answer = search(file);
	pclose(file);
	return answer;
}

static enum answer search_all(const char *release, char *path, size_t size)
{
	static const char *const places[] = {
		"/boot/config-%s", "/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	enum answer answer = NOT_KNOWN;
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]) && !answer; i++) {
		snprintf(path, size, places[i], release);
		answer = search_path(path);
	}
	if (!answer) {
		snprintf(path, size, "/proc/config.gz");
		answer = search_proc();
	}
	return answer;
}

void doctor_kernel(struct doctor *doctor)
{
	char path[256] = "";
	enum answer answer = search_all(doctor->release, path, sizeof(path));
	struct check *check;

	/* From 6.6 on the module is not loaded by a kernel without. */
	if (doctor->loaded && !answer)
		answer = YES;
	if (answer == YES)
		check = doctor_add(doctor, "kernel", CHECK_OK, "%s has %s",
				   doctor->release, OPTION + 7);
	else if (answer == NO)
		check = doctor_add(doctor, "kernel", CHECK_FAIL,
				   "%s lacks %s", doctor->release, OPTION + 7);
	else
		check = doctor_add(doctor, "kernel", CHECK_WARN,
				   "%s: its configuration is not to be found",
				   doctor->release);
	if (answer != YES)
		check_hint(check, answer == NO ? EXIT_UNSUPPORTED : EXIT_FAILED,
			   "run a kernel with it, as Debian's amd64: not the "
			   "cloud flavour");
	json_string(check->details, "release", doctor->release);
	json_object_object_add(check->details, "write_tracking",
			       answer == NOT_KNOWN ? NULL :
			       json_object_new_boolean(answer == YES));
}

void doctor_kvm(struct doctor *doctor)
{
	bool amd = sysfile_exists("/sys/module/kvm_amd");
	bool intel = sysfile_exists("/sys/module/kvm_intel");
	bool nested = sysfile_is_on(amd ?
				    "/sys/module/kvm_amd/parameters/npt" :
				    "/sys/module/kvm_intel/parameters/ept");
	struct check *check;

	doctor->shadow = (amd || intel) && !nested;
	if (amd || intel) {
		check = doctor_add(doctor, "kvm", CHECK_OK, "%s, %s paging",
				   amd ? "kvm_amd" : "kvm_intel",
				   nested ? "nested" : "shadow");
		json_string(check->details, "paging",
			    nested ? "nested" : "shadow");
	} else {
		check = doctor_add(doctor, "kvm", CHECK_FAIL,
				   "neither kvm_amd nor kvm_intel is loaded");
		check_hint(check, EXIT_UNSUPPORTED, "modprobe kvm_amd, or "
			   "kvm_intel; the firmware may have it switched off");
	}
	json_object_object_add(check->details, "module", amd || intel ?
			       json_object_new_string(amd ? "kvm_amd" :
						      "kvm_intel") : NULL);
	json_flag(check->details, "dev_kvm", sysfile_exists("/dev/kvm"));
}
