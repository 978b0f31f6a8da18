/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `wtrackctl top` shows, made of two looks at the counters. */
#ifndef CTL_TOP_MODEL_H
#define CTL_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tally.h"

struct event;
struct model;

#define TOP_PAGES	65536

enum top_kind { TOP_VMS, TOP_SESSIONS, TOP_PAGES_PANE, TOP_KINDS };

/* What a row can be sorted by; the rate is the first everywhere. */
enum top_sort { TOP_BY_RATE, TOP_BY_ID, TOP_BY_TOTAL, TOP_SORTS };

/**
 * struct top_row - a VM, a session or a page
 * @id: session id, gfn, or of VMs a number of pid and descriptor
 * @label: VMs: "4711" or "4711:9"; sessions: of their VM
 * @name: VMs: their name; sessions: their kind
 * @uid: of the VMM, or who opened the session
 * @pid: who opened the session
 * @sessions: of a VM
 * @pages: tracked ones
 * @memory: bytes held for a VM
 * @unread, @records: of a session's ring
 * @losses: sessions: overflows, disarms, unreported stores; pages: gaps
 * @total: writes so far; of a VM those of its guest, however many sessions saw
 *	each of them
 * @rate: writes per second
 * @disarm_rate: how often a second the guard disarms a page of the session, or of
 *	the session of the VM for which it does that most
 * @unseen: the page is not seen now, the session's ring is closed, the VM gone
 */
struct top_row {
	uint64_t id;
	char *label;
	char *name;
	uint32_t uid;
	int32_t pid;
	uint64_t sessions;
	uint64_t pages;
	uint64_t memory;
	uint32_t unread;
	uint32_t records;
	uint64_t losses;
	uint64_t total;
	double rate;
	double disarm_rate;
	bool unseen;
};

/* Returns which share of one vCPU's time the tracking takes: all of a VM's, or a session's. */
double top_row_share(enum top_kind kind, const struct top_row *row);

struct top_list {
	struct top_row *rows;
	size_t nr;
};

/**
 * struct top_model - rows and what rates are made of
 * @lists: rows, unsorted before top_sort()
 * @time_ns: of the last look, 0 before the first
 * @before: sessions' writes at the last look
 * @disarms_before: disarmings of sessions' pages then
 * @vms_before: writes of VMs' guests then, by the module's number of the VM
 * @total: writes to each page since the start
 * @recent: since the last look
 * @rate: of all VMs together
 * @share: of the time of one vCPU, for all VMs together
 */
struct top_model {
	struct top_list lists[TOP_KINDS];
	uint64_t time_ns;
	struct tally before;
	struct tally disarms_before;
	struct tally vms_before;
	struct tally total;
	struct tally recent;
	double rate;
	double share;
};

void top_init(struct top_model *top);
void top_done(struct top_model *top);

/* An event of the session whose pages are shown. */
void top_event(struct top_model *top, const struct event *event);

/*
 * Makes new rows. @model may be NULL: the daemon was not reached, VMs and
 * sessions stay as they are.
 */
void top_update(struct top_model *top, const struct model *model,
		uint64_t now_ns);

void top_sort(struct top_list *list, enum top_sort by, bool reverse);

#endif
