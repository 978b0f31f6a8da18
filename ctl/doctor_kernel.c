// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: the kernel's option, KVM. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "doctor.h"
#include "json.h"
#include "sysfile.h"

#define OPTION		"CONFIG_KVM_EXTERNAL_WRITE_TRACKING"
#define REALTIME	"CONFIG_PREEMPT_RT"

enum answer { NOT_KNOWN, NO, YES };

/* What a kernel's configuration says. */
struct config {
	enum answer option, realtime;
};

/* Lines that stdio reads. A configuration that says anything says all. */
static struct config search(FILE *file)
{
	struct config config = { 0 };
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		if (!strcmp(line, OPTION "=y\n"))
			config.option = YES;
		else if (!strcmp(line, REALTIME "=y\n"))
			config.realtime = YES;
		else if (!strncmp(line, "CONFIG_KVM", 10) && !config.option)
			config.option = NO;
	}
	if (config.option && !config.realtime)
		config.realtime = NO;
	return config;
}

static struct config search_path(const char *path)
{
	FILE *file = fopen(path, "re");
	struct config config;

	if (!file)
		return (struct config) { 0 };
	config = search(file);
	fclose(file);
	return config;
}

static struct config search_proc(void)
{
	struct config config = { 0 };
	FILE *file;

	if (!sysfile_exists("/proc/config.gz"))
		return config;
	file = popen("gzip -cd </proc/config.gz 2>/dev/null", "re");
	if (!file)
		return config;
	config = search(file);
	pclose(file);
	return config;
}

static struct config search_all(const char *release)
{
	static const char *const places[] = {
		"/boot/config-%s", "/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	struct config config = { 0 };
	char path[256];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]) && !config.option;
	     i++) {
		snprintf(path, sizeof(path), places[i], release);
		config = search_path(path);
	}
	return config.option ? config : search_proc();
}

/* "#1 SMP PREEMPT_RT Debian 6.12..." */
static bool says_realtime(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, " PREEMPT_RT");
}

static struct check *judge_kernel(struct doctor *doctor,
				  const struct config *config)
{
	struct check *check;

	if (config->realtime == YES) {
		check = doctor_add(doctor, "kernel", CHECK_FAIL, "%s is a "
				   "PREEMPT_RT kernel: the module does not work "
				   "there", doctor->release);
		check_hint(check, EXIT_UNSUPPORTED, "run a kernel without it, as "
			   "Debian's amd64: not the rt flavour");
		return check;
	}
	if (config->option == YES)
		return doctor_add(doctor, "kernel", CHECK_OK, "%s has %s",
				  doctor->release, OPTION + 7);
	if (config->option == NO)
		check = doctor_add(doctor, "kernel", CHECK_FAIL,
				   "%s lacks %s", doctor->release, OPTION + 7);
	else
		check = doctor_add(doctor, "kernel", CHECK_WARN,
				   "%s: its configuration is not to be found",
				   doctor->release);
	check_hint(check, config->option == NO ? EXIT_UNSUPPORTED : EXIT_FAILED,
		   "run a kernel with it, as Debian's amd64: not the cloud "
		   "flavour");
	return check;
}

static void add_answer(struct check *check, const char *name,
		       enum answer answer)
{
	json_object_object_add(check->details, name, answer == NOT_KNOWN ?
			       NULL : json_object_new_boolean(answer == YES));
}

void doctor_kernel(struct doctor *doctor)
{
	struct config config = search_all(doctor->release);
	struct check *check;

	if (says_realtime())
		config.realtime = YES;
	/* From 6.6 on the module is not loaded by a kernel without. */
	if (doctor->loaded && !config.option)
		config.option = YES;
	check = judge_kernel(doctor, &config);
	json_string(check->details, "release", doctor->release);
	add_answer(check, "write_tracking", config.option);
	add_answer(check, "realtime", config.realtime);
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
