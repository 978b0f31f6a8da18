/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of machines, from systemd-machined: asked for when a VM is found and
 * when a machine was registered. It is not started for that.
 */
#ifndef WTRACKD_MACHINE_H
#define WTRACKD_MACHINE_H

struct machines;
struct manager;
struct process;

int machines_new(struct manager *m, struct machines **ret);
void machines_free(struct machines *machines);
/* The answer comes later, by process_set_machine(). */
void machines_ask(struct machines *machines, struct process *process);

#endif
