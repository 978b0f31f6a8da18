// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: the module, its file, its signature and who asks for one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "doctor.h"
#include "json.h"
#include "module_file.h"
#include "sysfile.h"
#include "version.h"

#define EFIVARS		"/sys/firmware/efi/efivars/"
#define GUID_GLOBAL	"-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define GUID_SHIM	"-605dab50-e046-4300-abb6-3dd810dd8b23"

/* The first word of a vermagic is the release. */
static bool is_for(const struct module_file *file, const char *release)
{
	size_t length = strlen(release);

	return !strncmp(file->vermagic, release, length) &&
	       (!file->vermagic[length] || file->vermagic[length] == ' ');
}

/* A module that is loaded works, until the next boot. */
static enum exit_code without(const struct doctor *doctor)
{
	return doctor->loaded ? EXIT_FAILED : EXIT_UNSUPPORTED;
}

static void add_file(struct check *check, const char *path,
		     const struct module_file *file)
{
	json_string(check->details, "file", path);
	json_flag(check->details, "compressed", file->compressed);
	json_object_object_add(check->details, "signed", file->compressed ?
			NULL : json_object_new_boolean(file->is_signed));
	json_string(check->details, "vermagic", file->vermagic);
}

static struct check *judge_file(struct doctor *doctor, const char *path,
				const struct module_file *file)
{
	char loaded[65];
	struct check *check;

	module_loaded_id("kvm_wtrack", loaded, sizeof(loaded));
	if (!file->compressed && !is_for(file, doctor->release)) {
		check = doctor_add(doctor, "module", doctor->loaded ?
				   CHECK_WARN : CHECK_FAIL,
				   "%s is built for another kernel: %s", path,
				   file->vermagic);
		check_hint(check, without(doctor),
			   "build and install it for %s", doctor->release);
	} else if (!doctor->loaded) {
		check = doctor_add(doctor, "module", CHECK_FAIL,
				   "installed, but not loaded");
		check_hint(check, EXIT_UNSUPPORTED, "modprobe kvm-wtrack");
	} else if (*loaded && *file->build_id &&
		   strcmp(loaded, file->build_id)) {
		check = doctor_add(doctor, "module", CHECK_WARN, "loaded is "
				   "another build than the one installed");
		check_hint(check, EXIT_FAILED, "end all sessions, then "
			   "modprobe -r kvm-wtrack && modprobe kvm-wtrack");
	} else {
		check = doctor_add(doctor, "module", CHECK_OK,
				   "loaded and installed%s",
				   file->compressed ? "" : file->is_signed ?
				   ", signed" : ", not signed");
	}
	add_file(check, path, file);
	return check;
}

static struct check *judge_without(struct doctor *doctor)
{
	struct check *check;

	if (doctor->loaded) {
		check = doctor_add(doctor, "module", CHECK_WARN,
				   "loaded, but not installed for %s",
				   doctor->release);
		check_hint(check, EXIT_FAILED, "install it, or it is gone "
			   "after the next boot");
	} else {
		check = doctor_add(doctor, "module", CHECK_FAIL,
				   "neither loaded nor installed for %s",
				   doctor->release);
		check_hint(check, EXIT_UNSUPPORTED, "build it with `make "
			   "module`, install and load it");
	}
	json_object_object_add(check->details, "file", NULL);
	return check;
}

void doctor_module(struct doctor *doctor)
{
	struct module_file file;
	struct check *check;
	char path[512], taint[32] = "";

	if (!module_find(doctor->release, "kvm-wtrack", path, sizeof(path)) &&
	    !module_file_read(path, &file)) {
		check = judge_file(doctor, path, &file);
		if (!file.compressed)
			doctor->signed_file = file.is_signed;
	} else {
		check = judge_without(doctor);
	}
	json_flag(check->details, "loaded", doctor->loaded);
	sysfile_line("/sys/module/kvm_wtrack/taint", taint, sizeof(taint));
	/* Of a loaded one the kernel itself says whether it took a signature. */
	if (doctor->loaded) {
		json_flag(check->details, "loaded_unsigned",
			  strchr(taint, 'E') != NULL);
		if (strchr(taint, 'E'))
			doctor->signed_file = 0;
	}
}

/* Four bytes of attributes come first. -1: there is no such variable. */
static int efi_byte(const char *path)
{
	unsigned char data[8];

	return sysfile_read(path, data, sizeof(data)) >= 5 ? data[4] : -1;
}

/* "none [integrity] confidentiality": the word in brackets. */
static void lockdown(char *ret, size_t size)
{
	char line[128] = "", *from, *to;

	snprintf(ret, size, "none");
	sysfile_line("/sys/kernel/security/lockdown", line, sizeof(line));
	from = strchr(line, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to)
		snprintf(ret, size, "%.*s", (int)(to - from - 1), from + 1);
}

/* Who wants signed modules: firmware by way of lockdown, or the kernel. */
static bool wants_signature(const char *lock)
{
	return strcmp(lock, "none") ||
	       sysfile_is_on("/sys/module/module/parameters/sig_enforce");
}

static void add_boot_details(struct check *check, int secure_boot, int mok,
			     bool keys, const char *lock, bool wanted)
{
	json_flag(check->details, "efi", sysfile_exists("/sys/firmware/efi"));
	json_object_object_add(check->details, "secure_boot", secure_boot < 0 ?
			       NULL : json_object_new_boolean(secure_boot));
	/* Set by shim when its user has switched validation off. */
	json_flag(check->details, "mok_validation_off", mok == 1);
	json_flag(check->details, "mok_keys", keys);
	json_string(check->details, "lockdown", lock);
	json_flag(check->details, "signature_wanted", wanted);
}

void doctor_secure_boot(struct doctor *doctor)
{
	int secure_boot = efi_byte(EFIVARS "SecureBoot" GUID_GLOBAL);
	int mok = efi_byte(EFIVARS "MokSBStateRT" GUID_SHIM);
	bool keys = sysfile_exists(EFIVARS "MokListRT" GUID_SHIM);
	const char *boot = secure_boot < 0 ? "none here" :
		secure_boot ? "on" : "off";
	struct check *check;
	char lock[32];
	bool wanted;

	lockdown(lock, sizeof(lock));
	wanted = wants_signature(lock);
	if (wanted && doctor->signed_file == 0) {
		check = doctor_add(doctor, "secure-boot", doctor->loaded ?
				   CHECK_WARN : CHECK_FAIL, "%s, lockdown %s: "
				   "the module has no signature", boot, lock);
		check_hint(check, without(doctor), "sign it with a key of "
			   "yours, and mokutil --import its certificate");
	} else if (wanted && !keys && !doctor->loaded) {
		check = doctor_add(doctor, "secure-boot", CHECK_WARN,
				   "%s, lockdown %s, and no machine owner key",
				   boot, lock);
		check_hint(check, EXIT_FAILED, "mokutil --import the "
			   "certificate that the module is signed with");
	} else {
		check = doctor_add(doctor, "secure-boot", CHECK_OK,
				   "%s, modules need %s signature", boot,
				   wanted ? "a" : "no");
	}
	add_boot_details(check, secure_boot, mok, keys, lock, wanted);
}

static struct check *judge_misfit(struct doctor *doctor, uint64_t lacks)
{
	struct check *check;
	char names[256];

	if (lacks)
		check = doctor_add(doctor, "versions", CHECK_FAIL,
				   "the module is too old, it lacks: %s",
				   version_names(lacks, names, sizeof(names)));
	else
		check = doctor_add(doctor, "versions", CHECK_FAIL,
				   "module and library do not understand each "
				   "other");
	check_hint(check, EXIT_UNSUPPORTED, "install both from the same "
		   "release, and load the module again");
	return check;
}

void doctor_interface(struct doctor *doctor)
{
	uint64_t lacks = doctor->info_result ? 0 :
			 version_lacks(doctor->info.features);
	const char *daemon = doctor->daemon_version;
	struct check *check;

	if (lacks || doctor->info_result == -EPROTO) {
		check = judge_misfit(doctor, lacks);
	} else if (daemon && strcmp(daemon, VERSION)) {
		check = doctor_add(doctor, "versions", CHECK_WARN,
				   "wtrackctl %s, wtrackd %s", VERSION, daemon);
		check_hint(check, EXIT_FAILED, "systemctl restart wtrackd: "
			   "sessions are not disturbed by that");
	} else {
		check = doctor_add(doctor, "versions", CHECK_OK,
				   "wtrackctl%s %s%s", daemon ? ", wtrackd" : "",
				   VERSION, doctor->info_result ? "" :
				   ", and the module fits");
	}
	json_string(check->details, "wtrackctl", VERSION);
	json_object_object_add(check->details, "wtrackd", daemon ?
			       json_object_new_string(daemon) : NULL);
	json_object_object_add(check->details, "features",
			       doctor->info_result ? NULL :
			       version_features(doctor->info.features));
	json_object_object_add(check->details, "lacks", doctor->info_result ?
			       NULL : version_features(lacks));
}
