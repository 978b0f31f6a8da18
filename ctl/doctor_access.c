// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: the device, the daemon, who may look into whom. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"
#include "doctor.h"
#include "json.h"
#include "sysfile.h"
#include "text.h"

#define DEVICE	"/dev/kvm-wtrack"

static void add_device_details(struct check *check, const struct stat *st,
			       const char *user, const char *group, bool may)
{
	char mode[16];

	snprintf(mode, sizeof(mode), "%04o", st->st_mode & 07777);
	json_string(check->details, "owner", user);
	json_string(check->details, "group", group);
	json_string(check->details, "mode", mode);
	json_flag(check->details, "may_open", may);
}

static struct check *judge_device(struct doctor *doctor, const struct stat *st,
				  const char *user, const char *group, bool may)
{
	unsigned int mode = st->st_mode & 0777;
	struct check *check;

	if (mode & 07) {
		check = doctor_add(doctor, "device", CHECK_WARN, "%s:%s %04o: "
				   "everybody may open it", user, group, mode);
		check_hint(check, EXIT_FAILED, "chmod 0660 " DEVICE
			   ", and look at the udev rules");
	} else if (may) {
		check = doctor_add(doctor, "device", CHECK_OK,
				   "%s:%s %04o, this user may open it", user,
				   group, mode);
	} else if (!doctor->daemon) {
		check = doctor_add(doctor, "device", CHECK_OK,
				   "%s:%s %04o, for this user wtrackd opens it",
				   user, group, mode);
	} else {
		check = doctor_add(doctor, "device", CHECK_FAIL, "%s:%s %04o, "
				   "this user may not open it", user, group,
				   mode);
		check_hint(check, EXIT_PERMISSION, "start wtrackd, which opens "
			   "it for users, or join the group %s", group);
	}
	return check;
}

void doctor_device(struct doctor *doctor)
{
	char user[64], group[64];
	struct check *check;
	struct group *gr;
	struct stat st;
	bool may;

	if (stat(DEVICE, &st) < 0) {
		check = doctor_add(doctor, "device", CHECK_FAIL,
				   DEVICE ": %s", strerror(errno));
		check_hint(check, EXIT_UNSUPPORTED, doctor->loaded ?
			   "look at devtmpfs and the udev rules" :
			   "load the module, which makes it");
		return;
	}
	gr = getgrgid(st.st_gid);
	if (gr)
		snprintf(group, sizeof(group), "%s", gr->gr_name);
	else
		snprintf(group, sizeof(group), "%u", st.st_gid);
	text_user(st.st_uid, user, sizeof(user));
	may = !euidaccess(DEVICE, R_OK | W_OK);
	check = judge_device(doctor, &st, user, group, may);
	add_device_details(check, &st, user, group, may);
}

/*
 * Each thing that wtrackd, or wtrack-watch, knows to be wrong is a check of its own. A
 * service that does not run knows of nothing.
 */
static void add_problems(struct doctor *doctor, const char *name,
			 const char *path, const char *interface,
			 const char *hint)
{
	char **problems = NULL;
	size_t i;

	if (sd_bus_get_property_strv(doctor->ctl->bus, name, path, interface,
				     "Problems", NULL, &problems) < 0)
		return;
	for (i = 0; problems && problems[i]; i++) {
		if (i < MAX_PROBLEMS)
			check_hint(doctor_add(doctor, "daemon", CHECK_WARN, "%s",
					      problems[i]), EXIT_FAILED, "%s",
				   hint);
		free(problems[i]);
	}
	free(problems);
}

void doctor_daemon(struct doctor *doctor)
{
	struct check *check;

	if (!doctor->daemon) {
		check = doctor_add(doctor, "daemon", CHECK_OK,
				   "wtrackd %s answers on the system bus",
				   doctor->daemon_version);
	} else if (doctor->daemon == -ESRCH || doctor->daemon == -ENOENT ||
		   doctor->daemon == -ECONNREFUSED) {
		check = doctor_add(doctor, "daemon", CHECK_WARN,
				   "wtrackd does not run");
		check_hint(check, EXIT_FAILED, "systemctl start wtrackd");
	} else {
		check = doctor_add(doctor, "daemon", CHECK_FAIL,
				   "wtrackd gives no answer: %s",
				   strerror(-doctor->daemon));
		check_hint(check, EXIT_UNSUPPORTED, "systemctl status wtrackd, "
			   "journalctl -u wtrackd");
	}
	json_flag(check->details, "running", !doctor->daemon);
	if (!doctor->daemon)
		add_problems(doctor, BUS_NAME, BUS_PATH, BUS_MANAGER,
			     "wtrackd.conf(5), journalctl -u wtrackd");
	if (doctor->ctl->bus)
		add_problems(doctor, BUS_WATCHES, BUS_WATCHES_PATH, BUS_WATCHES,
			     "wtrackd.conf(5), journalctl -u wtrack-watch");
}

void doctor_ptrace(struct doctor *doctor)
{
	static const char *const texts[] = {
		"0: own processes may be looked into",
		"1: only descendants may be looked into",
		"2: only with CAP_SYS_PTRACE",
		"3: nobody may look into a process, wtrackd neither",
	};
	char line[16] = "0";
	struct check *check;
	unsigned int scope;
	bool need;

	sysfile_line("/proc/sys/kernel/yama/ptrace_scope", line, sizeof(line));
	scope = (unsigned int)strtoul(line, NULL, 10);
	scope = scope > 3 ? 3 : scope;
	/* The daemon has the capability, and root too. */
	need = scope && doctor->daemon && geteuid();
	check = doctor_add(doctor, "ptrace", scope == 3 ? CHECK_FAIL :
			   need ? CHECK_WARN : CHECK_OK, "ptrace_scope %s",
			   texts[scope]);
	if (scope == 3)
		check_hint(check, EXIT_PERMISSION, "boot with "
			   "kernel.yama.ptrace_scope below 3; the VMM can "
			   "still pass on its descriptor");
	else if (need)
		check_hint(check, EXIT_PERMISSION, "start wtrackd, or be the "
			   "VMM's parent, or root");
	json_u64(check->details, "scope", scope);
}
