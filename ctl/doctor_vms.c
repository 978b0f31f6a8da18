// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: VMs that run, and those whose memory is protected from the host. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "json.h"
#include "mem.h"
#include "model.h"
#include "sysfile.h"

#define CMDLINE_BYTES	(128 * 1024)

/* A process with a VM. */
struct vmm {
	int pid;
	uint32_t uid;
};

struct vmms {
	struct vmm *list;
	size_t nr;
};

static void add(struct vmms *vmms, int pid, uint32_t uid)
{
	size_t i;

	for (i = 0; i < vmms->nr; i++)
		if (vmms->list[i].pid == pid)
			return;
	vmms->list = mem_grow(vmms->list, vmms->nr, sizeof(*vmms->list));
	vmms->list[vmms->nr++] = (struct vmm) { pid, uid };
}

static bool has_vm(const char *pid)
{
	char path[64], link[32];
	struct dirent *entry;
	bool found = false;
	DIR *dir;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link));
		found = n == 17 && !memcmp(link, "anon_inode:kvm-vm", 17);
	}
	closedir(dir);
	return found;
}

/* Those that this user may look into: what is left without the daemon. */
static void search_proc(struct vmms *vmms)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    has_vm(entry->d_name) &&
		    !fstatat(dirfd(dir), entry->d_name, &st, 0))
			add(vmms, atoi(entry->d_name), st.st_uid);
	if (dir)
		closedir(dir);
}

static bool ask_daemon(struct doctor *doctor, struct vmms *vmms)
{
	struct model model;
	size_t i;

	if (doctor->daemon || model_try(doctor->ctl, &model))
		return false;
	for (i = 0; i < model.nr_vms; i++)
		if (!model.vms[i].gone)
			add(vmms, model.vms[i].pid, model.vms[i].uid);
	model_free(&model);
	return true;
}

/* As QEMU is told: -machine ...,confidential-guest-support=, -object. */
static bool is_protected(int pid)
{
	static const char *const words[] = {
		"confidential-guest-support=", "memory-encryption=",
		"sev-guest,", "sev-snp-guest,", "tdx-guest,",
	};
	char path[64], *text = mem_zalloc(CMDLINE_BYTES);
	bool found = false;
	ssize_t n, i;
	size_t word;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	n = sysfile_read(path, text, CMDLINE_BYTES);
	for (i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	for (word = 0; word < sizeof(words) / sizeof(words[0]); word++)
		found = found || strstr(text, words[word]);
	free(text);
	return found;
}

static void check_protected(struct doctor *doctor, const struct vmms *vmms)
{
	struct json_object *pids = json_object_new_array();
	struct check *check;
	size_t i, nr = 0;
	int first = 0;

	for (i = 0; i < vmms->nr; i++) {
		if (!is_protected(vmms->list[i].pid))
			continue;
		first = nr++ ? first : vmms->list[i].pid;
		json_object_array_add(pids,
				json_object_new_int(vmms->list[i].pid));
	}
	if (nr) {
		check = doctor_add(doctor, "protected", CHECK_WARN,
				   "%zu confidential guest%s, as VM %d", nr,
				   nr == 1 ? "" : "s", first);
		check_hint(check, EXIT_FAILED, "their memory cannot be "
			   "followed: the host may not see it");
	} else {
		check = doctor_add(doctor, "protected", CHECK_OK,
				   "no confidential guests");
	}
	json_object_object_add(check->details, "pids", pids);
}

/* Its owner may use a VM, and root any; others are asked for by polkit. */
static void check_reach(struct doctor *doctor, const struct vmms *vmms,
			bool daemon)
{
	struct json_object *array = json_object_new_array(), *obj;
	uint32_t uid = geteuid();
	struct check *check;
	size_t i, own = 0;
	bool mine;

	for (i = 0; i < vmms->nr; i++) {
		mine = !uid || vmms->list[i].uid == uid;
		own += mine;
		obj = json_object_new_object();
		json_object_object_add(obj, "pid",
				json_object_new_int(vmms->list[i].pid));
		json_u64(obj, "uid", vmms->list[i].uid);
		json_flag(obj, "own", mine);
		json_object_array_add(array, obj);
	}
	if (own == vmms->nr)
		check = doctor_add(doctor, "vms", CHECK_OK, "%zu run%s%s",
				   vmms->nr, vmms->nr == 1 ? "s" : "",
				   daemon ? "" : ", as far as this user sees");
	else
		check = doctor_add(doctor, "vms", CHECK_OK, "%zu run%s, %zu of "
				   "this user; for the others polkit asks",
				   vmms->nr, vmms->nr == 1 ? "s" : "", own);
	json_object_object_add(check->details, "vms", array);
	json_flag(check->details, "complete", daemon);
}

void doctor_vms(struct doctor *doctor)
{
	struct vmms vmms = { 0 };
	bool daemon = ask_daemon(doctor, &vmms);

	if (!daemon)
		search_proc(&vmms);
	check_reach(doctor, &vmms, daemon);
	check_protected(doctor, &vmms);
	free(vmms.list);
}
