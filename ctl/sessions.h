/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions, for the commands that show some of them. */
#ifndef CTL_SESSIONS_H
#define CTL_SESSIONS_H

#include "ctl.h"
#include "model.h"
#include "table.h"

/* @vm_path: only those of this VM, NULL for all of them. */
bool session_is_of(const struct session *session, const char *vm_path);
void sessions_print(const struct ctl *ctl, const struct model *model,
		    const char *vm_path);
void sessions_to_json(struct json_object *obj, const struct model *model,
		      const char *vm_path);

/*
 * The path of the VM that the command line names, to be freed; NULL when it
 * names none. 0, or the exit code.
 */
int sessions_find_vm(struct ctl *ctl, char **ret_path);
/* What the daemon knows now goes to @fn, with that path; its exit code. */
int sessions_run(struct ctl *ctl,
		 int (*fn)(struct ctl *ctl, const struct model *model,
			   const char *vm_path));

#endif
