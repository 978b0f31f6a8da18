// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration, at start and when it is read again. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "log.h"
#include "manager.h"
#include "message-ids.h"
#include "util.h"
#include "vm.h"

void manager_config_problem(void *userdata, const char *file,
			    unsigned int line, const char *message)
{
	char file_field[4200], line_field[32];
	const char *const fields[] = { file_field, line_field, NULL };
	struct manager *m = userdata;

	if (line)
		problems_add(&m->problems, "%s:%u: %s", file, line, message);
	else
		problems_add(&m->problems, "%s: %s", file, message);
	snprintf(file_field, sizeof(file_field), "CONFIG_FILE=%s", file);
	snprintf(line_field, sizeof(line_field), "CONFIG_LINE=%u", line);
	if (line)
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields,
			  "%s:%u: %s", file, line, message);
	else
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields, "%s: %s",
			  file, message);
}

static void find_group(struct manager *m)
{
	const struct group *group = NULL;

	if (*m->config.group)
		group = getgrnam(m->config.group);
	m->has_group = group != NULL;
	m->group = group ? group->gr_gid : (gid_t)-1;
	if (*m->config.group && !group)
		log_info("there is no group %s: none of its members may use "
			 "any VM", m->config.group);
}

/* Root is not accepted as WatchUser=: it has all rights anyway. */
static void find_watch_user(struct manager *m)
{
	const struct passwd *user = NULL;

	if (*m->config.watch_user)
		user = getpwnam(m->config.watch_user);
	m->has_watch_user = user && user->pw_uid;
	m->watch_user = m->has_watch_user ? user->pw_uid : (uid_t)-1;
	if (*m->config.watch_user && !user)
		log_info("there is no user %s: there are no watches",
			 m->config.watch_user);
}

bool manager_is_watch_user(const struct manager *m, uid_t uid)
{
	return m->has_watch_user && uid == m->watch_user;
}

int manager_load_config(struct manager *m)
{
	int r;

	problems_clear(&m->problems);
	r = config_load(&m->config, m->config_dirs, manager_config_problem, m);
	if (r < 0)
		return log_errno(r, "the configuration is not taken, because a "
				 "part of it cannot be read");
	find_group(m);
	find_watch_user(m);
	return 0;
}

void manager_tell_config(const struct manager *m)
{
	(void)sd_notifyf(false, "STATUS=not started: %s",
			 m->problems.nr_of_config ?
			 m->problems.of_config[m->problems.nr_of_config - 1] :
			 "the configuration cannot be read");
}

int manager_reload(struct manager *m)
{
	int r;

	(void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%ju",
			 (uintmax_t)now_usec());
	r = manager_load_config(m);
	if (r >= 0) {
		log_event(LOG_INFO, MESSAGE_RELOADED, NULL,
			  "read the configuration again");
	} else {
		problems_add(&m->problems,
			     "the configuration of before is in force");
	}
	(void)sd_notify(false, "READY=1");
	manager_counts_changed(m);
	return r;
}

static int append_vms(const struct manager *m, char ***list)
{
	const struct process *process;
	int r = 0;

	LIST_FOREACH(process, &m->processes, link)
		if (r >= 0 && process->nr_left_out && !process->ended)
			r = problems_append(list, "pid %d (uid %u) has %u VMs that are not listed",
				   process->pid, process->info.ids.uid,
				   process->nr_left_out);
	return r;
}

int manager_problems(struct manager *m, char ***ret)
{
	char **list = calloc(1, sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	if (r >= 0)
		r = problems_append_config(&m->problems, &list);
	if (r >= 0)
		r = append_vms(m, &list);
	if (r < 0) {
		strv_free(list);
		return r;
	}
	*ret = list;
	return 0;
}
