/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc tells of a process. Everything in it may be the work of somebody
 * hostile: a name may be anything, a file may be empty or very long.
 */
#ifndef WTRACKD_PROC_H
#define WTRACKD_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_MAX_CMDLINE	(64 * 1024)

struct proc_ids {
	uid_t uid, euid, suid;
	pid_t tgid;
};

struct proc_info {
	struct proc_ids ids;
	char *comm;
	char *qemu_name;	/* of QEMU's -name, "" without */
	char *cgroup;		/* path in the unified hierarchy, "" without */
};

/* What is asked of a process that is looked up by number. */
int proc_read_ids(pid_t pid, struct proc_ids *ret);
int proc_read_info(pid_t pid, struct proc_info *ret);
void proc_info_done(struct proc_info *info);
/* Its effective user, whether it is dumpable or not. Waits for nobody. */
int proc_read_euid(pid_t pid, uid_t *ret);
/*
 * On whose account is what the daemon does for this process? It is the user whose
 * slice of systemd's it is in: a user may have many more user ids in user namespaces,
 * and may start programs that become root. Without one it is the effective user,
 * (uid_t)-1 when the process is gone. Waits for nobody.
 */
uid_t proc_account(pid_t pid);

/* The texts, apart from where they come from. Invalid ones give -EBADMSG. */
int proc_parse_status(const char *text, struct proc_ids *ret);
/* The arguments, null bytes between them. ret is "" when it is not there. */
int proc_parse_qemu_name(const char *cmdline, size_t size, char **ret);
int proc_parse_cgroup(const char *text, char **ret);
/* The machine that a cgroup of systemd-machined is for: "" when none is. */
int proc_parse_machine(const char *cgroup, char **ret);

#endif
